package page

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/shot"
)

// job is one render in one tab.
type job struct {
	*parts
	setup   *setup
	frame   *frame
	actions *actions
	reader  *reader

	cancel  context.CancelCauseFunc
	watched chan struct{} // closed when the watch for the tab's end has ended

	phase   capture.Phase // that was begun last
	spent   map[capture.Phase]time.Duration
	arrived bool // the document has come
	fonts   savepage.FontReport
	picture shot.Picture
	pages   int // of a pdf
}

// errTimeout is the cause of a context that ended with the render's own timeout.
var errTimeout = errors.New("render timeout")

// newJob starts the clock of the render. The returned context ends with the timeout, when the renderer or the browser
// dies, and when the page does what no page may; its cause says which. end must be called.
func newJob(ctx context.Context, r *Renderer, o savepage.Options, to address.Page, tab *browser.Tab) (*job, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := newParts(kit{o: o, to: to, tab: tab, page: &session.Target{Session: r.session(tab)}, cfg: r.cfg}, cancel)
	j := &job{
		parts: p, setup: newSetup(p, r), frame: &frame{parts: p}, actions: &actions{p}, reader: &reader{parts: p},
		spent: map[capture.Phase]time.Duration{}, cancel: cancel, watched: make(chan struct{}),
	}
	bound(tab.Session())
	j.events.Listen(j.page)
	go j.watchTab(ctx)
	return j, ctx
}

// watchTab ends the render with the tab or with the timeout.
func (j *job) watchTab(ctx context.Context) {
	defer close(j.watched)
	timeout := time.NewTimer(j.budget.Limit())
	defer timeout.Stop()
	select {
	case <-j.tab.Lost():
		j.cancel(errLost())
	case <-j.tab.Crashed():
		j.cancel(died(j.tab))
	case <-j.page.Done():
		if err := excess(j.tab.Session().Err()); err != nil {
			j.cancel(err)
		} else {
			j.cancel(closed(j.tab))
		}
	case <-timeout.C:
		j.cancel(errTimeout)
	case <-ctx.Done():
	}
}

// end ends everything that was begun for the render, and gives the tab back.
func (j *job) end() {
	j.cancel(context.Canceled)
	<-j.watched
	j.beside.Close()
	j.clock.Close()
	j.camera.Close()
	j.printer.Close()
	j.banners.Close()
	j.targets.Close()
	j.tab.Close()
}

// explain turns the error that ended the render into what a client may be told. In a sick browser no page is to blame, nor
// for the time that the others on it took.
func (j *job) explain(ctx context.Context, err error) error {
	err = j.reason(ctx, err)
	told, is := errors.AsType[*savepage.Error](err)
	switch {
	case !is:
		return err
	case told.Code == savepage.CodeBrowserLost, !j.tab.Sound(), isTimeout(told.Code) && j.kept():
	case excess(j.tab.Session().Err()) != nil, told.Code == savepage.CodePageCrashed && j.tab.EndedItself():
		return errors.Join(err, capture.ErrCrashed)
	default:
		return err
	}
	if told.Code != savepage.CodeBrowserLost {
		err = errLost()
	}
	if j.tab.Broke() {
		err = errors.Join(err, capture.ErrCrashed)
	}
	return err
}

func isTimeout(code savepage.Code) bool {
	return code == savepage.CodeRenderTimeout || code == savepage.CodeNavigationTimeout
}

// kept reports that the browser has kept the page waiting for half of its time.
func (j *job) kept() bool { return j.tab.KeptWaiting() >= j.budget.Timeout()/2 }

// sound ends the render when a process of the browser has died meanwhile, or the page did not get its time: what is missing
// from the picture cannot be known.
func (j *job) sound(context.Context) error {
	if !j.tab.Sound() || j.budget.PastDeadline() && j.kept() {
		return errLost()
	}
	return nil
}

func (j *job) reason(ctx context.Context, err error) error {
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
	case excess(err) != nil:
		return excess(err)
	case errors.Is(err, session.ErrDisabled):
		return j.timedOut()
	case errors.Is(err, cdp.ErrClosed):
		return closed(j.tab)
	default:
		return fmt.Errorf("%s: %w", j.notes.Awaiting(), err)
	}
}

// timedOut names what was awaited.
func (j *job) timedOut() error {
	limit := savepage.Milliseconds(j.o.Timeout)
	awaiting := j.notes.Awaiting()
	if awaiting == document {
		return savepage.Errorf(savepage.CodeNavigationTimeout, "%s did not answer within %v", address.Named(j.main.URL()), limit)
	}
	return savepage.Errorf(savepage.CodeRenderTimeout,
		"the picture was not done within %v: still waiting for %s%s", limit, awaiting, j.waiter.OpenList())
}
