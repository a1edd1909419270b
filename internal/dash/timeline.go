package dash

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// mark is an attempt of a delivery, or the next one, on its time line.
type mark struct {
	X     string // from the left, in percent
	Sign  string
	Level string
	Title string
}

// timeline puts the attempts of a delivery where they were made between the time when it was owed and the last of them. Waits grow
// with each attempt, and so does the scale.
func timeline(d savepage.Delivery) []mark {
	last := d.CreatedAt
	for _, a := range d.Attempts {
		last = later(last, a.At)
	}
	if d.NextAt != nil {
		last = later(last, *d.NextAt)
	}
	at := func(t time.Time) string {
		scale := func(t time.Time) float64 { return math.Log1p(max(t.Sub(d.CreatedAt).Seconds(), 0)) }
		part := 0.0
		if whole := scale(last); whole > 0 {
			part = scale(t) / whole
		}
		return fmt.Sprintf("%.1f%%", 4+92*part)
	}
	var marks []mark
	for _, a := range d.Attempts {
		one := mark{X: at(a.At), Sign: "✕", Level: "bad", Title: fmt.Sprintf("%s: %s", exact(a.At), words(a.Outcome))}
		if a.Outcome == savepage.AttemptDelivered {
			one.Sign, one.Level = "●", "ok"
		}
		if a.Status > 0 {
			one.Title += fmt.Sprintf(" %d", a.Status)
		}
		one.Title += ", " + durationText(a.LatencyMS)
		marks = append(marks, one)
	}
	if d.NextAt != nil {
		marks = append(marks, mark{X: at(*d.NextAt), Sign: "○", Level: "idle", Title: "next attempt: " + exact(*d.NextAt)})
	}
	return marks
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sendsFile reports whether the picture itself was sent in place of the event.
func sendsFile(d savepage.Delivery) bool {
	for _, a := range d.Attempts {
		if a.Request != nil {
			kind := a.Request.Headers["Content-Type"]
			return strings.HasPrefix(kind, "image/") || kind == "application/pdf"
		}
	}
	return false
}

// eventText is what an event tells, in words.
func eventText(kind savepage.EventKind) string {
	return map[savepage.EventKind]string{
		savepage.EventSuccess: "capture succeeded", savepage.EventFailed: "capture failed", savepage.EventBatch: "batch ended",
		savepage.EventStore: "picture to a store",
	}[kind]
}

// exact is a time as people compare it.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
