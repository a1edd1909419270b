package page

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// prepare sets up the tab. Commands are sent without waiting in between and awaited together, before the navigation: what
// the renderer has not heard of then, it does not do for the new document, and its events are lost.
func (j *job) prepare(ctx context.Context) error {
	j.awaiting = "the tab"
	viewport := j.sized(j.o.Height)
	j.send(network.CommandEnable, network.EnableParams{MaxTotalBufferSize: new(int64), MaxResourceBufferSize: new(int64)})
	j.send(runtime.CommandEnable, nil)
	if err := j.surround(ctx); err != nil {
		return err
	}
	if j.o.Transparent {
		// Not cdproto's type: it leaves out an alpha of 0, and the default is 1.
		j.send(emulation.CommandSetDefaultBackgroundColorOverride, map[string]any{"color": map[string]int{"r": 0, "g": 0, "b": 0, "a": 0}})
	}
	j.ownTime() // before what notes timers: frames are to be none
	j.followTimers()
	if err := j.filter(); err != nil {
		return err
	}
	if err := j.rejectBanners(); err != nil {
		return err
	}
	if err := j.dress(ctx); err != nil {
		return err
	}
	if err := j.intercept(); err != nil {
		return err
	}
	if err := j.cookies(ctx); err != nil {
		return err
	}
	if err := j.check(ctx); err != nil {
		return err
	}
	// The answer to this one comes with the next frame. The new document has the size in any case.
	j.prepared = append(j.prepared, viewport)
	return nil
}

// send sends a command whose answer is looked at later, by check.
func (j *job) send(method string, params any) {
	j.prepared = append(j.prepared, j.s.Send(method, params))
}

// metrics sets the viewport. Its width and scale never change.
func (j *job) metrics(height int) {
	j.prepared = append(j.prepared, j.sized(height))
}

func (j *job) sized(height int) *cdp.Pending {
	params := emulation.SetDeviceMetricsOverrideParams{Width: int64(j.o.Width), Height: int64(height), DeviceScaleFactor: j.o.Scale}
	if d, known := savepage.FindDevice(j.o.Device); known {
		showOn(d, &params)
	}
	return j.s.Send(emulation.CommandSetDeviceMetricsOverride, params)
}

// check waits for the answers of what was sent.
func (j *job) check(ctx context.Context) error {
	for _, p := range j.prepared {
		if err := p.Wait(ctx, nil); err != nil {
			return fmt.Errorf("prepare the tab: %w", err)
		}
	}
	j.prepared = nil
	return nil
}

// intercept has those requests paused that a rule must see, and no others.
func (j *job) intercept() error {
	asks := j.w.asks
	if j.o.HTML != "" {
		asks.add(documentRule(j.to, j.o.HTML))
	} else if headers := ownHeaders(j.o); len(headers) > 0 {
		asks.add(headersRule(j.to, headers))
	}
	if r := cookiesRule(j.to, j.o.Cookies); r.judge != nil {
		asks.add(r)
	}
	if len(j.o.BlockURLs) > 0 {
		urls, err := blockedURLs(j.o.BlockURLs)
		if err != nil {
			return err
		}
		asks.add(urls)
	}
	if len(j.o.BlockResources) > 0 {
		asks.add(blockedKinds(j.o.BlockResources))
	}
	asks.script = sockets(j.o)
	for _, c := range append(asks.enable(), asks.first("page")...) {
		j.send(c.method, c.params)
	}
	return nil
}

// ownHeaders are those for the page's own origin only.
func ownHeaders(o savepage.Options) savepage.Headers {
	if o.Authorization == "" {
		return o.Headers
	}
	all := savepage.Headers{"Authorization": o.Authorization}
	maps.Copy(all, o.Headers)
	return all
}

// cookies sets the cookies before the page is asked for.
func (j *job) cookies(ctx context.Context) error {
	if len(j.o.Cookies) == 0 {
		return nil
	}
	var list []*network.CookieParam
	for i, c := range j.o.Cookies {
		param := &network.CookieParam{Name: c.Name, Value: c.Value, URL: j.to.url, Path: c.Path}
		if c.Domain != "" {
			if err := cookieDomain(j.to, i, c.Domain); err != nil {
				return err
			}
			if c.Domain != j.to.host {
				param.Domain = c.Domain
			}
		}
		list = append(list, param)
	}
	err := j.s.Execute(ctx, network.CommandSetCookies, network.SetCookiesParams{Cookies: list}, nil)
	if refused, is := errors.AsType[*cdp.Error](err); is {
		return savepage.Errorf(savepage.CodeInvalidRequest, "cookies: the browser takes one of them for none: %s", refused.Message)
	}
	return err
}
