package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preferences is what a client asked for in Prefer (RFC 7240) and what is honoured of it.
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

// readPreferences takes what it understands; preferences are never an error.
func (a *API) readPreferences(h http.Header) preferences {
	p := preferences{wait: a.cfg.SyncWait}
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
					p.wait = min(time.Duration(min(seconds, maxWait))*time.Second, a.cfg.MaxWait)
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

// tell sets the Preference-Applied header.
func (p preferences) tell(h http.Header) {
	if len(p.applied) > 0 {
		h.Set("Preference-Applied", strings.Join(p.applied, ", "))
	}
}
