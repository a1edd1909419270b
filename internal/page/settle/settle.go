// Package settle waits until a page is ready: for the moment that wait_until names, or until neither the document changes,
// nor a request is open, nor a short timer or a worker has something left to do. It says how the page is, and what kept it
// from coming to rest.
package settle

import (
	"context"
	"crypto/rand"
	_ "embed" // for the scripts
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed look.js
var lookScript string

const (
	calm  = 100 * time.Millisecond // without a change, after which a page with scripts counts as settled
	brief = 60 * time.Millisecond  // the same, for a page that has no timer on
	idle  = 500 * time.Millisecond // without an open request, for networkidle
)

// Look is what the page says of itself.
type Look struct {
	Still    float64  `json:"still"`    // milliseconds since the document last changed
	Scripted bool     `json:"scripted"` // something on the page may still run
	Fonts    bool     `json:"fonts"`    // all that are in use are loaded
	Coming   []string `json:"coming"`   // families of those that are not
	Title    string   `json:"title"`
	URL      string   `json:"url"`
	Ready    string   `json:"ready"`    // document.readyState
	Height   int      `json:"height"`   // of the whole page, CSS pixels
	Width    int      `json:"width"`    // of the whole page, CSS pixels
	Alive    bool     `json:"alive"`    // something on the page may move
	Animated bool     `json:"animated"` // animations of styles, or of SVG
	Driven   bool     `json:"driven"`   // animations that scripts have made, and that end
	Loading  bool     `json:"loading"`  // the page says of itself that it loads something, and has a timer
	Foreign  bool     `json:"foreign"`  // frames of other origins can be seen
	Timers   *timers  `json:"timers"`   // nil when it is not known
	Motion   *moves   `json:"motion"`   // nil when it is not followed
	Later    *later   `json:"later"`    // nil when it is not known
	Plain    bool     `json:"plain"`    // nothing on the page can move, come or change any more
	Common   bool     `json:"common"`   // and no letter is in it that a font may lack
	Elements int      `json:"elements"`
	Refresh  string   `json:"refresh"` // content of the meta element of that name

	Looks *unfinished `json:"looks"` // nil when it was not asked for
}

// Asker asks the page by scripts beside its own.
type Asker interface {
	// Ask calls a function of a script; the text of the script stands before its name.
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	// AskOn asks a question and, where its answer lets it, those that will be asked next.
	AskOn(ctx context.Context, slack time.Duration, into any, q session.Question, further session.Further) error
	// InFrames returns the values of an expression in every frame but the main one.
	InFrames(ctx context.Context, expression string, targets []*session.Target) []json.RawMessage
}

// Navigation says where the main frame is.
type Navigation interface {
	Leaving() bool // on its way to another document
	Parsed() bool
	Loaded() bool
	Onward
}

// Onward is where the main frame goes by itself, and where it has been.
type Onward interface {
	// Planned is the time until the document goes to another, when it says so in its header or with the content of its meta
	// element, and does it soon.
	Planned(meta string) (left time.Duration, is bool)
	// Been is how many documents there were, and whether this one's address was there before.
	Been() (documents int, here bool)
}

// Network says what the page asks of the network.
type Network interface { //nolint:interfacebloat // one part answers all of it
	Activity
	Questions
	Waiting() int         // open requests that settling waits for
	Quiet() time.Duration // since the last event of one
	Scripts() int         // requests for scripts
	Open(n int) []string  // names of those without which the picture may lack something, oldest first
}

// Activity is when something last came of the network.
type Activity interface {
	QuietAt(asked time.Time) time.Duration // Network.Quiet, at an earlier time
	ResetQuiet()                           // the page was given cause to do something: quiet is counted from here
}

// Questions are what scripts ask for.
type Questions interface {
	// Unsure reports whether it matters what the page shows, and whether scripts have lately asked for the same again.
	Unsure() (is, repeats bool)
	SetLoading(is bool)     // it shows that it waits for something
	SetAside(urls []string) // addresses that are asked for without a use for the answer
	// Looked notes that the page was asked at a time, whether it has more in it than before, and since when no timer of it has
	// run, if that is known.
	Looked(asked time.Time, grew bool, timerless time.Time)
}

// Hangs ends what is never answered.
type Hangs interface {
	// GiveUp ends the requests of which nothing has come for so long, and reports whether there were any. It passes over what
	// scripts ask for.
	GiveUp(waited time.Duration) bool
	// Stay ends the way to another document, with a note, when the page is on one.
	Stay(ctx context.Context)
	// Unblock has the page drawn that waits for something to be drawn.
	Unblock(ctx context.Context)
}

// Setup has what belongs to the page set up before it begins.
type Setup interface {
	First(commands func(kind string) []session.Command)
	OnBegin(begin func(*session.Target))
}

// Notes keeps what is waited for, and why a picture is partial.
type Notes interface {
	Await(what string)
	Partial(format string, args ...any)
}

// Config is the page that is waited for, and the parts of the render that this one needs.
type Config struct {
	Until      savepage.WaitUntil
	Watch      bool                   // the document's changes count
	Whole      bool                   // what is out of view counts
	Ends       bool                   // animations of styles that end are waited for
	Postponed  func() bool            // what moves gets time on the page's own clock; nil: never
	Further    func() session.Further // what is asked of a page that has come to rest; nil: nothing
	Events     *session.Router
	Page       Asker
	Children   func() []*session.Target // that belong to the page
	Navigation Navigation
	Network    Network
	Hangs      Hangs
	Budget     *budget.Budget
	Notes      Notes
	Broken     func() error // why the page is none; nil when it is one
}

// Waiter waits for one page. Its methods are for the goroutine of the render.
type Waiter struct {
	Config
	workers  *workers // nil: timers are not followed
	token    string   // by which the page is asked for its timers; empty: they are not followed
	late     bool     // the load event was not waited for any longer
	lateOf   int      // the document, by its number, of which it was not
	motion   motion
	seen     Look       // what the page last said of itself
	looked   time.Time  // when the page was last asked how it is
	answered time.Time  // and when it had answered
	document int        // of which it said that, by its number
	looks    unfinished // what it looked like then, where that mattered
	elements int        // it had at the look before
	rested   bool       // it came to rest when it was last waited for
}

// New returns a Waiter that does not follow timers.
func New(c Config) *Waiter { return &Waiter{Config: c, motion: motion{Config: c}} }

// FollowTimers has each new document note its short timers. Only the world beside the page knows how to ask for them. send
// sends a command to the page.
func (w *Waiter) FollowTimers(send func(method string, params any)) {
	w.token = rand.Text()
	w.workers = &workers{
		token: w.token, script: fmt.Sprintf("(%s)(%q)", timersScript, w.token), network: w.Network, budget: w.Budget,
		all: map[target.SessionID]*worker{}, begun: map[string]int{},
	}
	for _, source := range []string{w.workers.script, fmt.Sprintf("(%s)(%q)", laterScript, w.token)} {
		send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: source})
	}
}

// FollowWorkers has the page's workers note their timers too, behind the scripts of those who have set them up before.
func (w *Waiter) FollowWorkers(setup Setup) {
	setup.First(w.workers.first)
	setup.OnBegin(w.workers.begin)
	w.Events.On(session.Worker, "Inspector.workerScriptLoaded", w.workers.scriptLoaded)
	w.Events.On(session.Every, "Target.detachedFromTarget", w.workers.left)
}

// Seen is what the page last said of itself.
func (w *Waiter) Seen() Look { return w.seen }

// SetSeen is for a page that can no longer say it.
func (w *Waiter) SetSeen(l Look) { w.seen = l }

// Look asks the page how it is. It waits at most so long for fonts and pictures in view.
func (w *Waiter) Look(ctx context.Context, wait time.Duration) error {
	w.looked = time.Now()
	return w.Page.Ask(ctx, wait, &w.seen, lookScript+"savepage.look", wait.Milliseconds(), w.token, w.Watch, w.Whole)
}

// Ready waits for the moment that wait_until names, after something that may have the page go on: what it does at that within
// half a second belongs to it.
func (w *Waiter) Ready(ctx context.Context) error {
	w.Network.ResetQuiet()
	switch w.Until {
	case savepage.WaitDOMContentLoaded:
		w.Notes.Await("the document to be parsed")
		return w.reach(ctx, w.Navigation.Parsed)
	case savepage.WaitLoad:
		w.Notes.Await("the load event")
		return w.reach(ctx, w.Navigation.Loaded)
	case savepage.WaitNetworkIdle:
		return w.networkIdle(ctx)
	default:
		return w.Settled(ctx)
	}
}

// reach waits for a moment of the current document, without a limit of its own, and asks how the page is.
func (w *Waiter) reach(ctx context.Context, there func() bool) error {
	err := w.Events.Until(ctx, func() (bool, time.Duration) {
		return there() && !w.Navigation.Leaving(), calm
	})
	if err != nil {
		return err
	}
	next := session.Further{}
	if w.Further != nil {
		next = w.Further()
	}
	w.looked = time.Now()
	q := session.Question{Script: lookScript, Function: "savepage.look", Args: []any{0, w.token, w.Watch, w.Whole}}
	return w.Page.AskOn(ctx, 0, &w.seen, q, next)
}

func (w *Waiter) networkIdle(ctx context.Context) error {
	w.Notes.Await("the network to be idle")
	err := w.reach(ctx, func() bool {
		return w.Navigation.Loaded() && len(w.Network.Open(1)) == 0 && w.Network.Quiet() >= idle
	})
	if err != nil {
		return err
	}
	return w.still(ctx)
}

// Settled waits for the load event and then for quiet, again for each document that the page goes to. It ends early, and
// says so, when the page does not come to rest.
func (w *Waiter) Settled(ctx context.Context) error {
	last := lastLoad(w.Budget)
	for {
		if err := w.load(ctx, last); err != nil {
			return err
		}
		err := w.Quiet(ctx)
		if !errors.Is(err, session.ErrMoved) {
			return err
		}
		if err := w.Broken(); err != nil {
			return err
		}
	}
}

// Rested reports whether the page came to rest when it was last waited for.
func (w *Waiter) Rested() bool { return w.rested }

// Quiet waits until neither the document changes nor a request is open, and what moves has ended.
func (w *Waiter) Quiet(ctx context.Context) error { //nolint:cyclop // one look after another, until the page is at rest
	w.Notes.Await("the page to settle")
	w.rested = false
	stall := w.Budget.Stall()
	var asking, given time.Duration // the page was busy or did not answer; what moves had time of its own
	for began, again := time.Now(), false; ; again = true {
		from := time.Now()
		if err := w.workers.ask(ctx); err != nil {
			return err
		}
		// Fonts and pictures that do not come are waited for once.
		question := w.question(max(0, stall-time.Since(began)))
		if err := w.Page.AskOn(ctx, stall+time.Second, &w.seen, question, further(w, again)); err != nil {
			return err
		}
		w.answered = time.Now()
		if err := takeIn(ctx, w); err != nil {
			return err
		}
		asking += time.Since(w.looked)
		moved, rest := w.restless()
		moving := w.motion.rest(&w.seen)
		if apart := w.motion.asksApart(&w.seen); apart != "" && !moved && rest+moving == 0 {
			asking, stop := context.WithTimeout(ctx, frameAnswer)
			moving = w.motion.restApart(w.Page.InFrames(asking, apart, w.Children()))
			stop()
		}
		if !moved && rest+moving == 0 {
			moving = w.motion.loads(&w.seen)
		}
		switch {
		case moved, outdated(w):
			return session.ErrMoved
		case rest+moving == 0 && (w.late || w.Network.Waiting() == 0): // nothing has begun while the page was looked at
			w.rested = !w.late
			noteLate(w)
			noteOpen(w)
			noteFonts(w)
			aheadOf(w).note(w.Notes)
			w.motion.note(&w.seen)
			return nil
		case moving == 0 && time.Since(began)-given-min(asking, lastQuiet(w)) > lastQuiet(w):
			w.noteUnrest()
			w.motion.note(&w.seen)
			return nil
		}
		if err := w.Events.Until(ctx, w.silence(max(rest, moving))); err != nil {
			return err
		}
		if moving > 0 { // what moves has time of its own
			passed := time.Since(from)
			w.motion.spent, given = w.motion.spent+passed, given+passed
		}
	}
}

// question is what the page is asked: how it is and, when it has shown a sign of motion, what moves. It waits for fonts and
// pictures in view, and a part of the time for what moves.
func (w *Waiter) question(stall time.Duration) session.Question {
	w.looked, w.seen.Motion, w.seen.Looks = time.Now(), nil, nil
	w.document, _ = w.Navigation.Been()
	scripts, function, how := lookScript, "savepage.look", any(w.Whole)
	if w.motion.follows {
		scripts, function, how = scripts+motionScript, "savepageMotion.look", w.motion.how()
	}
	if unsure, _ := w.Network.Unsure(); unsure { // it will matter what the page looks like
		scripts, function = scripts+unfinishedScript, "savepageUnfinished.after("+function+")"
	}
	return session.Question{Script: scripts, Function: function, Args: []any{stall.Milliseconds(), w.token, w.Watch, how}}
}

// outdated reports whether another document has come since the page was asked: what was said then may be of the one before.
func outdated(w *Waiter) bool {
	documents, _ := w.Navigation.Been()
	return documents != w.document
}

// restless says how long it takes at least until the page has settled, from what it said last: nothing when it has.
func (w *Waiter) restless() (moved bool, rest time.Duration) {
	if w.Navigation.Leaving() || (!w.Navigation.Loaded() && !w.late) {
		return true, 0
	}
	if w.Network.Waiting() > 0 && !w.late {
		return false, calm
	}
	toCome := aheadOf(w).toCome()
	said := w.seen.Timers
	if toCome == 0 && !w.seen.Scripted && w.Network.Scripts() == 0 && !said.busy() { // the option js is a script, too
		return false, 0
	}
	still := min(w.Network.QuietAt(w.answered), said.silence(), milli(w.seen.Still))
	quiet := min(w.Network.QuietAt(w.looked), said.silence(), w.seen.Motion.quiet())
	if w.seen.Animated || w.seen.Driven { // who began the animation may clear up after it
		quiet = min(quiet, milli(w.seen.Still))
	}
	return false, max(0, said.calm()-still, said.missing(quiet), w.workers.atWork(said), toCome)
}

// silence waits for the network to be quiet for a while, and for the time that is missing at least. It does not wait
// longer than half a second, so that the page is asked again.
func (w *Waiter) silence(missing time.Duration) func() (bool, time.Duration) {
	from := time.Now()
	return func() (bool, time.Duration) {
		passed := time.Since(from)
		if w.Navigation.Leaving() || passed >= idle {
			return true, 0
		}
		if w.Network.Waiting() > 0 {
			return false, idle - passed
		}
		left := max(missing-passed, brief-w.Network.Quiet())
		return left <= 0, max(left, time.Millisecond)
	}
}

// lastQuiet is for how long the page is waited for at most that does not come to rest: longer where it shows that it waits for
// something itself.
func lastQuiet(w *Waiter) time.Duration {
	timeout := w.Budget.Timeout()
	if w.looks.Loading {
		return min(w.Budget.Scaled(12*time.Second), timeout*2/5)
	}
	return min(w.Budget.Scaled(8*time.Second), timeout/3)
}
