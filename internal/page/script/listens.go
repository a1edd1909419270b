package script

import (
	"context"
	"errors"
	"slices"

	"github.com/chromedp/cdproto/domdebugger"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/session"
)

// Listens reports whether the page's scripts listen to one of the named events at the window, or at the document or something
// in it. It is false for a document that goes away meanwhile.
func (p *Beside) Listens(ctx context.Context, names ...string) (bool, error) {
	places := []string{"window", "document"}
	asked, silent := make([]*cdp.Pending, len(places)), true
	for i, place := range places {
		asked[i] = p.to.Send(runtime.CommandEvaluate, runtime.EvaluateParams{Expression: place, Silent: &silent})
	}
	for i, place := range asked {
		var object runtime.EvaluateResult
		err := p.Wait(ctx, place, 0, &object)
		if errors.Is(err, session.ErrMoved) || err == nil && object.Result == nil {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		params := domdebugger.GetEventListenersParams{ObjectID: object.Result.ObjectID, Depth: new(int64(-1))} // all of it
		asked[i] = p.to.Send(domdebugger.CommandGetEventListeners, params)
	}
	listens := false
	for _, place := range asked {
		var found domdebugger.GetEventListenersResult
		if err := p.Wait(ctx, place, 0, &found); err != nil && !errors.Is(err, session.ErrMoved) {
			return false, err
		}
		for _, l := range found.Listeners {
			listens = listens || slices.Contains(names, l.Type)
		}
	}
	return listens, nil
}
