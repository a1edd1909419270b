package page

import (
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
)

// maxTouches is how many fingers a phone follows.
const maxTouches = 5

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

// identify says which browser and device it is, in every way that a page can ask: a site sees one truth.
func (s *setup) identify() {
	if d, known := savepage.FindDevice(s.o.Device); known && d.Touch {
		s.sent.Send(emulation.CommandSetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{
			Enabled: true, MaxTouchPoints: maxTouches,
		})
	}
	p := emulation.SetUserAgentOverrideParams{UserAgent: s.o.UserAgent, AcceptLanguage: s.o.AcceptLanguage}
	if p.AcceptLanguage == "" && s.o.Locale != "" {
		p.AcceptLanguage = languages(s.o.Locale)
	}
	if p.UserAgent != "" {
		p.Platform, p.UserAgentMetadata = platform(p.UserAgent), hints(p.UserAgent)
		if p.UserAgentMetadata == nil { // a browser without client hints: the headers are then not sent
			s.sent.Send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
				Source: "delete Navigator.prototype.userAgentData",
			})
		}
	}
	if p.UserAgent != "" || p.AcceptLanguage != "" {
		s.sent.Send(emulation.CommandSetUserAgentOverride, p)
	}
}

// platform is what navigator.platform says in a browser with this user agent; empty leaves it as it is.
func platform(userAgent string) string {
	for _, known := range [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Linux armv81"},
		{"Windows", "Win32"},
		{"Macintosh", "MacIntel"},
		{"Linux", "Linux x86_64"},
	} {
		if strings.Contains(userAgent, known[0]) {
			return known[1]
		}
	}
	return ""
}

// hints are the client hints of a browser with this user agent (https://wicg.github.io/ua-client-hints), or nil when it is
// none that sends them.
func hints(userAgent string) *emulation.UserAgentMetadata {
	version := regexp.MustCompile(`\bChrome/((\d+)[\d.]*)`).FindStringSubmatch(userAgent)
	if version == nil || len(version[2]) < 2 || len(version[2]) == 2 && version[2] < "89" || strings.Contains(userAgent, " Edge/") {
		return nil
	}
	brand := "Google Chrome"
	brandVersion := version
	if edge := regexp.MustCompile(`\bEdg[A]?/((\d+)[\d.]*)`).FindStringSubmatch(userAgent); edge != nil {
		brand, brandVersion = "Microsoft Edge", edge
	}
	m := &emulation.UserAgentMetadata{
		Brands: []*emulation.UserAgentBrandVersion{
			{Brand: "Not:A-Brand", Version: "99"}, {Brand: brand, Version: brandVersion[2]}, {Brand: "Chromium", Version: version[2]},
		},
		FullVersionList: []*emulation.UserAgentBrandVersion{
			{Brand: "Not:A-Brand", Version: "99.0.0.0"}, {Brand: brand, Version: brandVersion[1]}, {Brand: "Chromium", Version: version[1]},
		},
		Mobile: strings.Contains(userAgent, " Mobile"),
	}
	describeSystem(m, userAgent)
	return m
}

// describeSystem fills in what the user agent says of the machine.
func describeSystem(m *emulation.UserAgentMetadata, userAgent string) {
	if android := regexp.MustCompile(`Android (\d+)[\d.]*; ([^;)]*?)(?: Build/[^)]*)?\)`).FindStringSubmatch(userAgent); android != nil {
		m.Platform, m.PlatformVersion, m.Model = "Android", android[1]+".0.0", android[2]
		return
	}
	m.Architecture, m.Bitness = "x86", "64"
	switch {
	case strings.Contains(userAgent, "Windows NT"):
		m.Platform, m.PlatformVersion = "Windows", "10.0.0"
	case strings.Contains(userAgent, "Mac OS X"):
		m.Platform, m.PlatformVersion = "macOS", "10.15.7"
	case strings.Contains(userAgent, "CrOS"):
		m.Platform = "Chrome OS"
	default:
		m.Platform = "Linux"
	}
}
