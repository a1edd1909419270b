package browser

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"

	wire "github.com/savepage/savepage/internal/cdp"
)

// How long a browser may take before it counts as dead.
const (
	startWithin   = 30 * time.Second // its first answer
	openWithin    = 15 * time.Second // a new context with its page
	disposeWithin = 15 * time.Second // the end of a context
	answerWithin  = 3 * time.Second  // the simplest question
)

// chromium is one running browser.
type chromium struct {
	process *process
	born    time.Time
	lost    chan struct{}   // closed when it has died
	work    chan struct{}   // holds a token when a tab was taken: the watch begins
	watched []chan struct{} // all that get such a token, work too; complete before a tab is taken
	vitals  *vitals
	version Version
	program program

	overfull atomic.Bool // a page's process was killed for the memory that it, or the browser, held

	mu       sync.Mutex
	tabs     map[target.SessionID]*Tab
	expected map[cdp.BrowserContextID]chan target.SessionID // pages that are being made, by their contexts

	// Guarded by the pool's lock.
	live    int       // tabs that are made or being made
	inUse   int       // tabs that are taken
	taken   int       // tabs that were ever taken
	served  int       // tabs that were given back while it lived
	moved   time.Time // when a tab was last given back
	well    time.Time // when a picture was last made, or the only tab taken
	failed  int       // tabs in a row that could not be made
	retired string    // why it is to be replaced; empty while it is not
	ending  string    // why it is to end with its last tab; empty while it is not
}

func (b *chromium) conn() *wire.Conn { return b.process.conn }

// startChromium starts a browser and waits for its first answer.
func startChromium(ctx context.Context, path string, cfg Config, log *slog.Logger) (*chromium, error) {
	p, err := startProcess(path, cfg, log) //nolint:contextcheck // it outlives the call; to listen in its namespace does not wait
	if err != nil {
		return nil, err
	}
	b := &chromium{
		process: p,
		born:    time.Now(),
		lost:    make(chan struct{}),
		work:    make(chan struct{}, 1),
		tabs:    make(map[target.SessionID]*Tab),

		expected: make(map[cdp.BrowserContextID]chan target.SessionID),
	}
	b.watched = append(b.watched, b.work)
	b.vitals = newVitals(b, log)
	b.conn().Browser().Listen(b.detached)
	b.conn().Browser().Listen(b.attached)
	b.conn().Browser().Send(target.CommandSetAutoAttach, target.SetAutoAttachParams{
		AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true), Filter: target.Filter{{Type: "page"}},
	})
	if cfg.alone {
		b.conn().Browser().Listen(b.ended)
		b.conn().Browser().Send(target.CommandSetDiscoverTargets, target.SetDiscoverTargetsParams{Discover: true})
	}
	if b.version, err = b.answer(ctx, startWithin); err != nil {
		b.stop()
		return nil, p.explain(path, err)
	}
	return b, nil
}

// answer asks for the browser's version.
func (b *chromium) answer(ctx context.Context, within time.Duration) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	is, err := wire.Call(ctx, b.conn().Browser(), browser.GetVersion, cdp.Empty{})
	if err != nil {
		return Version{}, err
	}
	return Version{Product: is.Product, UserAgent: is.UserAgent}, nil
}

// answers reports whether a browser is alive that failed to do something before ctx ended.
func (b *chromium) answers(ctx context.Context) bool {
	_, err := b.answer(context.WithoutCancel(ctx), answerWithin)
	return err == nil
}

// stop ends a browser and waits until nothing of it is left.
func (b *chromium) stop() {
	b.process.kill()
	<-b.process.done
	_ = b.conn().Close()
}

// awaitLoss closes lost when the browser has died, however that came about.
func (b *chromium) awaitLoss() {
	select {
	case <-b.conn().Done():
	case <-b.process.done:
	}
	close(b.lost)
}

// checkSandbox looks whether the browser's pages run under a seccomp filter of Chromium's own, besides those that a
// container puts everything under. A page must be open.
func (b *chromium) checkSandbox(path string) error {
	outside := filters(b.process.pid)
	confined := func(pid int) bool { return isRenderer(pid) && filters(pid) > outside }
	if slices.ContainsFunc(groupMembers(b.process.pid), confined) {
		return nil
	}
	return noSandbox(path, "its pages run without a seccomp filter of their own")
}

// due returns why the browser is to be replaced, empty if it is not. The pool is locked.
func (b *chromium) due(cfg Config) string {
	switch {
	case b.taken >= cfg.RecycleAfter:
		return "number of captures"
	case b.taken > 0 && time.Since(b.born) >= cfg.RecycleAge:
		return "age"
	default:
		return b.retired
	}
}

// lastUsed is when it ceased to be used, or was started. The pool is locked.
func (b *chromium) lastUsed() time.Time {
	if b.moved.After(b.born) {
		return b.moved
	}
	return b.born
}

// endIfIdle ends a browser that was replaced and has no tab left. The pool is locked.
func (b *chromium) endIfIdle() {
	if b.ending != "" && b.live == 0 {
		b.process.kill()
	}
}

// isLost reports whether the browser's pipe has ended, which an open call learns before lost is closed.
func (b *chromium) isLost() bool {
	select {
	case <-b.conn().Done():
		return true
	default:
		return false
	}
}

func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
