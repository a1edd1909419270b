package page

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/traffic"
)

const (
	// hangLeast is for how long what keeps the page from being drawn has brought nothing, at least, when time runs out.
	hangLeast = 500 * time.Millisecond
	// hangServed is for how long a request that has waited long enough, but for a connection first, has been with its server.
	hangServed = time.Second
	// hangNext is the same for what comes next, and hangRounds is how often that is given up.
	hangNext, hangRounds = 100 * time.Millisecond, 15
	// hangDraws is how long a pixel of a page may take to be drawn that can be drawn.
	hangDraws = 2 * time.Second
	// hangNamed is how many requests a reason names.
	hangNamed = 3
)

// hangs ends what is never answered, so that neither the page nor its picture waits for it: for the browser it fails.
type hangs struct{ *parts }

// GiveUp ends the requests of which nothing has come for so long, but for those that scripts make for data.
func (h *hangs) GiveUp(waited time.Duration) bool {
	return h.giveUp(waited, false)
}

// giveUp is GiveUp, or, with blocking, ends only those that scripts make and may do nothing while they wait for the answer.
func (h *hangs) giveUp(waited time.Duration, blocking bool) bool {
	hanging, silent := h.requests.Hanging(waited, blocking)
	answers := map[string]int{}
	for _, one := range hanging {
		if !blocking || one.Kind == "XHR" {
			answers[one.URL] = failing(one.Kind)
		}
	}
	var named []string
	give := func(url string) {
		if h.requests.GiveUp(url) {
			named = append(named, address.Named(url))
		}
	}
	for url := range answers {
		if strings.HasPrefix(url, "https:") && slices.Contains(silent, traffic.Server(url)) {
			give(url)
		}
	}
	ended := h.tab.Identity().GiveUp(func(v guard.Vain) int {
		answer, known := answers[v.URL]
		switch {
		case known && v.Silent >= min(waited, hangServed):
			give(v.URL)
			return answer
		// Of a frame with a process of its own, whose requests are not followed.
		case !known && !blocking && v.Silent >= waited && !h.requests.Asks(v.URL):
			return unfollowed(v.Accept)
		default:
			return 0
		}
	}, silent)
	h.note(named)
	return ended > 0
}

// failing is the status with which a request of a kind fails that is not answered. A frame stays as it is at one without a
// document; at another it would show the browser's page of errors.
func failing(kind string) int {
	if kind == "Document" {
		return http.StatusNoContent
	}
	return http.StatusGatewayTimeout
}

// unfollowed is the same for a request of which only the headers are known: 0 where it may be for data.
func unfollowed(accept string) int {
	switch {
	case strings.HasPrefix(accept, "text/css"), strings.HasPrefix(accept, "image/"):
		return http.StatusGatewayTimeout
	default:
		return 0
	}
}

func (h *hangs) note(named []string) {
	if len(named) == 0 {
		return
	}
	more := ""
	if len(named) > hangNamed {
		named, more = named[:hangNamed], " and others"
	}
	h.notes.Partial("nobody answered, and the page was shown without: %s%s", strings.Join(named, ", "), more)
}

// Stay ends the way to another document, with a note, when the page is on one.
func (h *hangs) Stay(ctx context.Context) {
	if !h.main.Leaving() {
		return
	}
	h.notes.Partial("the page was on its way to %s, which did not answer", address.Named(h.main.URL()))
	h.stop(ctx)
	h.main.Stay()
}

// stop ends all that the page loads. A document that was stopped before it had a body gets one: without it nothing is drawn.
func (h *hangs) stop(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, hangLeast)
	defer cancel()
	_ = h.page.Send(cdpage.CommandStopLoading, nil).Wait(limited, nil)
	const body = "document.body || document.documentElement.append(document.createElement('body'))"
	_ = h.page.Send(runtime.CommandEvaluate, runtime.EvaluateParams{Expression: body}).Wait(limited, nil)
}

// Unblock has the page drawn that waits for something to be drawn: for a style sheet, for a script before it has a body, or for
// a request that a script waits for without doing anything else.
func (h *hangs) Unblock(ctx context.Context) {
	if h.main.Loaded() {
		return
	}
	if !h.beside.Free(ctx) && !h.Release(ctx, false) {
		return // a script runs: who asks the page next ends it
	}
	if h.main.Parsed() && h.draws(ctx) {
		return
	}
	// What has waited for a connection, or for the parser, comes when another has been given up.
	waited := hangLeast
	for range hangRounds {
		h.GiveUp(waited)
		waited = hangNext
		limited, cancel := context.WithTimeout(ctx, hangNext)
		err := h.events.Until(limited, func() (bool, time.Duration) { return h.main.Loaded(), 0 })
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
	}
	if !h.draws(ctx) {
		h.stop(ctx)
	}
}

// draws reports whether the browser draws the page.
func (h *hangs) draws(ctx context.Context) bool {
	sent := h.page.Send(cdpage.CommandCaptureScreenshot, cdpage.CaptureScreenshotParams{
		Format: cdpage.CaptureScreenshotFormatJpeg, Clip: &cdpage.Viewport{Width: 1, Height: 1, Scale: 1},
	})
	limit := time.NewTimer(min(hangDraws, h.budget.Left()/4))
	defer limit.Stop()
	select {
	case <-sent.Done():
		return true
	case <-limit.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// Leaves reports whether the page is on its way to another document. It ends one that takes too long.
func (h *hangs) Leaves(ctx context.Context) bool {
	if !h.main.Leaving() {
		return false
	}
	if h.budget.PastDeadline() || h.main.LeavingFor() > h.budget.Timeout()*6/10 {
		h.Stay(ctx)
	}
	return true
}

// Release ends what keeps an answer of the page back and is no script that runs: free says that none does.
func (h *hangs) Release(ctx context.Context, free bool) bool {
	if !free {
		return h.giveUp(hangLeast, true)
	}
	h.Unblock(ctx)
	return true
}
