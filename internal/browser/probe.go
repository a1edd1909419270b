package browser

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"

	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
)

const (
	suspectAfter = 2 * time.Second        // without a picture, while pages are in use: the browser is asked
	askWithin    = 50                     // ticks until a process that does not answer is looked at: it may wait for one that draws
	askTick      = 100 * time.Millisecond // a machine that stands still has none
	askAgain     = 3 * time.Second        // after an answer
	restless     = 10 * time.Millisecond  // of a processor in that time: the process works, or would if it could
	giveUpAfter  = 20 * time.Second       // without an answer, however much the process works
	passWithin   = 30                     // ticks until a new page that is late does not get through, if meanwhile
	overwhelmed  = 3 * time.Second        // of a processor were used by what all pages share
)

// probe asks a browser whether it works: its own process for a word, its network service for cookies, and for a new page that is
// drawn and goes to an address.
type probe struct {
	browser *chromium
	pids    func(process string) []int                           // the ids of processes, as vitals names them
	page    func(ctx context.Context, use func(page *Tab)) error // makes a page, and closes it after use
	waits   func() []string                                      // what each process waits for
	kept    func(time.Duration)                                  // notes that pages were kept waiting; nil where there is one at a time
	log     *slog.Logger
	next    time.Time // when the browser may be asked again
}

// question is one that a process has to answer.
type question struct {
	process string
	by      []string // processes that have work as long as the answer is on its way
	page    bool     // a new page is the answer
	done    <-chan struct{}
}

// ask returns what is wrong with the browser, empty for nothing, and whether that is too much work. A late answer alone is no
// fault: on a busy machine all are late. Those that owe it must not have wanted to run either, or what all pages share must have
// worked for so long that a new page is not late by chance: each needs the threads by which the browser starts processes, reads
// what sites have stored and looks for their workers, and other pages may give those more to do than they can.
func (c *probe) ask() (why string, worn bool) {
	if time.Now().Before(c.next) {
		return "", false
	}
	defer func() { c.next = time.Now().Add(askAgain) }()
	ctx, stop := context.WithTimeout(context.Background(), giveUpAfter)
	began := c.worked()
	asked, join := c.questions(ctx)
	defer join()
	defer stop() // first
	for {
		before := c.efforts(asked)
		late, ended, heldUp := c.unanswered(ctx, asked, began)
		switch {
		case ended || len(late) == 0:
			return "", false
		case ctx.Err() != nil:
			return "the " + late[0].process + " process has not answered within " + giveUpAfter.String(), true
		case heldUp:
			return "it works for the pages and no new page gets through", true
		case stoodStill(before, c.efforts(late[:1])):
			c.log.Warn("browser stands still", "pid", c.browser.process.pid, "waits", c.waits())
			return "the " + late[0].process + " process does not answer and does not run", false
		}
	}
}

// worked is how long the processes that all pages share have run.
func (c *probe) worked() (sum time.Duration) {
	for _, pid := range groupMembers(c.browser.process.pid) {
		if !isRenderer(pid) {
			sum += processorTime(pid)
		}
	}
	return sum
}

// questions asks all of them. The first that stays without an answer is the one to look at: those behind it depend on it.
// join waits until the page that was drawn is closed.
func (c *probe) questions(ctx context.Context) (asked []question, join func()) {
	root := c.browser.conn().Browser()
	drawn, gone, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	draw := sync.OnceFunc(func() { close(drawn) })
	go func() {
		defer close(over)
		_ = c.page(ctx, func(t *Tab) {
			_, _ = wire.Call(ctx, t.session, page.CaptureScreenshot, page.CaptureScreenshotParams{
				Format: page.CaptureScreenshotFormatJpeg, OptimizeForSpeed: new(true),
				Clip: &page.Viewport{Width: 1, Height: 1, Scale: 1},
			})
			if ctx.Err() == nil { // a refusal is an answer, too
				draw()
			}
			_, _ = wire.Call(ctx, t.session, page.Navigate, page.NavigateParams{URL: "http://" + guard.Nowhere})
		})
		if ctx.Err() == nil {
			draw()
			close(gone)
		}
	}()
	return []question{
		{process: "browser", by: []string{"browser", "zygote"}, done: root.Send(browser.CommandGetVersion, nil).Done()},
		{process: "network", by: []string{"network", "browser"}, done: root.Send(storage.CommandGetCookies, nil).Done()},
		{process: "GPU", by: []string{"GPU", "page", "browser"}, page: true, done: drawn},
		{process: "page", by: []string{"page", "network", "browser"}, page: true, done: gone},
	}, func() { <-over }
}

// unanswered waits for the answers and returns the questions without one, in their order. ended reports that the browser
// has, heldUp that no new page gets through. The time is counted in ticks: while this process is not let run, those it asks may
// not have been either.
func (c *probe) unanswered(ctx context.Context, asked []question, began time.Duration) (open []question, ended, heldUp bool) {
	tick := time.NewTicker(askTick)
	defer tick.Stop()
	for left, noted := askWithin, 0; ; {
		open = slices.DeleteFunc(slices.Clone(asked), func(q question) bool { return done(q.done) })
		if len(open) == 0 || left == 0 || ctx.Err() != nil {
			return open, false, false
		}
		select {
		case <-open[0].done:
		case <-c.browser.lost:
			return nil, true, false
		case <-ctx.Done():
		case <-tick.C:
			left--
			if ticks := askWithin - left; open[0].page && c.holdsUp(began, ticks, &noted) && ticks >= passWithin {
				return open, false, true
			}
		}
	}
}

// holdsUp reports that what all pages share has worked too much since the browser was asked. From a part of that on it notes, for all
// ticks up to now, that the pages are kept waiting.
func (c *probe) holdsUp(began time.Duration, ticks int, noted *int) bool {
	if c.kept == nil {
		return false
	}
	worked := c.worked() - began
	if worked >= overwhelmed/3 {
		c.kept(time.Duration(ticks-*noted) * askTick)
		*noted = ticks
	}
	return worked >= overwhelmed
}

func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// efforts are those of the processes that answer, by their ids.
func (c *probe) efforts(asked []question) map[int]threads {
	all := map[int]threads{}
	for _, q := range asked {
		for _, process := range q.by {
			for _, pid := range c.pids(process) {
				if are := threadsOf(pid); len(are) > 0 {
					all[pid] = are
				}
			}
		}
	}
	return all
}

// stoodStill reports that none of the processes has wanted to run in between, and that there is one.
func stoodStill(before, after map[int]threads) bool {
	for pid, are := range after {
		if were, known := before[pid]; !known || !are.still(were, restless) {
			return false
		}
	}
	return len(after) > 0
}
