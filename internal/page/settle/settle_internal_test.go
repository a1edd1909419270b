package settle

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/session"
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
func (loaded) Planned(string) (time.Duration, bool)    { return 0, false }
func (loaded) Been() (int, bool)                       { return 1, false }
func (loaded) Unsure() (is, repeats bool)              { return false, false }
func (loaded) SetLoading(bool)                         {}
func (loaded) SetAside([]string)                       {}
func (loaded) Looked(time.Time, bool, time.Time)       {}
func (l loaded) Quiet() time.Duration                  { return time.Since(l.active) }
func (l loaded) QuietAt(asked time.Time) time.Duration { return max(0, asked.Sub(l.active)) }

// goes is a page that another follows as soon as it has been asked how it is.
type goes struct {
	loaded
	documents *int
}

func (g goes) Been() (int, bool) { return *g.documents, false }

func (g goes) Ask(context.Context, time.Duration, any, string, ...any) error {
	*g.documents++
	return nil
}

func (g goes) AskOn(context.Context, time.Duration, any, session.Question, session.Further) error {
	*g.documents++
	return nil
}

func (goes) InFrames(context.Context, string, []*session.Target) []json.RawMessage { return nil }

// What a page said counts for no other, not even when the other is there by the time the answer is looked at.
func TestQuietOfAnotherDocument(t *testing.T) {
	page := goes{documents: new(int)}
	w := New(Config{Navigation: page, Network: page, Page: page, Budget: budget.New(time.Minute, false), Notes: &note.Notes{}})
	if err := w.Quiet(t.Context()); !errors.Is(err, session.ErrMoved) || w.Rested() {
		t.Errorf("%v, rested %v", err, w.Rested())
	}
}

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
		w.looked, w.answered, w.seen = asked, time.Now(), Look{Still: 1000, Timers: &timers{Silence: -1}}
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

// What came of the network after the page had answered may have it go on: the answer says nothing of that.
func TestRestlessAfterTheAnswer(t *testing.T) {
	page := loaded{active: time.Now().Add(-200 * time.Millisecond)} // read only now
	w := New(Config{Navigation: page, Network: page, Budget: budget.New(time.Minute, false)})
	w.workers = &workers{network: page, budget: w.Budget}
	w.looked = page.active.Add(-20 * time.Millisecond)
	w.seen = Look{Still: 1000, Timers: &timers{Silence: -1, Frame: -1}, Scripted: true}
	for answered, want := range map[time.Time]bool{page.active.Add(-10 * time.Millisecond): true, time.Now(): false} {
		w.answered = answered
		if _, rest := w.restless(); (rest > 0) != want {
			t.Errorf("answered %s before: rest %s", page.active.Sub(answered), rest)
		}
	}
}

// A script that goes on by timers is followed while its steps move something.
func TestStepsOfWhatMoves(t *testing.T) {
	for name, c := range map[string]struct {
		next, since float64
		want        time.Duration
	}{
		"moves, and goes on":       {700, 100, 700*time.Millisecond + frame},
		"has not moved for long":   {700, 600, 0},
		"goes on after a long way": {1300, 10, 0},
		"nothing has moved":        {100, -1, 0},
		"nothing goes on":          {-1, 100, 0},
	} {
		said := &timers{Next: c.next}
		if got := said.step(&moves{Since: c.since}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := (*timers)(nil).step(nil); got != 0 {
		t.Errorf("nothing known: %v", got)
	}
}

// All that moves has half of the timeout. What is waited for then is named, and the picture is partial.
func TestMotionHasAnEnd(t *testing.T) {
	notes := &note.Notes{}
	w := New(Config{Budget: budget.New(10*time.Second, false), Notes: notes})
	w.motion.follows = true
	w.seen.Motion = &moves{Rest: 300, Since: 10, Waits: []string{"p#count"}, Endless: []string{"canvas#scene"}}
	if got := w.motion.rest(&w.seen); got != frame || notes.Awaiting() != "what moves to end: p#count" {
		t.Errorf("%v, %q", got, notes.Awaiting())
	}
	w.motion.spent = 5 * time.Second
	if got := w.motion.rest(&w.seen); got != 0 {
		t.Errorf("%v after half of the timeout", got)
	}
	w.motion.note(&w.seen)
	w.motion.note(&w.seen)
	reasons, want := notes.Reasons(), []string{"an animation did not end in time: p#count"}
	if !slices.Equal(reasons, want) || !slices.Equal(w.Moving(), []string{"p#count", "canvas#scene"}) {
		t.Errorf("%q, moving %q", reasons, w.Moving())
	}
}
