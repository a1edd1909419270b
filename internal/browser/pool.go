package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// Pool hands out tabs, at most Config.Pages at once. It is safe for use by several goroutines.
type Pool struct {
	launcher
	life

	slots  chan struct{} // one element for each tab that is taken
	keeper *keeper
	aside  *aside // nil in the pool of one of its browsers

	mu       sync.Mutex
	closed   bool
	current  *chromium // nil while there is none
	browsers []*chromium
	ready    []*Tab // made ahead, oldest first
	waiting  queue
	making   int  // tabs under way in the current browser
	lull     lull // after which tabs are made ahead
	restarts int
	asleep   bool // there is no browser because none is needed
	served   bool // the browser that died last had been of use
}

// Stats are the numbers of a pool.
type Stats struct {
	Browsers int // running, those that drain, whose pictures move or that have one page included
	Pages    int // slots in all
	InUse    int // tabs that are taken
	Warm     int // tabs that are ready to be taken
	Waiting  int // callers that have a slot and wait for a tab
	Restarts int // browsers started after the first one, because it died or was replaced
}

// Start prepares a pool and starts its first browser. The context bounds the start only. The caller closes the pool.
func Start(ctx context.Context, cfg Config, policy *guard.Policy, log *slog.Logger) (*Pool, error) {
	p, first, err := Prepare(cfg, policy, log)
	if err != nil {
		return nil, err
	}
	if err := first(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Prepare makes a pool without a browser, and first, which starts one, opens a page in it and, unless the sandbox is Off, makes
// sure that the page is confined. Nobody takes a page before that. The errors name the remedy; they wrap ErrNotFound or
// ErrSandbox when these are the cause. The caller closes the pool.
func Prepare(cfg Config, policy *guard.Policy, log *slog.Logger) (p *Pool, first func(context.Context) error, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, nil, fmt.Errorf("browser settings: %w", err)
	}
	if err := checkFiles(); err != nil {
		return nil, nil, err
	}
	path, err := locate(cfg.Path)
	if err != nil {
		return nil, nil, err
	}
	sweep(cfg.TempDir, log)
	from := launcher{path: path, cfg: cfg, policy: policy, log: log, belts: &Belts{}, replaced: &journal{}, agents: &agents{}}
	p = newPool(from, make(chan struct{}, cfg.Pages))
	p.aside = newAside(p.launcher, p.slots)
	return p, func(ctx context.Context) error {
		if err := launchFirst(ctx, p); err != nil {
			p.work.Wait()
			return err
		}
		p.work.Go(p.keeper.keep)
		return nil
	}, nil
}

// newPool is a pool without a browser.
func newPool(from launcher, slots chan struct{}) *Pool {
	p := &Pool{launcher: from, life: life{closing: make(chan struct{})}, slots: slots}
	p.keeper = &keeper{pool: p, wake: make(chan struct{}, 1)}
	return p
}

func locate(given string) (string, error) {
	if given == "" {
		path, _, err := Find()
		return path, err
	}
	path, err := resolve(given)
	if err != nil {
		return "", fmt.Errorf("SAVEPAGE_BROWSER is %q: %w", given, err)
	}
	return path, nil
}

// Take waits for a free slot, in the order of the calls, and returns a tab: a page that was not used before, in a context
// of its own. A warm one is returned without asking the browser anything. The error is the context's, or *savepage.Error:
// CodeBrowserLost when no browser can be had, CodeShuttingDown after Close.
func (p *Pool) Take(ctx context.Context) (*Tab, error) { return p.TakeAt(ctx, "") }

// TakeAt is Take for a page that is to show an address, empty for any. Where no tab is ready, its page may be held (Tab.Held).
func (p *Pool) TakeAt(ctx context.Context, url string) (*Tab, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a page: %w", ctx.Err())
	case <-p.closing:
		return nil, errClosed()
	}
	if t := p.hold(ctx, url); t != nil {
		return t, nil
	}
	t, err := p.acquire(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return t, nil
}

// TakeMoving is Take for a page on which GIF, APNG, WebP and SVG pictures move. Its browser is started when it is needed
// and ends when it was not used for a while.
func (p *Pool) TakeMoving(ctx context.Context) (*Tab, error) { return p.aside.takeMoving(ctx) }

// TakeApart is Take for a page in a browser of its own, which ends with it. moving is whether pictures move on it.
func (p *Pool) TakeApart(ctx context.Context, moving bool) (*Tab, error) {
	return p.aside.takeAlone(ctx, moving)
}

// hold makes a page at its address where none is ready. It returns nil where there is another way.
func (p *Pool) hold(ctx context.Context, url string) *Tab {
	p.mu.Lock()
	b := p.current
	if b == nil || url == "" || p.closed || len(p.ready)+len(p.waiting) > 0 {
		p.mu.Unlock()
		return nil
	}
	b.live++
	ctx, cancel := p.bound(ctx, openWithin) // before Close, which waits for it
	defer cancel()
	p.mu.Unlock()
	return maker{p, b}.hold(ctx, url)
}

func errClosed() error {
	return savepage.Errorf(savepage.CodeShuttingDown, "the browser is being stopped")
}

func (p *Pool) acquire(ctx context.Context) (*Tab, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed()
	}
	if t := p.pop(); t != nil {
		p.took(t)
		if len(p.ready) == 0 { // otherwise when one is given back: to make one now would take the browser from this one
			p.fill()
		}
		p.mu.Unlock()
		return t, nil
	}
	wait := p.waiting.join()
	p.fill()
	p.mu.Unlock()
	select {
	case o := <-wait:
		return o.tab, o.err
	case <-ctx.Done():
		p.withdraw(wait)
		return nil, fmt.Errorf("wait for a page: %w", ctx.Err())
	}
}

// release gives back the slot of a tab and disposes of it.
func (p *Pool) release(t *Tab) {
	p.mu.Lock()
	t.browser.inUse--
	t.browser.moved = time.Now()
	if !t.browser.isLost() {
		t.browser.served++
	}
	if len(p.waiting) > 0 {
		p.fill()
	}
	p.lull.await(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fill()
	})
	p.discard(t)
	p.mu.Unlock()
	<-p.slots
}

// Stats returns the pool's numbers.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Browsers: len(p.browsers),
		Pages:    p.cfg.Pages,
		InUse:    len(p.slots),
		Warm:     len(p.ready),
		Waiting:  len(p.waiting),
		Restarts: p.restarts,
	}
	if p.aside != nil {
		m := p.aside.stats()
		s.Browsers, s.Waiting, s.Restarts = s.Browsers+m.Browsers, s.Waiting+m.Waiting, s.Restarts+m.Restarts
	}
	return s
}

// Ready is nil when a browser answers, or none is needed; it waits for that for at most three seconds.
func (p *Pool) Ready() error {
	p.mu.Lock()
	b, asleep := p.current, p.asleep
	p.mu.Unlock()
	if asleep {
		return nil
	}
	if b == nil {
		return errors.New("no browser is running")
	}
	if _, err := b.answer(context.Background(), answerWithin); err != nil {
		return fmt.Errorf("browser does not answer: %w", err)
	}
	return nil
}

// Close ends every browser, tabs in use included, and returns when no process and no folder of theirs is left. Waiting
// calls of Take fail.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.work.Wait()
		return nil
	}
	p.closed = true
	close(p.closing)
	p.waiting.refuse(errClosed())
	ready := p.ready
	p.ready = nil
	for _, b := range p.browsers {
		b.process.kill()
	}
	p.mu.Unlock()
	var errs []error
	if p.aside != nil {
		errs = append(errs, p.aside.close())
	}
	for _, t := range ready {
		errs = append(errs, t.identity.Close())
	}
	p.work.Wait()
	return errors.Join(errs...)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
