package page

import (
	"cmp"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/agent"
	"github.com/savepage/savepage/internal/page/session"
)

// maxTouches is how many fingers a phone follows.
const maxTouches = 5

// usualLanguages are those of a page whose client names none.
const usualLanguages = "en-US,en"

// chrome is how much taller the window of a browser is than the page in it, in CSS pixels: tabs and the bar of addresses.
const chrome = 87

//go:embed window.js
var windowScript string

// inWorkers is what has a target that is no page say what the page does.
func inWorkers(kind string, p agent.Override) []session.Command {
	if !strings.HasSuffix(kind, session.WorkerKind) {
		return nil
	}
	return []session.Command{{Method: runtime.CommandEvaluate, Params: runtime.EvaluateParams{Expression: p.InWorker()}}}
}

// frame has the browser's window be as large as one around the page is; that of a device is as large as the page.
func (s *setup) frame() {
	width, height := s.o.Width, s.o.Height+chrome
	if d, known := savepage.FindDevice(s.o.Device); known && d.Mobile {
		width, height = 0, 0
	}
	before := 0
	if s.tab.Held() {
		before = 1 // the blank page that other pages come after
	}
	own := session.Command{
		Method: cdpage.CommandAddScriptToEvaluateOnNewDocument,
		Params: cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf("(%s)(%d,%d,%d)", windowScript, width, height, before)},
	}
	s.targets.First(func(kind string) []session.Command {
		if strings.HasSuffix(kind, session.WorkerKind) {
			return nil
		}
		return []session.Command{own}
	})
}

// showOnDesktop makes a viewport one in a browser's window on a screen that it fits on.
func showOnDesktop(o savepage.Options, params *emulation.SetDeviceMetricsOverrideParams) {
	params.ScreenWidth, params.ScreenHeight = int64(o.Width), int64(o.Height+chrome)
	for _, usual := range [][2]int64{{1920, 1080}, {2560, 1440}, {3840, 2160}} {
		if params.ScreenWidth <= usual[0] && params.ScreenHeight <= usual[1] {
			params.ScreenWidth, params.ScreenHeight = usual[0], usual[1]
			break
		}
	}
}

// showOn makes a viewport one of a device.
func showOn(d savepage.Device, params *emulation.SetDeviceMetricsOverrideParams) {
	params.Mobile = d.Mobile
	params.ScreenWidth, params.ScreenHeight = int64(d.ScreenWidth), int64(d.ScreenHeight)
	params.ScreenOrientation = &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypePortraitPrimary}
	if params.Width > params.Height && d.Width > d.Height {
		params.ScreenWidth, params.ScreenHeight = max(params.ScreenWidth, params.ScreenHeight), min(params.ScreenWidth, params.ScreenHeight)
		params.ScreenOrientation = &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypeLandscapePrimary, Angle: 90}
	}
}

// identify says which browser and device it is, in every way that a page can ask: a site sees one truth. Without an option it is
// an ordinary Chrome of the browser's version.
func (s *setup) identify() {
	d, known := savepage.FindDevice(s.o.Device)
	if known && d.Touch {
		s.sent.Send(emulation.CommandSetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{
			Enabled: true, MaxTouchPoints: maxTouches,
		})
	}
	own := s.tab.Version()
	p := agent.Override{UserAgent: cmp.Or(s.o.UserAgent, agent.Ordinary(own.UserAgent)), AcceptLanguage: s.o.AcceptLanguage}
	switch {
	case p.AcceptLanguage != "":
	case s.o.Locale != "":
		p.AcceptLanguage = languages(s.o.Locale)
	default:
		p.AcceptLanguage = usualLanguages
	}
	p.Platform, p.Metadata = agent.Platform(p.UserAgent), agent.Hints(p.UserAgent, own.Product)
	if p.Metadata == nil { // a browser without client hints: the headers are then not sent
		s.sent.Send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
			Source: "delete Navigator.prototype.userAgentData",
		})
	}
	ours := s.o.UserAgent == "" || known && s.o.UserAgent == d.UserAgent
	if suffix := s.cfg.AgentSuffix; ours && suffix != "" && !strings.HasSuffix(p.UserAgent, " "+suffix) {
		p.UserAgent += " " + suffix
	}
	s.targets.Setup(emulation.CommandSetUserAgentOverride, p) // also for workers that belong to no single document
	s.hintFirst(p.Metadata)
	if p.UserAgent != own.UserAgent {
		s.targets.First(func(kind string) []session.Command { return inWorkers(kind, p) })
	}
}

// hintFirst has the first request of a page that is held carry the right client hints: the browser has written its own into it
// before it is told any. All that follow have the right ones without that.
func (s *setup) hintFirst(m *agent.Metadata) {
	if m == nil || !s.tab.Held() || s.o.HTML != "" || !s.to.Trusted() {
		return
	}
	s.sent.Send(network.CommandSetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: m.Headers()})
	var once sync.Once
	s.events.On(session.Main, "Network.requestWillBeSent", func(from *session.Target, params json.RawMessage) {
		if _, _, is := session.MainDocument(params, string(s.tab.Target())); is {
			once.Do(func() {
				from.Send(network.CommandSetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{}})
			})
		}
	})
}
