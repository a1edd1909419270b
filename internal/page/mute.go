package page

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// terminateAgain is how soon a page is stopped once more whose scripts are not off yet.
const terminateAgain = 100 * time.Millisecond

// errMuted says that the page can not be asked any more.
var errMuted = errors.New("the page's scripts are switched off")

// mute switches the page's scripts off. A script that is only ended may begin again with the next timer, frame or event,
// and no picture comes. From here on the page is asked nothing, what there is to know the browser knows.
func (j *job) mute() {
	if j.muted {
		return
	}
	j.muted = true
	j.silenced = make(chan struct{})
	go j.silenceScripts(j.s.Send(emulation.CommandSetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	j.partial("scripts that kept the page from being drawn were switched off")
}

// silenceScripts ends the page's script until the browser has switched scripts off. What is ended once may begin again
// before: the renderer draws a frame, and calls what waits for it, ahead of commands.
func (j *job) silenceScripts(off *cdp.Pending) {
	defer close(j.silenced)
	again := time.NewTicker(terminateAgain)
	defer again.Stop()
	for {
		j.s.Send(runtime.CommandTerminateExecution, nil)
		select {
		case <-off.Done():
			return
		case <-j.watched:
			return
		case <-again.C:
		}
	}
}

// chooseUnasked is choose for a page that can not be asked.
func (j *job) chooseUnasked(ctx context.Context) (area, error) {
	scrolled, err := j.measure(ctx)
	if err != nil {
		return area{}, err
	}
	switch {
	case j.o.Selector != "":
		return j.elementUnasked(ctx, scrolled)
	case j.o.Clip != nil:
		return j.clip(ctx)
	case j.o.Fullpage:
		return j.wholly(extent{Height: j.seen.Height, Width: j.seen.Width}, false), j.wake(ctx, j.seen.Height)
	default:
		return j.window(), nil
	}
}

// measure takes what the page would say of itself from the browser, and how far it is scrolled.
func (j *job) measure(ctx context.Context) (scrolled place, err error) {
	var is cdpage.GetLayoutMetricsResult
	if err := j.wait(ctx, j.s.Send(cdpage.CommandGetLayoutMetrics, nil), 0, &is); err != nil {
		return place{}, fmt.Errorf("measure the page: %w", err)
	}
	j.seen.Width, j.seen.Height = int(is.CSSContentSize.Width), int(is.CSSContentSize.Height)
	var been cdpage.GetNavigationHistoryResult
	if err := j.s.Execute(ctx, cdpage.CommandGetNavigationHistory, nil, &been); err != nil {
		return place{}, fmt.Errorf("name the page: %w", err)
	}
	if at := int(been.CurrentIndex); at >= 0 && at < len(been.Entries) {
		j.seen.URL, j.seen.Title = been.Entries[at].URL, been.Entries[at].Title
	}
	return place{X: is.CSSVisualViewport.PageX, Y: is.CSSVisualViewport.PageY}, nil
}

// elementUnasked is the box of the first element that matches.
func (j *job) elementUnasked(ctx context.Context, scrolled place) (area, error) {
	var page dom.GetDocumentResult
	var found dom.QuerySelectorResult
	var box dom.GetBoxModelResult
	err := j.s.Execute(ctx, dom.CommandGetDocument, dom.GetDocumentParams{}, &page)
	if err == nil {
		err = j.s.Execute(ctx, dom.CommandQuerySelector, dom.QuerySelectorParams{NodeID: page.Root.NodeID, Selector: j.o.Selector}, &found)
	}
	if err == nil {
		err = j.s.Execute(ctx, dom.CommandGetBoxModel, dom.GetBoxModelParams{NodeID: found.NodeID}, &box)
	}
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s", quoted(j.o.Selector))
	}
	if err != nil {
		return area{}, fmt.Errorf("find the element: %w", err)
	}
	b := box.Model.Border // the corners, from the top left on
	a := enclose(place{X: scrolled.X + b[0], Y: scrolled.Y + b[1], Width: b[4] - b[0], Height: b[5] - b[1]})
	return a, j.wake(ctx, a.y+a.height)
}
