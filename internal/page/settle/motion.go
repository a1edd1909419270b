package settle

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/note"
)

//go:embed motion.js
var motionScript string

const (
	// longest is how long one thing that moves is waited for, and half of the timeout at most, all of them together too.
	longest = 6 * time.Second
	// betweenSteps is how long a script that goes on by timers may pause.
	betweenSteps = 1200 * time.Millisecond

	// frameAnswer is how long frames of other origins are waited for.
	frameAnswer = 2 * time.Second

	maxNamed  = 10  // things that move, in a report
	maxCalled = 100 // characters of the name of one
)

// moves is what moves on a page, as motion.js says it.
type moves struct {
	Rest       float64  `json:"rest"`       // milliseconds for which it is waited for at least
	Since      float64  `json:"since"`      // milliseconds since something that moves has changed; negative for nothing
	Waits      []string `json:"waits"`      // what is waited for
	Endless    []string `json:"endless"`    // what never ends, or has not ended within the time for it
	Unfinished []string `json:"unfinished"` // of that, what was getting on
}

// rest is how long what moves is waited for at least.
func (m *moves) rest() time.Duration {
	if m == nil {
		return 0
	}
	return milli(m.Rest)
}

// quiet is how long ago something that moves has changed.
func (m *moves) quiet() time.Duration {
	if m == nil || m.Since < 0 {
		return math.MaxInt64
	}
	return milli(m.Since)
}

// motion follows what moves on a page.
type motion struct {
	Config
	follows bool          // the page has shown a sign of it
	spent   time.Duration // waiting for it
	loading time.Time     // when the page first said that it loads something; zero before
	moving  []string      // what has not ended
	apart   []moves       // in frames of other origins
}

// how is what motion.js is told.
type how struct {
	Cap   int64 `json:"cap"`   // milliseconds for one thing
	Whole bool  `json:"whole"` // what is out of view counts
	Ends  bool  `json:"ends"`  // animations of styles are waited for
}

// how is what the page is asked about its motion.
func (m *motion) how() how {
	return how{Cap: min(longest, m.Budget.Timeout()/2).Milliseconds(), Whole: m.Whole, Ends: m.Ends}
}

// begins takes in how the page is, and reports whether it has shown a sign of motion by now.
func (m *motion) begins(seen *Look) bool {
	if m.Postponed != nil && m.Postponed() {
		return false
	}
	m.follows = m.follows || seen.Alive || seen.Driven || seen.Timers.moves() || (m.Ends && seen.Animated)
	return m.follows
}

// rest takes in what the page has said of its motion, and returns how long to wait before it is asked again: nothing when all
// has ended. A page that shows the first sign of motion is asked for it at once; later it waits a part of the time itself.
func (m *motion) rest(seen *Look) time.Duration {
	switch first := !m.follows; {
	case !m.begins(seen):
		return 0
	case first:
		return time.Millisecond
	case seen.Motion == nil:
		return 0 // another document
	}
	rest := m.waitsFor(seen.Motion)
	if m.spent < m.Budget.Timeout()/2 {
		rest = max(rest, seen.Timers.step(seen.Motion))
	}
	return min(frame, rest)
}

// asksApart is the question to frames of other origins, empty when none can be seen. A frame shows what is in its own view.
func (m *motion) asksApart(seen *Look) string {
	m.apart = nil
	if !seen.Foreign {
		return ""
	}
	how, _ := json.Marshal(how{Cap: m.how().Cap})
	return fmt.Sprintf("%s%ssavepageMotion.look(0,'',true,%s)", lookScript, motionScript, how)
}

// restApart is rest for frames of other origins, by their answers.
func (m *motion) restApart(answers []json.RawMessage) (rest time.Duration) {
	for _, value := range answers {
		var is Look
		if json.Unmarshal(value, &is) == nil && is.Motion != nil {
			m.apart = append(m.apart, *is.Motion)
			rest = max(rest, min(frame, m.waitsFor(is.Motion)))
		}
	}
	return rest
}

// waitsFor is how long what moves is waited for at least, while there is time.
func (m *motion) waitsFor(said *moves) time.Duration {
	rest := said.rest()
	if rest > 0 && m.spent >= m.Budget.Timeout()/2 {
		m.unfinished(said.Waits)
		return 0
	}
	if rest > 0 && len(said.Waits) > 0 {
		m.Notes.Await("what moves to end: " + note.Clean(said.Waits[0], maxCalled))
	}
	return rest
}

// loads is how long the next timer is waited for of a page that says it is loading something.
func (m *motion) loads(seen *Look) time.Duration {
	if !seen.Loading || seen.Timers == nil || len(seen.Timers.Late) == 0 {
		return 0
	}
	if m.loading.IsZero() {
		m.loading = time.Now()
	}
	left := max(0, milli(slices.Min(seen.Timers.Late))) + frame
	if time.Since(m.loading)+left > min(longest, m.Budget.Timeout()/2) {
		m.Notes.Partial("the page says that it is loading, and a timer of it was not waited for")
		return 0
	}
	m.Notes.Await("a timer of the page, which says that it is loading")
	return left
}

// note notes what has not ended when the page has settled.
func (m *motion) note(seen *Look) {
	all := m.apart
	if seen.Motion != nil {
		all = append(all, *seen.Motion)
	}
	for _, said := range all {
		m.unfinished(said.Unfinished)
		m.name(said.Endless)
	}
}

// unfinished notes what would have ended if it had been waited for longer.
func (m *motion) unfinished(names []string) {
	if len(names) > 0 {
		m.name(names)
		m.Notes.Partial("an animation did not end in time: %s", note.Clean(strings.Join(names, ", "), maxCalled))
	}
}

// name notes names of what moves.
func (m *motion) name(names []string) {
	for _, name := range names {
		name = note.Clean(name, maxCalled)
		if len(m.moving) < maxNamed && !slices.Contains(m.moving, name) {
			m.moving = append(m.moving, name)
		}
	}
}

// Holder is the name of the event at which the page's timers and frames do nothing any more; empty when none waits.
func (w *Waiter) Holder() string {
	said := w.seen.Timers
	if said == nil || len(said.Left)+said.Later == 0 && said.Next < 0 && said.Frame < 0 {
		return ""
	}
	return w.token + "."
}

// Moved reports whether something may have moved on the page.
func (w *Waiter) Moved() bool { return w.motion.follows }

// Moving names what was still moving when the page had settled.
func (w *Waiter) Moving() []string { return w.motion.moving }

// Rest waits until what moves has ended, on a page that had been at rest before. A page without a sign of motion is only
// looked at.
func (w *Waiter) Rest(ctx context.Context) error {
	if err := w.Look(ctx, 0); err != nil {
		return err
	}
	if w.Until == savepage.WaitSettled && w.motion.begins(&w.seen) {
		return w.Settled(ctx)
	}
	return w.still(ctx)
}

// still waits until what moves has ended, and for nothing else. A page that has been looked at and has shown no sign of
// motion is not asked again.
func (w *Waiter) still(ctx context.Context) error {
	for w.motion.begins(&w.seen) {
		from := time.Now()
		q := w.question(0)
		if err := w.Page.Ask(ctx, time.Second, &w.seen, q.Script+q.Function, q.Args...); err != nil {
			return err
		}
		rest := w.motion.rest(&w.seen)
		if rest == 0 {
			w.motion.note(&w.seen)
			return nil
		}
		if err := w.Events.Pause(ctx, rest); err != nil {
			return err
		}
		w.motion.spent += time.Since(from)
	}
	return nil
}

// moves reports a sign of motion: a script asks for frames one after the other, or goes on by timers for long.
func (t *timers) moves() bool { return t != nil && (t.Frame >= single || t.Next >= 0) }

// step is the time until a script that goes on by timers takes its next step. It counts while its steps move something.
func (t *timers) step(m *moves) time.Duration {
	if t == nil || t.Next < 0 || m == nil || m.quiet() > betweenSteps {
		return 0
	}
	if left := milli(t.Next) + frame; m.quiet()+left <= betweenSteps {
		return left
	}
	return 0
}
