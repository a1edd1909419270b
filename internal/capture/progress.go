package capture

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

// Phase is a part of a render. They come in this order, and some may be left out.
type Phase string

// The phases.
const (
	PhaseNavigate Phase = "navigate" // until the page's document begins to come
	PhaseSettle   Phase = "settle"   // until the page is ready
	PhaseShoot    Phase = "shoot"    // the browser draws
	PhaseEncode   Phase = "encode"   // the picture is joined, looked at, encoded
	PhaseStore    Phase = "store"    // the picture is made durable
)

// StepKind is what happened.
type StepKind string

// The kinds of steps.
const (
	StepStarted StepKind = "started" // a worker has taken the capture
	StepPhase   StepKind = "phase"   // a part of the render has begun
	StepRetried StepKind = "retried" // it was given back and will be taken again
)

// Step is one thing that happened to a capture on its way.
type Step struct {
	Seq     int // Steps of a capture ascend by it, over restarts too
	Kind    StepKind
	Attempt int
	Phase   Phase         // of StepPhase
	Code    savepage.Code // of StepRetried: why
	At      time.Time
}

// Positions of a step within its attempt. A Step's Seq is ten times the attempt plus the position, so that it needs no memory.
const (
	stepQueuedAt  = 1 // of attempt 0
	stepStartedAt = 1
	stepRetriedAt = 7
	stepDoneAt    = 9
)

// SeqQueued is the Seq of a capture's acceptance.
const SeqQueued = stepQueuedAt

// SeqStarted is the Seq of an attempt's beginning.
func SeqStarted(attempt int) int { return attempt*10 + stepStartedAt }

// SeqRetried is the Seq of the step in which an attempt was given back.
func SeqRetried(attempt int) int { return attempt*10 + stepRetriedAt }

// SeqDone is the Seq of the end of a capture that had so many attempts.
func SeqDone(attempt int) int { return attempt*10 + stepDoneAt }

func seqOf(attempt int, p Phase) int {
	for i, one := range []Phase{PhaseNavigate, PhaseSettle, PhaseShoot, PhaseEncode, PhaseStore} {
		if one == p {
			return attempt*10 + stepStartedAt + 1 + i
		}
	}
	return 0
}

// Progress gets the steps of captures for those who watch. Its methods must not block. The steps are not kept:
// the ledger alone says what state a capture is in.
type Progress interface {
	// Begin says that a worker has taken the capture, and End that it lets go of it, in whatever state.
	Begin(id string)
	Step(id string, s Step)
	End(id string)
}

// Feed is the steps of one capture for one reader.
type Feed struct {
	Changed <-chan struct{}  // gets a value after something has happened; several that are not taken are one
	Since   func(int) []Step // what has happened after a Seq, oldest first
	Leave   func()           // must be called when nobody reads any more
}

// noProgress is a Progress that nobody watches.
type noProgress struct{}

func (noProgress) Begin(string)      {}
func (noProgress) Step(string, Step) {}
func (noProgress) End(string)        {}

// tracker reports the steps of one attempt. A nil one reports nothing.
type tracker struct {
	to      Progress
	clock   *clock.Clock
	id      string
	attempt int
	begin   func()      // called at the first phase; nil for nothing
	phase   func(Phase) // called at each, and with none at the end of the last; nil for nothing
}

type trackerKey struct{}

// track reports the steps of an attempt. Report reports those of the work that has the returned context; the function must
// be called at the end.
func (s *Service) track(ctx context.Context, c savepage.Capture) (context.Context, func()) {
	t := &tracker{to: s.progress, clock: s.clock, id: c.ID, attempt: c.Attempt, phase: s.spans.phases(ctx)}
	t.to.Begin(c.ID)
	t.report(Step{Seq: SeqStarted(c.Attempt), Kind: StepStarted})
	return context.WithValue(ctx, trackerKey{}, t), func() { t.over(); t.to.End(c.ID) }
}

func trackerOf(ctx context.Context) *tracker {
	t, _ := ctx.Value(trackerKey{}).(*tracker)
	return t
}

func (t *tracker) report(s Step) {
	if t == nil {
		return
	}
	s.Attempt, s.At = t.attempt, t.clock.Now()
	t.to.Step(t.id, s)
}

// onBegin has fn called once when the first phase begins.
func (t *tracker) onBegin(fn func()) {
	if t != nil {
		t.begin = fn
	}
}

// over says that the last phase has ended.
func (t *tracker) over() {
	if t != nil && t.phase != nil {
		t.phase("")
	}
}

// Report says that a phase of the render under way in ctx has begun. It never blocks. Without a capture behind ctx, as
// on the command line, nobody gets it.
func Report(ctx context.Context, p Phase) {
	if t := trackerOf(ctx); t != nil {
		if t.begin != nil {
			t.begin()
			t.begin = nil
		}
		if t.phase != nil {
			t.phase(p)
		}
		t.report(Step{Seq: seqOf(t.attempt, p), Kind: StepPhase, Phase: p})
	}
}
