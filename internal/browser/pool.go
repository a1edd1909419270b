package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// Pool hands out tabs, at most Config.Pages at once. It is safe for use by several goroutines.
type Pool struct {
	path    string
	cfg     Config
	policy  *guard.Policy
	log     *slog.Logger
	places  chan struct{} // one element for each tab that is taken
	closing chan struct{}
	wake    chan struct{} // holds a token when the keeper has something to do
	work    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	current  *chromium // nil while there is none
	browsers []*chromium
	ready    []*Tab // made ahead, oldest first
	waiting  []chan offer
	making   int // tabs under way in the current browser
	restarts int
	moving   *moving // nil while nobody needs it
}

// offer is what a caller of Take waits for.
type offer struct {
	tab *Tab
	err error
}

// Stats is what the pool is doing.
type Stats struct {
	Browsers int // running, those that drain and those whose pictures move included
	Pages    int // places in all
	InUse    int // tabs that are taken
	Warm     int // tabs that are ready to be taken
	Waiting  int // callers that have a place and wait for a tab
	Restarts int // browsers started after the first one, because it died or was replaced
}

// Start starts the first browser, opens a page in it and, unless the sandbox is Off, makes sure that the page is confined.
// The context bounds the start only. The error says what to do; it wraps ErrNotFound or ErrSandbox when these are the
// cause. The caller closes the pool.
func Start(ctx context.Context, cfg Config, policy *guard.Policy, log *slog.Logger) (*Pool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("browser settings: %w", err)
	}
	path, err := locate(cfg.Path)
	if err != nil {
		return nil, err
	}
	sweep(cfg.TempDir, log)
	p := newPool(path, cfg, policy, log, make(chan struct{}, cfg.Pages))
	if err := p.launch(ctx); err != nil {
		p.work.Wait()
		return nil, err
	}
	p.work.Go(p.keep)
	return p, nil
}

// newPool is a pool without a browser.
func newPool(path string, cfg Config, policy *guard.Policy, log *slog.Logger, places chan struct{}) *Pool {
	return &Pool{
		path:    path,
		cfg:     cfg,
		policy:  policy,
		log:     log,
		places:  places,
		closing: make(chan struct{}),
		wake:    make(chan struct{}, 1),
	}
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

// Take waits for a free place, in the order of the calls, and returns a tab: a page that nobody used before, in a context
// of its own. A warm one is returned without asking the browser anything. The error is the context's, or *savepage.Error:
// CodeBrowserLost when no browser can be had, CodeShuttingDown after Close.
func (p *Pool) Take(ctx context.Context) (*Tab, error) {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a page: %w", ctx.Err())
	case <-p.closing:
		return nil, errClosed()
	}
	t, err := p.acquire(ctx)
	if err != nil {
		<-p.places
		return nil, err
	}
	return t, nil
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
		p.fill()
		p.mu.Unlock()
		return t, nil
	}
	wait := make(chan offer, 1)
	p.waiting = append(p.waiting, wait)
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

// pop takes the oldest tab that was made ahead and still lives. The pool is locked.
func (p *Pool) pop() *Tab {
	for len(p.ready) > 0 {
		t := p.ready[0]
		p.ready = slices.Delete(p.ready, 0, 1)
		if t.usable() {
			return t
		}
		p.discard(t)
	}
	return nil
}

// took counts a tab as taken. The pool is locked.
func (p *Pool) took(t *Tab) {
	b := t.browser
	b.inUse++
	b.taken++
	signal(b.work)
	if b == p.current && p.due(b) != "" {
		signal(p.wake)
	}
}

// withdraw takes a caller off the list of those that wait. What it was offered meanwhile goes to the next.
func (p *Pool) withdraw(wait chan offer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := slices.Index(p.waiting, wait); at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
		return
	}
	if o := <-wait; o.tab != nil {
		o.tab.browser.inUse--
		p.deliver(o.tab)
	}
}

// release gives back the place of a tab and disposes of it.
func (p *Pool) release(t *Tab) {
	p.mu.Lock()
	t.browser.inUse--
	p.discard(t)
	p.mu.Unlock()
	<-p.places
}

// deliver gives a new tab to who has waited longest, or keeps it. The pool is locked.
func (p *Pool) deliver(t *Tab) {
	switch {
	case !t.usable():
		p.discard(t)
		p.fill()
	case len(p.waiting) > 0:
		first := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		p.took(t)
		first <- offer{tab: t}
	case t.browser == p.current && len(p.ready) < p.cfg.Warm:
		p.ready = append(p.ready, t)
	default:
		p.discard(t)
	}
}

// refuse ends the wait of everybody. The pool is locked.
func (p *Pool) refuse(err error) {
	for _, wait := range p.waiting {
		wait <- offer{err: err}
	}
	p.waiting = nil
}

// Stats says what the pool is doing.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Browsers: len(p.browsers),
		Pages:    p.cfg.Pages,
		InUse:    len(p.places),
		Warm:     len(p.ready),
		Waiting:  len(p.waiting),
		Restarts: p.restarts,
	}
	if p.moving != nil {
		m := p.moving.pool.Stats()
		s.Browsers, s.Waiting, s.Restarts = s.Browsers+m.Browsers, s.Waiting+m.Waiting, s.Restarts+m.Restarts
	}
	return s
}

// Ready is nil when a browser answers; it waits for that for at most three seconds.
func (p *Pool) Ready() error {
	p.mu.Lock()
	b := p.current
	p.mu.Unlock()
	if b == nil {
		return errors.New("no browser is running")
	}
	if err := b.answer(context.Background(), answerWithin); err != nil {
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
	p.refuse(errClosed())
	ready, moving := p.ready, p.moving
	p.ready, p.moving = nil, nil
	for _, b := range p.browsers {
		b.process.kill()
	}
	p.mu.Unlock()
	var errs []error
	if moving != nil {
		errs = append(errs, moving.pool.Close())
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
