package page

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

const (
	calm     = 100 * time.Millisecond // without a change, after which a page with scripts counts as settled
	brief    = 60 * time.Millisecond  // the same, for a page that has no timer on
	idle     = 500 * time.Millisecond // without an open request, for networkidle
	mostFind = 2 * time.Second        // for an element of a page that is ready
)

// settle waits until the page is ready for the picture.
func (j *job) settle(ctx context.Context) error {
	if err := j.ready(ctx); err != nil {
		return err
	}
	if err := j.broken(); err != nil {
		return err
	}
	if err := j.clearBanners(ctx); err != nil {
		return err
	}
	if j.o.WaitForSelector != "" {
		if err := j.appear(ctx); err != nil {
			return err
		}
	}
	if err := j.act(ctx); err != nil {
		return err
	}
	if j.o.Delay > 0 {
		if err := j.delay(ctx); err != nil {
			return err
		}
	}
	if err := j.redress(ctx); err != nil {
		return err
	}
	return j.broken()
}

// ready waits for the moment that wait_until names.
func (j *job) ready(ctx context.Context) error {
	switch j.o.WaitUntil {
	case savepage.WaitDOMContentLoaded:
		j.awaiting = "the document to be parsed"
		return j.reach(ctx, func() bool { return j.w.nav.content })
	case savepage.WaitLoad:
		j.awaiting = "the load event"
		return j.reach(ctx, func() bool { return j.w.nav.loaded })
	case savepage.WaitNetworkIdle:
		return j.networkIdle(ctx)
	default:
		return j.settled(ctx)
	}
}

// reach waits for a moment of the current document, without a limit of its own, and asks how the page is.
func (j *job) reach(ctx context.Context, there func() bool) error {
	err := j.w.until(ctx, func() (bool, time.Duration) {
		return there() && !j.w.leaves(), calm
	})
	if err != nil {
		return err
	}
	return j.look(ctx, 0)
}

// leaves reports whether the main frame is on its way to another document. A navigation that was asked for and made no
// request is none: a mailto link, a download. The lock is held.
func (w *watch) leaves() bool {
	if !w.nav.leaving || w.quietFor() < idle {
		return w.nav.leaving
	}
	for _, r := range w.net.open {
		if r.url == w.nav.url {
			return true
		}
	}
	return false
}

func (j *job) networkIdle(ctx context.Context) error {
	j.awaiting = "the network to be idle"
	return j.reach(ctx, func() bool {
		return j.w.nav.loaded && j.w.waiting() == 0 && j.w.quietFor() >= idle
	})
}

// settled waits for the load event and then for quiet, again for each document that the page goes to. It ends early, and
// says so, when the page does not come to rest.
func (j *job) settled(ctx context.Context) error {
	for {
		if err := j.load(ctx); err != nil {
			return err
		}
		err := j.quiet(ctx)
		if !errors.Is(err, errMoved) {
			return err
		}
		if err := j.broken(); err != nil {
			return err
		}
	}
}

// load waits for the load event as long as something moves, but not longer than six tenths of the timeout.
func (j *job) load(ctx context.Context) error {
	j.awaiting = "the load event"
	timeout := milliseconds(j.o.Timeout)
	stall, last := min(j.scaled(8*time.Second), timeout/3), time.Now().Add(timeout*6/10)
	began, late := time.Now(), false
	err := j.w.until(ctx, func() (bool, time.Duration) {
		if j.w.nav.loaded && !j.w.leaves() {
			return true, 0
		}
		left := min(stall-min(j.w.quietFor(), time.Since(began)), time.Until(last))
		late = left <= 0
		return late, max(min(left, idle), time.Millisecond)
	})
	if late {
		j.late = true
	}
	return err
}

// usual is the timeout up to which a page is given the usual time.
const usual = 40 * time.Second

// scaled is a time that a page is given, longer with a long timeout: who gives it more time has cause to.
func (j *job) scaled(d time.Duration) time.Duration { return j.w.longer(d) }

// longer is the same for what the watch waits for.
func (w *watch) longer(d time.Duration) time.Duration {
	return max(d, time.Duration(float64(d)*w.timeout.Seconds()/usual.Seconds()))
}

// quiet waits until neither the document changes nor a request is open.
func (j *job) quiet(ctx context.Context) error {
	j.awaiting = "the page to settle"
	timeout := milliseconds(j.o.Timeout)
	stall, last := min(j.scaled(5*time.Second), timeout/4), time.Now().Add(min(j.scaled(8*time.Second), timeout/3))
	for began := time.Now(); ; {
		if err := j.askWorkers(ctx); err != nil {
			return err
		}
		if err := j.look(ctx, stall.Milliseconds()); err != nil {
			return err
		}
		moved, rest := j.restless()
		switch {
		case moved:
			return errMoved
		case rest == 0:
			j.noteLate()
			j.noteFonts()
			return nil
		case time.Now().After(last), j.stalled(began, stall):
			j.noteUnrest()
			return nil
		}
		if err := j.w.until(ctx, j.silence(rest)); err != nil {
			return err
		}
	}
}

// restless says how long it takes at least until the page has settled, from what it said last: nothing when it has.
func (j *job) restless() (moved bool, rest time.Duration) {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if j.w.leaves() || (!j.w.nav.loaded && !j.late) {
		return true, 0
	}
	if j.w.waiting() > 0 && !j.late {
		return false, calm
	}
	if !j.seen.Scripted && j.w.net.scripts == 0 {
		return false, 0
	}
	said := j.seen.Timers
	still := min(j.w.quietFor(), said.silence(), milli(j.seen.Still))
	quiet := min(j.w.quietAt(j.looked), said.silence())
	return false, max(0, said.calm()-still, said.missing(quiet, milli(j.seen.Moved)), j.w.atWork(said))
}

// silence waits for the network to be quiet for a while, and for the time that is missing at least. It does not wait
// longer than half a second, so that the page is asked again.
func (j *job) silence(missing time.Duration) func() (bool, time.Duration) {
	from := time.Now()
	return func() (bool, time.Duration) {
		passed := time.Since(from)
		if j.w.leaves() || passed >= idle {
			return true, 0
		}
		if j.w.waiting() > 0 {
			return false, idle - passed
		}
		left := max(missing-passed, brief-j.w.quietFor())
		return left <= 0, max(left, time.Millisecond)
	}
}

// stalled reports that requests are open and nothing has come of them for long.
func (j *job) stalled(began time.Time, stall time.Duration) bool {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	return j.w.waiting() > 0 && time.Since(began) >= stall && j.w.quietFor() >= stall && j.seen.Still >= float64(stall.Milliseconds())
}

// noteLate says that the load event did not come. The event itself may be lost: the document knows.
func (j *job) noteLate() {
	if j.late && j.seen.Ready != "complete" {
		j.partial("the load event did not come%s", j.w.openList())
	}
}

// noteUnrest says what kept the page from settling.
func (j *job) noteUnrest() {
	j.noteLate()
	switch open := j.w.openNames(3); {
	case j.late:
	case len(open) > 0:
		j.partial("requests did not end: %s", strings.Join(open, ", "))
	default:
		j.partial("the document did not stop changing")
	}
	j.noteFonts()
}

// noteFonts names the fonts that are in use and did not come.
func (j *job) noteFonts() {
	if !j.seen.Fonts {
		j.partial("fonts were not loaded: %s", clean(strings.Join(j.seen.Coming, ", "), 100))
	}
}

// appear waits until an element that matches wait_for_selector is visible.
func (j *job) appear(ctx context.Context) error {
	j.awaiting = "the selector " + quoted(j.o.WaitForSelector) + " to be visible"
	waited := 0
	for ; ; waited++ {
		found, err := j.find(ctx, j.o.WaitForSelector, j.searching(waited))
		if err != nil {
			return err
		}
		if found != nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if j.clock != nil {
			if err := j.pass(ctx, idle); err != nil {
				return err
			}
		}
	}
	if waited == 0 {
		return nil
	}
	if j.o.WaitUntil == savepage.WaitSettled {
		return j.settled(ctx) // what came with the element may load more
	}
	return j.look(ctx, 0)
}

// searching is how long the page itself looks for an element: not at all at first, nor where its time passes faster.
func (j *job) searching(waited int) time.Duration {
	if waited == 0 || j.clock != nil {
		return 0
	}
	return idle
}

func (j *job) delay(ctx context.Context) error {
	j.awaiting = "the delay"
	if j.clock != nil {
		if err := j.pass(ctx, milliseconds(j.o.Delay)); err != nil {
			return err
		}
		return j.look(ctx, 0)
	}
	timer := time.NewTimer(milliseconds(j.o.Delay))
	defer timer.Stop()
	select {
	case <-timer.C:
		return j.look(ctx, 0)
	case <-ctx.Done():
		return ctx.Err()
	}
}
