package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// waits bounds how long a synchronous request waits for its picture.
type waits struct {
	usual  time.Duration // without Prefer: wait=N
	atMost time.Duration // with it
}

// preferences are what a client asked for in Prefer (RFC 7240), as far as it is supported.
type preferences struct {
	async   bool
	wait    time.Duration // how long to wait for the picture
	applied []string      // for Preference-Applied
}

// Bounds of Prefer: wait=N, in seconds.
const (
	minWait = 1
	maxWait = 110
)

// preferences reads the preferences that are supported; others are ignored, never an error.
func (b waits) preferences(h http.Header) preferences {
	p := preferences{wait: b.usual}
	waits := false
	for _, line := range h.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			preference, _, _ := strings.Cut(part, ";")
			name, value, _ := strings.Cut(preference, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "respond-async":
				p.async = true
			case "wait":
				seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
				if err == nil && seconds >= minWait && !waits {
					waits = true
					p.wait = min(time.Duration(min(seconds, maxWait))*time.Second, b.atMost)
				}
			}
		}
	}
	if p.async {
		p.applied = append(p.applied, "respond-async")
	}
	if waits && !p.async {
		p.applied = append(p.applied, "wait="+strconv.Itoa(int(p.wait/time.Second)))
	}
	return p
}

// setHeader sets Preference-Applied.
func (p preferences) setHeader(h http.Header) {
	if len(p.applied) > 0 {
		h.Set("Preference-Applied", strings.Join(p.applied, ", "))
	}
}
