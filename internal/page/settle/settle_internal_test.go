package settle

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/page/budget"
)

// loaded is a page that has loaded and asks for nothing, and when something last came of its network.
type loaded struct{ active time.Time }

func (loaded) Leaving() bool                           { return false }
func (loaded) Parsed() bool                            { return true }
func (loaded) Loaded() bool                            { return true }
func (loaded) Waiting() int                            { return 0 }
func (loaded) Scripts() int                            { return 1 }
func (loaded) Open(int) []string                       { return nil }
func (loaded) ResetQuiet()                             {}
func (l loaded) Quiet() time.Duration                  { return time.Since(l.active) }
func (l loaded) QuietAt(asked time.Time) time.Duration { return max(0, asked.Sub(l.active)) }

// What is under way was so when it was asked for. An answer that is read late, or a timer that is late, ends no waiting.
func TestRestlessOnABusyMachine(t *testing.T) {
	const now, heard = 20 * time.Millisecond, 300 * time.Millisecond // ago, when the question was sent
	for name, c := range map[string]struct {
		asked       time.Duration // ago
		left        float64
		worker      bool
		least, most time.Duration // of the rest
	}{
		"page, read at once":                {now, 340, false, 300 * time.Millisecond, idle},
		"page, read late":                   {heard, 340, false, 300 * time.Millisecond, idle},
		"page, the timer is late":           {now, -400, false, time.Millisecond, brief},
		"page, beyond what is waited for":   {now, 600, false, 0, brief},
		"worker, read at once":              {now, 340, true, 300 * time.Millisecond, idle},
		"worker, read late":                 {heard, 340, true, 300 * time.Millisecond, idle},
		"worker, the timer is late":         {now, -400, true, time.Millisecond, brief},
		"worker, beyond what is waited for": {now, 600, true, 0, brief},
	} {
		asked := time.Now().Add(-c.asked)
		said := &timers{Left: []float64{c.left}, Silence: -1}
		page := loaded{active: asked.Add(-10 * time.Millisecond)}
		if c.left < 0 {
			page.active = asked.Add(-700 * time.Millisecond)
		}
		b := budget.New(time.Minute, false)
		w := New(Config{Navigation: page, Network: page, Budget: b})
		w.looked, w.seen = asked, Look{Still: 1000, Moved: 1000, Timers: &timers{Silence: -1}}
		w.workers = &workers{network: page, budget: b}
		if c.worker {
			w.workers.all = map[target.SessionID]*worker{"w": {began: asked.Add(-time.Minute), ran: true, since: asked, timers: said}}
		} else {
			w.seen.Timers = said
		}
		if moved, rest := w.restless(); moved || rest < c.least || rest > c.most {
			t.Errorf("%s: moved %v, rest %v, want %v to %v", name, moved, rest, c.least, c.most)
		}
	}
}
