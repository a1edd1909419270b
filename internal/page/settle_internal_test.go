package page

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
)

// What is under way was so when it was asked for. An answer that is heard late, or a timer that is late, ends no waiting.
func TestRestlessOnABusyMachine(t *testing.T) {
	const now, heard = 20 * time.Millisecond, 300 * time.Millisecond // ago, when the question was sent
	for name, c := range map[string]struct {
		asked  time.Duration // ago
		left   float64
		worker bool
		rests  bool
	}{
		"page, heard at once":               {now, 340, false, true},
		"page, heard late":                  {heard, 340, false, true},
		"page, the timer is late":           {now, -400, false, true},
		"page, beyond what is waited for":   {now, 600, false, false},
		"worker, heard at once":             {now, 340, true, true},
		"worker, heard late":                {heard, 340, true, true},
		"worker, the timer is late":         {now, -400, true, true},
		"worker, beyond what is waited for": {now, 600, true, false},
	} {
		asked := time.Now().Add(-c.asked)
		said := &timers{Left: []float64{c.left}, Silence: -1}
		w := &watch{timeout: time.Minute}
		w.nav.loaded, w.net.scripts = true, 1
		w.net.active = asked.Add(-10 * time.Millisecond)
		if c.left < 0 {
			w.net.active = asked.Add(-700 * time.Millisecond)
		}
		j := &job{w: w, looked: asked, seen: look{Still: 1000, Moved: 1000, Timers: &timers{Silence: -1}}}
		if c.worker {
			w.workers = map[target.SessionID]*worker{"w": {began: asked.Add(-time.Minute), ran: true, since: asked, timers: said}}
		} else {
			j.seen.Timers = said
		}
		// Quiet itself is not the point here: the network has been still for long enough where the answer came late.
		moved, rest := j.restless()
		if want := c.rests; moved || (rest > brief) != want && c.left > 0 || (rest > 0) != want && c.left < 0 {
			t.Errorf("%s: moved %v, rest %v", name, moved, rest)
		}
	}
}
