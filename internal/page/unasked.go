package page

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/dom"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/whole"
)

// chooseUnasked is choose for a page that cannot be asked.
func (f *frame) chooseUnasked(ctx context.Context) (layout.Area, error) {
	scrolled, err := f.measure(ctx)
	if err != nil {
		return layout.Area{}, err
	}
	switch {
	case f.o.Selector != "":
		return f.elementUnasked(ctx, scrolled)
	case f.o.Clip != nil:
		return f.clip(ctx)
	case f.o.Fullpage:
		seen := f.waiter.Seen()
		if err := f.whole.LoadLazy(ctx, seen.Height); err != nil {
			return layout.Area{}, err
		}
		return f.whole.Area(ctx, whole.Extent{Height: seen.Height, Width: seen.Width}, false)
	default:
		return f.window(), nil
	}
}

// measure takes what the page would say of itself from the browser, and how far it is scrolled.
func (f *frame) measure(ctx context.Context) (scrolled layout.Box, err error) {
	var is cdpage.GetLayoutMetricsResult
	if err := f.beside.Wait(ctx, f.page.Send(cdpage.CommandGetLayoutMetrics, nil), 0, &is); err != nil {
		return layout.Box{}, fmt.Errorf("measure the page: %w", err)
	}
	seen := f.waiter.Seen()
	seen.Width, seen.Height = int(is.CSSContentSize.Width), int(is.CSSContentSize.Height)
	var been cdpage.GetNavigationHistoryResult
	if err := f.page.Execute(ctx, cdpage.CommandGetNavigationHistory, nil, &been); err != nil {
		return layout.Box{}, fmt.Errorf("name the page: %w", err)
	}
	if at := int(been.CurrentIndex); at >= 0 && at < len(been.Entries) {
		seen.URL, seen.Title = been.Entries[at].URL, been.Entries[at].Title
	}
	f.waiter.SetSeen(seen)
	return layout.Box{X: is.CSSVisualViewport.PageX, Y: is.CSSVisualViewport.PageY}, nil
}

// elementUnasked is the box of the first element that matches.
func (f *frame) elementUnasked(ctx context.Context, scrolled layout.Box) (layout.Area, error) {
	var page dom.GetDocumentResult
	var found dom.QuerySelectorResult
	var box dom.GetBoxModelResult
	err := f.page.Execute(ctx, dom.CommandGetDocument, dom.GetDocumentParams{}, &page)
	if err == nil {
		err = f.page.Execute(ctx, dom.CommandQuerySelector, dom.QuerySelectorParams{NodeID: page.Root.NodeID, Selector: f.o.Selector}, &found)
	}
	if err == nil {
		err = f.page.Execute(ctx, dom.CommandGetBoxModel, dom.GetBoxModelParams{NodeID: found.NodeID}, &box)
	}
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return layout.Area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s", note.Quoted(f.o.Selector))
	}
	if err != nil {
		return layout.Area{}, fmt.Errorf("find the element: %w", err)
	}
	b := box.Model.Border // the corners, from the top left on
	a := layout.Enclose(layout.Box{X: scrolled.X + b[0], Y: scrolled.Y + b[1], Width: b[4] - b[0], Height: b[5] - b[1]})
	return a, f.whole.LoadLazy(ctx, a.Y+a.Height)
}
