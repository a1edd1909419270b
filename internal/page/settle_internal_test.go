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
		asked       time.Duration // ago
		left        float64
		worker      bool
		least, most time.Duration // of the rest
	}{
		"page, heard at once":               {now, 340, false, 300 * time.Millisecond, idle},
		"page, heard late":                  {heard, 340, false, 300 * time.Millisecond, idle},
		"page, the timer is late":           {now, -400, false, time.Millisecond, brief},
		"page, beyond what is waited for":   {now, 600, false, 0, brief},
		"worker, heard at once":             {now, 340, true, 300 * time.Millisecond, idle},
		"worker, heard late":                {heard, 340, true, 300 * time.Millisecond, idle},
		"worker, the timer is late":         {now, -400, true, time.Millisecond, brief},
		"worker, beyond what is waited for": {now, 600, true, 0, brief},
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
		if moved, rest := j.restless(); moved || rest < c.least || rest > c.most {
			t.Errorf("%s: moved %v, rest %v, want %v to %v", name, moved, rest, c.least, c.most)
		}
	}
}
