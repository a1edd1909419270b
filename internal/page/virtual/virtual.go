// Package virtual gives a page a clock of its own: time passes for it as fast as it can work, but not while it waits for
// the network. It owns the clock's state; animations and what is under way are asked of others.
package virtual

import (
	"context"
	"crypto/rand"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage/internal/page/session"
)

//go:embed virtual.js
var virtualScript string

const (
	leap      = 250 * time.Millisecond // of the page's time between two frames
	beat      = 16 * time.Millisecond  // of the page's time at once, when it goes as the real one does
	frameWait = 100 * time.Millisecond // for a frame: one may never come while the page's clock stands
)

// Page evaluates an expression beside the current document.
type Page interface {
	Evaluate(ctx context.Context, slack time.Duration, into any, expression string) error
}

// Motion is the page's animations.
type Motion interface {
	// Virtual sends an event of the given name to the page's documents.
	Virtual(ctx context.Context, event string) error
	// Move moves the animations on by milliseconds and waits for a frame.
	Move(ctx context.Context, ms float64) error
}

// Network says what is under way.
type Network interface {
	Waiting() int         // open requests that end
	Quiet() time.Duration // since the last event of one
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	To      session.Sender
	Events  *session.Router
	Page    Page
	Motion  Motion
	Network Network
}

// Clock is the page's own, once it is no longer the real one. Its methods are for the goroutine of the render.
type Clock struct {
	Config

	token   string // by which documents are told
	started bool
	lasting bool          // something is open that need not end
	expired chan struct{} // holds a token when the time that was given has passed
	going   chan struct{} // closed when the clock is to stand; nil while it does
	beats   sync.WaitGroup
}

// New prepares new documents for a clock of their own; send sends a command to the page. It comes before the script that
// notes timers: the frames that this one asks for are then not noted. Close must be called.
func New(config Config, send func(method string, params any)) *Clock {
	c := &Clock{Config: config, token: rand.Text(), expired: make(chan struct{}, 1)}
	c.Events.On(session.Main, "Emulation.virtualTimeBudgetExpired", c.budgetExpired)
	send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(%q)", virtualScript, c.token),
	})
	return c
}

// Started reports whether the page's clock is no longer the real one.
func (c *Clock) Started() bool { return c.started }

// budgetExpired notes that the time that was given to the page has passed.
func (c *Clock) budgetExpired(*session.Target, json.RawMessage) {
	select {
	case c.expired <- struct{}{}:
	default:
	}
}

// Pass lets time go by for the page: as fast as it can work, but waiting for what it asks of the network, and never longer
// than the same time takes on a real clock. Frames come now and then, and animations are moved on by what has passed.
func (c *Clock) Pass(ctx context.Context, d time.Duration) error {
	c.stand()
	if !c.started {
		c.started = true
		if err := c.Motion.Virtual(ctx, c.token); err != nil {
			return err
		}
	}
	last := time.Now().Add(d)
	for passed, then := time.Duration(0), c.pageTime(ctx); passed < d; {
		began := time.Now()
		if err := c.give(ctx, min(leap, d-passed), last); err != nil {
			return err
		}
		now := c.pageTime(ctx)
		step := max(0, now-then) // a new document begins anew
		then, passed = now, passed+step
		if err := c.frameComes(ctx, step, began); err != nil {
			return err
		}
	}
	c.goOn()
	return nil
}

// pageTime is the time of the current document, since it began. What was given to the page and what has passed for it may
// differ: a budget that is renewed before its end ends twice.
func (c *Clock) pageTime(ctx context.Context) time.Duration {
	var now float64
	if c.Page.Evaluate(ctx, 0, &now, "performance.now()") != nil {
		return 0
	}
	return time.Duration(now * float64(time.Millisecond))
}

// give gives the page some time and waits until it has passed.
func (c *Clock) give(ctx context.Context, d time.Duration, last time.Time) error {
	select {
	case <-c.expired:
	default:
	}
	policy, began := emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, time.Now()
	if c.lasting && c.nothingComes(0) {
		policy = emulation.VirtualTimePolicyAdvance
	}
	c.To.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: new(ms(d))})
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
		open := time.Since(began) > 5*beat && c.nothingComes(5*beat)
		c.lasting = c.lasting || open
		if policy != emulation.VirtualTimePolicyAdvance && (open || time.Now().After(last)) {
			policy = emulation.VirtualTimePolicyAdvance
			c.To.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: new(ms(d))})
		}
	}
}

// nothingComes reports that no request is open that ends, and that the network has been quiet for a while.
func (c *Clock) nothingComes(quiet time.Duration) bool {
	return c.Network.Waiting() == 0 && c.Network.Quiet() >= quiet
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// frameComes moves the page's animations on and lets a frame be drawn: observers and the ends of animations come with it.
func (c *Clock) frameComes(ctx context.Context, step time.Duration, began time.Time) error {
	limited, stop := context.WithTimeout(ctx, frameWait)
	defer stop()
	_ = c.Motion.Move(limited, max(0, ms(step-time.Since(began))))
	return ctx.Err()
}

// goOn has the page's clock go as the real one does: scripts of the render wait by it, and a picture may never come while it stands.
func (c *Clock) goOn() {
	going := make(chan struct{})
	c.going = going
	c.beats.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			c.To.Send(emulation.CommandSetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
				Policy: emulation.VirtualTimePolicyAdvance, Budget: new(ms(beat)),
			})
			select {
			case <-tick.C:
			case <-going:
				return
			}
		}
	})
}

// Close ends with the render. The clock may be nil.
func (c *Clock) Close() {
	if c != nil {
		c.stand()
	}
}

// stand lets the clock stand.
func (c *Clock) stand() {
	if c.going != nil {
		close(c.going)
		c.beats.Wait()
		c.going = nil
	}
}
