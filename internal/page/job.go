package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
)

// job is one render in one tab.
type job struct {
	cfg Config
	o   savepage.Options
	to  where
	tab *browser.Tab
	s   *cdp.Session
	w   *watch

	lists        func() (*blocklist.Lists, error)
	consentRules func() (*consent.Rules, error)
	banners      *banners // nil: they may stay

	cancel  context.CancelCauseFunc
	watched chan struct{} // closed when the watch for the tab's end has ended

	worlds   map[int]runtime.ExecutionContextID // by the number of the document
	prepared []*cdp.Pending                     // commands whose answers were not looked at yet
	arrived  bool                               // the document has come
	awaiting string                             // what a timeout says was awaited
	reasons  []string                           // why the picture is partial
	cut      bool                               // the page is taller than the picture
	late     bool                               // the load event was not waited for any longer
	began    time.Time                          // of the render
	hasty    bool                               // the time to become ready is over: the page is shown as it is
	muted    bool                               // its scripts are switched off: it can not be asked any more
	silenced chan struct{}                      // closed when they are off, or the render has ended; nil when not muted
	blank    bool
	seen     look      // what the page last said of itself
	looked   time.Time // when it was asked for that
	fonts    savepage.FontReport
	clock    *clock // nil: the real one
	token    string // by which the page is asked for its timers

	out           *spool   // of tiles
	large         *os.File // the picture, when it is too large to be held
	bytes         []byte
	width, height int
	pages         int // of a pdf
	phases        savepage.Phases
}

// errTimeout is the cause of a context that ended with the render's own timeout.
var errTimeout = errors.New("render timeout")

// newJob starts the clock of the render. The returned context ends with the timeout, when the renderer or the browser
// dies, and when the page does what no page may; its cause says which. end must be called.
func newJob(ctx context.Context, cfg Config, o savepage.Options, to where, tab *browser.Tab) (*job, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	j := &job{cfg: cfg, o: o, to: to, tab: tab, s: tab.Session(), began: time.Now(), cancel: cancel, watched: make(chan struct{}), worlds: map[int]runtime.ExecutionContextID{}}
	j.w = newWatch(tab, to, milliseconds(o.Timeout), cancel)
	j.s.Listen(j.w.hearing(j.w.handlers))
	go j.watchTab(ctx)
	return j, ctx
}

// watchTab ends the render with the tab or with the timeout.
func (j *job) watchTab(ctx context.Context) {
	defer close(j.watched)
	timeout := time.NewTimer(j.limit())
	defer timeout.Stop()
	select {
	case <-j.tab.Lost():
		j.cancel(errLost())
	case <-j.tab.Crashed():
		j.cancel(j.died())
	case <-timeout.C:
		j.cancel(errTimeout)
	case <-ctx.Done():
	}
}

// died tells the end of a renderer from the end of its browser, which also ends the renderer.
func (j *job) died() error {
	select {
	case <-j.tab.Lost():
		return errLost()
	default:
		return savepage.Errorf(savepage.CodePageCrashed, "the page ended its renderer, mostly by using too much memory")
	}
}

func errLost() error {
	return savepage.Errorf(savepage.CodeBrowserLost, "the browser ended while it rendered the page")
}

func (j *job) end() {
	j.cancel(context.Canceled)
	<-j.watched
	if j.silenced != nil {
		<-j.silenced
	}
	j.clock.stand()
	j.out.drop()
	if j.banners != nil {
		j.banners.end()
	}
	j.w.asks.end()
}

// run is the whole render.
func (j *job) run(ctx context.Context) error {
	steps := []struct {
		name  capture.Phase
		do    func(context.Context) error
		phase *int64
	}{
		{capture.PhaseNavigate, func(ctx context.Context) error { return j.within(ctx, j.prepare) }, &j.phases.Navigate},
		{capture.PhaseNavigate, func(ctx context.Context) error { return j.within(ctx, j.navigate) }, &j.phases.Navigate},
		{capture.PhaseSettle, func(ctx context.Context) error { _, err := j.inTime(ctx, j.settle); return err }, &j.phases.Settle},
		{capture.PhaseSettle, j.judge, &j.phases.Settle},
		{capture.PhaseShoot, j.shoot, &j.phases.Shoot},
		{capture.PhaseShoot, j.judge, &j.phases.Shoot},
	}
	for _, step := range steps {
		capture.Report(ctx, step.name)
		began := time.Now()
		err := step.do(ctx)
		*step.phase += time.Since(began).Milliseconds()
		if err != nil {
			return err
		}
	}
	// What was joined and looked at while the browser was idle is no part of the shot.
	j.phases.Shoot = max(0, j.phases.Shoot-j.phases.Encode)
	return nil
}

// partial notes why the picture lacks something.
func (j *job) partial(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if !slices.Contains(j.reasons, reason) {
		j.reasons = append(j.reasons, reason)
	}
}

// explain turns the error that ended the render into what a client may be told.
func (j *job) explain(ctx context.Context, err error) error {
	var told *savepage.Error
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &told):
		return told
	case errors.Is(cause, errTimeout):
		return j.timedOut()
	case cause != nil:
		return cause
	case errors.As(err, &told):
		return told
	case errors.Is(err, errMuted):
		return j.timedOut()
	case errors.Is(err, cdp.ErrClosed):
		return j.closed()
	default:
		return fmt.Errorf("%s: %w", j.awaiting, err)
	}
}

// closed says why the session ended. The tab's own word comes in the same moment.
func (j *job) closed() error {
	select {
	case <-j.tab.Lost():
	case <-j.tab.Crashed():
		return j.died()
	case <-time.After(time.Second):
	}
	return errLost()
}

// timedOut names what was awaited.
func (j *job) timedOut() error {
	limit := milliseconds(j.o.Timeout)
	if j.awaiting == document {
		return savepage.Errorf(savepage.CodeNavigationTimeout, "%s did not answer within %v", named(j.w.mainURL()), limit)
	}
	return savepage.Errorf(savepage.CodeRenderTimeout, "the picture was not done within %v: still waiting for %s%s", limit, j.awaiting, j.w.openList())
}
