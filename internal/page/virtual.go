package page

import (
	"context"
	"crypto/rand"
	_ "embed" // for the script
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
)

//go:embed virtual.js
var virtualScript string

const (
	leap      = 250 * time.Millisecond // of the page's time between two frames
	beat      = 16 * time.Millisecond  // of the page's time at once, when it goes as the real one does
	frameWait = 100 * time.Millisecond // for a frame: one may never come while the page's clock stands
)

// clock is the page's own, once it is no longer the real one.
type clock struct {
	token   string // by which documents are told
	started bool
	lasting bool          // something is open that need not end
	expired chan struct{} // holds a token when the time that was given has passed
	going   chan struct{} // closed when the clock is to stand; nil while it does
	beats   sync.WaitGroup
}

// ownTime prepares new documents for a clock of their own.
func (j *job) ownTime() {
	if j.o.Time != savepage.TimeVirtual {
		return
	}
	j.clock = &clock{token: rand.Text(), expired: make(chan struct{}, 1)}
	j.w.expired = j.clock.budgetExpired
	j.send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(%q)", virtualScript, j.clock.token),
	})
}

// budgetExpired hears that the time that was given to the page has passed. The lock is held.
func (c *clock) budgetExpired() {
	select {
	case c.expired <- struct{}{}:
	default:
	}
}

// pass lets time go by for the page: as fast as it can work, but waiting for what it asks of the network, and never longer
// than the same time takes on a real clock. Frames come now and then, and animations are moved on by what has passed.
func (j *job) pass(ctx context.Context, d time.Duration) error {
	c := j.clock
	c.stand()
	if !c.started {
		c.started = true
		if err := j.call(ctx, 0, nil, freezeScript+"savepageStill.virtual", []any{c.token}); err != nil {
			return err
		}
	}
	last := time.Now().Add(d)
	for passed, then := time.Duration(0), j.pageTime(ctx); passed < d; {
		began := time.Now()
		if err := j.give(ctx, min(leap, d-passed), last); err != nil {
			return err
		}
		now := j.pageTime(ctx)
		step := max(0, now-then) // a new document begins anew
		then, passed = now, passed+step
		if err := j.frameComes(ctx, step, began); err != nil {
			return err
		}
	}
	j.goOn()
	return nil
}

// pageTime is the time of the current document, since it began. What was given to the page and what has passed for it may
// differ: a budget that is renewed before its end ends twice.
func (j *job) pageTime(ctx context.Context) time.Duration {
	var now float64
	if j.evaluate(ctx, 0, "performance.now()", &now) != nil {
		return 0
	}
	return milli(now)
}

// give gives the page some time and waits until it has passed.
func (j *job) give(ctx context.Context, d time.Duration, last time.Time) error {
	c := j.clock
	select {
	case <-c.expired:
	default:
	}
	policy, began := emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, time.Now()
	if c.lasting && j.nothingComes(0) {
		policy = emulation.VirtualTimePolicyAdvance
	}
	j.s.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: new(ms(d))})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.expired:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		// What stays open, as an event source does, or does not come in time is not waited for.
		open := time.Since(began) > 5*beat && j.nothingComes(5*beat)
		c.lasting = c.lasting || open
		if policy != emulation.VirtualTimePolicyAdvance && (open || time.Now().After(last)) {
			policy = emulation.VirtualTimePolicyAdvance
			j.s.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: new(ms(d))})
		}
	}
}

// nothingComes reports that no request is open that ends, and that the network has been quiet for a while.
func (j *job) nothingComes(quiet time.Duration) bool {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	return j.w.waiting() == 0 && j.w.quietFor() >= quiet
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// frameComes moves the page's animations on and lets a frame be drawn: observers and the ends of animations come with it.
func (j *job) frameComes(ctx context.Context, step time.Duration, began time.Time) error {
	limited, stop := context.WithTimeout(ctx, frameWait)
	defer stop()
	_ = j.call(limited, 0, nil, freezeScript+"savepageStill.move", []any{max(0, ms(step-time.Since(began)))})
	return ctx.Err()
}

// goOn has the page's clock go as the real one does: scripts of ours wait by it, and a picture may never come while it stands.
func (j *job) goOn() {
	c := j.clock
	c.going = make(chan struct{})
	c.beats.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			j.s.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyAdvance, Budget: new(ms(beat))})
			select {
			case <-tick.C:
			case <-c.going:
				return
			case <-j.watched:
				return
			}
		}
	})
}

// stand lets the clock stand.
func (c *clock) stand() {
	if c != nil && c.going != nil {
		close(c.going)
		c.beats.Wait()
		c.going = nil
	}
}
