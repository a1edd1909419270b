package browser

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"

	wire "github.com/savepage/savepage/internal/cdp"
)

const (
	suspectAfter = 2 * time.Second        // without the end of any page, while pages are in use: the browser is asked
	askWithin    = 50                     // ticks until a process that does not answer is looked at: it may wait for one that draws
	askTick      = 100 * time.Millisecond // a machine that stands still has none
	askAgain     = 3 * time.Second        // after an answer
	restless     = 10 * time.Millisecond  // of a processor in that time: the process works, or would if it could
	giveUpAfter  = 20 * time.Second       // without an answer, however much the process works
)

// probe asks a browser whether it works: its own process for a word, its network service for cookies, and its GPU process to
// draw a page.
type probe struct {
	browser *chromium
	pids    func(process string) []int                           // the ids of processes, as vitals names them
	page    func(ctx context.Context, use func(page *Tab)) error // makes a page, and closes it after use
	waits   func() []string                                      // what each process waits for
	log     *slog.Logger
	next    time.Time // when the browser may be asked again
}

// question is one that a process has to answer.
type question struct {
	process string
	by      []string // processes that have work as long as the answer is on its way
	done    <-chan struct{}
}

// ask returns what is wrong with the browser, empty for nothing, and whether that is too much work. A late answer alone is no
// fault: on a busy machine all are late. Those that owe it must not have wanted to run either.
func (c *probe) ask() (why string, worn bool) {
	if time.Now().Before(c.next) {
		return "", false
	}
	defer func() { c.next = time.Now().Add(askAgain) }()
	ctx, stop := context.WithTimeout(context.Background(), giveUpAfter)
	asked, join := c.questions(ctx)
	defer join()
	defer stop() // first
	for {
		before := c.efforts(asked)
		late, ended := c.unanswered(ctx, asked)
		switch {
		case ended || len(late) == 0:
			return "", false
		case ctx.Err() != nil:
			return "the " + late[0].process + " process has not answered within " + giveUpAfter.String(), true
		case stoodStill(before, c.efforts(late[:1])):
			c.log.Warn("browser stands still", "pid", c.browser.process.pid, "waits", c.waits())
			return "the " + late[0].process + " process does not answer and does not run", false
		}
	}
}

// questions asks all of them. The first that stays without an answer is the one to look at: those behind it depend on it.
// join waits until the page that was drawn is closed.
func (c *probe) questions(ctx context.Context) (asked []question, join func()) {
	root := c.browser.conn().Browser()
	drawn, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_ = c.page(ctx, func(t *Tab) {
			_, _ = wire.Call(ctx, t.session, page.CaptureScreenshot, page.CaptureScreenshotParams{
				Format: page.CaptureScreenshotFormatJpeg, OptimizeForSpeed: new(true),
				Clip: &page.Viewport{Width: 1, Height: 1, Scale: 1},
			})
		})
		if ctx.Err() == nil { // a refusal is an answer, too
			close(drawn)
		}
	}()
	return []question{
		{"browser", []string{"browser", "zygote"}, root.Send(browser.CommandGetVersion, nil).Done()},
		{"network", []string{"network", "browser"}, root.Send(storage.CommandGetCookies, nil).Done()},
		{"GPU", []string{"GPU", "page", "browser"}, drawn},
	}, func() { <-over }
}

// unanswered waits for the answers and returns the questions without one, in their order. ended reports that the browser
// has. The time is counted in ticks: while this process is not let run, those it asks may not have been either.
func (c *probe) unanswered(ctx context.Context, asked []question) (open []question, ended bool) {
	tick := time.NewTicker(askTick)
	defer tick.Stop()
	for left := askWithin; ; {
		open = slices.DeleteFunc(slices.Clone(asked), func(q question) bool { return done(q.done) })
		if len(open) == 0 || left == 0 || ctx.Err() != nil {
			return open, false
		}
		select {
		case <-open[0].done:
		case <-c.browser.lost:
			return nil, true
		case <-ctx.Done():
		case <-tick.C:
			left--
		}
	}
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
