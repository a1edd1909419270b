package page

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/banner"
	"github.com/savepage/savepage/internal/page/block"
	"github.com/savepage/savepage/internal/page/script"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/shot"
	"github.com/savepage/savepage/internal/page/traffic"
	"github.com/savepage/savepage/internal/page/virtual"
)

// setup is what the tab is given before the page is asked for.
type setup struct {
	*parts
	sent         *session.Batch
	lists        func() (*blocklist.Lists, error)
	consentRules func() (*consent.Rules, error)
}

func newSetup(p *parts, r *Renderer) *setup {
	return &setup{parts: p, sent: session.NewBatch(p.page), lists: r.lists, consentRules: r.consentRules}
}

// prepare sets up the tab. Commands are sent without waiting in between and awaited together, before the navigation: what
// the renderer does not know of then, it does not do for the new document, and its events are lost. A part that the options
// do not ask for sends nothing.
func (s *setup) prepare(ctx context.Context) error {
	s.notes.Await("the tab")
	// The answer to this one comes with the next frame: it is not awaited here. The new document has the size in any case.
	s.frame()
	s.view.set(s.o.Height)
	s.sent.Send(network.CommandEnable, traffic.EnableParams())
	s.sent.Send(runtime.CommandEnable, nil)
	if err := s.surround(ctx); err != nil {
		return err
	}
	if s.o.Transparent || s.o.Background != "" {
		s.sent.Add(shot.Behind(s.page, s.o.Backdrop()))
	}
	if err := s.addScripts(ctx); err != nil {
		return err
	}
	s.block.Enable(s.o)
	if rests(s.o) {
		s.waiter.FollowWorkers(s.targets) // after the scripts that change what a worker has
	}
	s.sent.SendAll(s.targets.Enable())
	if err := s.cookies(ctx); err != nil {
		return err
	}
	if s.tab.Held() {
		return nil // what the page's process is told is answered when there is one: see arrive
	}
	return s.sent.Wait(ctx)
}

// addScripts has the scripts of the parts run in every new document.
func (s *setup) addScripts(ctx context.Context) error {
	if s.o.Time == savepage.TimeVirtual { // before the timers are noted: its frames are none
		s.clock = virtual.New(virtual.Config{
			To: s.page, Events: s.events, Page: s.beside, Motion: s.still, Network: s.requests,
		}, s.sent.Send)
		s.runner.SetClock(s.clock)
	}
	if rests(s.o) {
		s.waiter.FollowTimers(s.sent.Send)
	}
	if wanted := block.Wanted(s.o); wanted.Any() {
		lists, err := s.lists()
		if err != nil {
			return fmt.Errorf("filter the page: %w", err)
		}
		s.block.Filter(lists.Filter(wanted), script.World, s.tab.Identity().Refuse)
	}
	if s.o.BlockCookieBanners {
		rules, err := s.consentRules()
		if err != nil {
			return fmt.Errorf("reject cookie banners: %w", err)
		}
		s.banners = banner.New(banner.Config{
			World: script.World, Events: s.events, Page: s.beside, Setup: s.targets, Navigation: s.main, Notes: s.notes, Ready: s.waiter.Ready,
		}, rules)
	}
	return s.dress(ctx)
}

// cookies sets the cookies before the page is asked for.
func (s *setup) cookies(ctx context.Context) error {
	if len(s.o.Cookies) == 0 {
		return nil
	}
	var list []*network.CookieParam
	for i, c := range s.o.Cookies {
		param := &network.CookieParam{Name: c.Name, Value: c.Value, URL: s.to.URL, Path: c.Path}
		if c.Domain != "" {
			if err := address.CheckCookieDomain(s.to, i, c.Domain); err != nil {
				return err
			}
			if c.Domain != s.to.Host {
				param.Domain = c.Domain
			}
		}
		list = append(list, param)
	}
	err := s.page.Execute(ctx, network.CommandSetCookies, network.SetCookiesParams{Cookies: list}, nil)
	if refused, is := errors.AsType[*cdp.Error](err); is {
		return savepage.Errorf(savepage.CodeInvalidRequest, "cookies: the browser refuses one of them: %s", refused.Message)
	}
	return err
}
