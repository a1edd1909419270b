package browser

import (
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/storage"

	wire "github.com/savepage/savepage/internal/cdp"
)

const (
	pulseEvery = 400 * time.Millisecond // between two looks whether a process has answered
	pulseIdle  = time.Minute            // the same while nobody is asked
	overworked = time.Second            // of work before it answers: no page that is made for readers causes half of it
	driven     = overworked * 4 / 10    // of work, together with the wait for a processor that is as long as outrun
	outrun     = 2 * time.Second
)

// pulse asks the processes that work for all pages of a browser for a word, again and again while pages are in use: its own,
// through one thread of which goes all that pages ask of it and all that they are asked, and its network service. What a page
// makes them do delays every other page. A late answer counts only as far as the process has worked, or would have if it could:
// on a busy machine all are late.
type pulse struct {
	pace   *pace
	inUse  func() bool      // pages are
	end    func(why string) // of the browser
	hearts []*heart

	mu   sync.Mutex
	late time.Duration
}

// heart is a process that has to answer.
type heart struct {
	process string
	ask     func() *wire.Pending
	worked  func() work

	asked  *wire.Pending // without an answer so far; nil when nothing is asked
	looked time.Time     // when it was last looked for
	last   work          // what had been worked then
	since  work          // and when the question was asked
}

// work is how long a process has run, and has waited for a processor.
type work struct{ ran, waited time.Duration }

func (w work) less(before work) work { return work{w.ran - before.ran, w.waited - before.waited} }

// tooMuch reports whether so much work may not stand before an answer.
func (w work) tooMuch() bool {
	return w.ran >= overworked || w.ran >= driven && w.ran+w.waited >= outrun
}

// most reports whether a process was at work for most of a time.
func (w work) most(of time.Duration) bool { return w.ran >= of/10 && w.ran+w.waited >= of/2 }

func newPulse(v *vitals, end func(why string)) *pulse {
	b := v.browser
	ask := func(method string) func() *wire.Pending {
		return func() *wire.Pending { return b.conn().Browser().Send(method, nil) }
	}
	return &pulse{pace: newPace(b, pulseEvery, pulseIdle), inUse: v.inUse, end: end, hearts: []*heart{
		{process: "browser", ask: ask(browser.CommandGetVersion), worked: func() work { return mainThread(b.process.pid) }},
		{process: "network", ask: ask(storage.CommandGetCookies), worked: func() (all work) {
			for _, pid := range v.pids("network") {
				all = runs(pid)
			}
			return all
		}},
	}}
}

// run asks until the browser has died or is ended.
func (p *pulse) run() {
	for p.pace.next(!p.inUse() && !p.asked()) {
		if process := p.beat(); process != "" {
			p.end("the " + process + " process works for the pages and does not answer")
			return
		}
	}
}

// asked reports whether an answer is waited for.
func (p *pulse) asked() bool {
	return slices.ContainsFunc(p.hearts, func(h *heart) bool { return h.asked != nil })
}

// beat looks for the answers to the last questions and asks the next. It names the process that has worked for too long.
func (p *pulse) beat() (tooLong string) {
	var late time.Duration
	for _, h := range p.hearts {
		passed, done := h.look()
		late = max(late, passed)
		if done.tooMuch() {
			tooLong = h.process
		}
		if h.asked == nil && p.inUse() {
			h.begin()
		}
	}
	p.keep(late)
	return tooLong
}

// keep notes that all pages were kept waiting.
func (p *pulse) keep(late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late += late
}

// begin asks.
func (h *heart) begin() {
	h.looked, h.since = time.Now(), h.worked()
	h.last = h.since
	h.asked = h.ask()
}

// look looks for the answer. As long as there is none it returns the time since the last look, if the process was at work for
// most of it, and what it has done since it was asked.
func (h *heart) look() (late time.Duration, done work) {
	if h.asked == nil {
		return 0, work{}
	}
	select {
	case <-h.asked.Done():
		h.asked = nil
		return 0, work{}
	default:
	}
	now, worked := time.Now(), h.worked()
	if passed := now.Sub(h.looked); worked.less(h.last).most(passed) {
		late = passed
	}
	h.looked, h.last = now, worked
	return late, worked.less(h.since)
}

// lateness is for how long in all a process was at work and left a question without an answer, or new pages did not get through.
func (p *pulse) lateness() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.late
}
