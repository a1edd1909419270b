package page_test

import (
	"testing"

	"github.com/savepage/savepage"
)

// together are captures that between them use every part of a render: a request for each goroutine and each lock.
func together() map[string]savepage.Options {
	device := savepage.Options{URL: shared.url("/device?meta=1"), Device: "iPhone 15", Fullpage: true}
	late := savepage.Options{
		URL: shared.url("/pending-picture"), WaitUntil: savepage.WaitLoad, Timeout: 6000, OnTimeout: savepage.OnTimeoutCapture,
	}
	acts := savepage.Options{
		URL: shared.url("/acts"), Hide: []string{"#b"}, Click: []string{"#more"}, CSS: "#a{display:none}", JS: "document.title='x'",
	}
	dressed := savepage.Options{
		URL: shared.url("/third"), Headers: savepage.Headers{"X-Secret": "s3cret"}, UserAgent: "Harbour/1.0",
		Cookies: savepage.Cookies{{Name: "a", Value: "1"}}, Timezone: "Asia/Tokyo", Locale: "de-DE", ColorScheme: "dark",
	}
	steps := savepage.Options{
		URL: shared.url("/steps"), WaitForText: "row 4", RequireText: savepage.Texts{"row 3"}, FailOn: savepage.Failures()[:5],
		Steps: []savepage.Step{
			{Type: "fill", Selector: "#name", Value: "Ann"}, {Type: "press", Key: "Tab"}, {Type: "click", Selector: "#inner"},
			{Type: "scroll", Y: 500}, {Type: "hover", Selector: "#menu"}, {Type: "wait_until_gone", Selector: "#cover"},
		},
	}
	return map[string]savepage.Options{
		"plain":            {URL: shared.url("/a")},
		"script":           {URL: shared.url("/c")},
		"html":             {HTML: "<h1>Harbour</h1>"},
		"whole page":       {URL: shared.url("/scroll-lazy"), Fullpage: true, Width: 320},
		"embeds":           {URL: shared.url("/frames"), Fullpage: true, Width: 320},
		"tiles as jpeg":    {URL: shared.url("/bands?height=18000"), Fullpage: true, Width: 64, Format: savepage.FormatJPEG},
		"element":          {URL: shared.url("/element"), Selector: "#low"},
		"clip":             {URL: shared.url("/bands?height=900"), Clip: &savepage.Clip{X: 10, Y: 20, Width: 100, Height: 80}},
		"packed":           {URL: shared.url("/c"), PNGEffort: savepage.PNGBest, Background: "#eee"},
		"packed tiles":     {URL: shared.url("/bands?height=38000"), Fullpage: true, Width: 640, PNGEffort: savepage.PNGNormal},
		"thumb as webp":    {URL: shared.url("/bands?height=900"), ThumbWidth: 120, Format: savepage.FormatWebP},
		"pdf":              {URL: shared.url("/paper"), Format: savepage.FormatPDF},
		"long pdf":         {URL: shared.url("/paper"), Format: savepage.FormatPDF, PDFSinglePage: true, PDFPageNumbers: true},
		"frozen":           {URL: shared.url("/still-frames")},
		"moving":           {URL: shared.url("/animation"), Animations: savepage.AnimationsAllow},
		"own time":         {URL: shared.url("/virtual?frame=other"), Time: savepage.TimeVirtual, Delay: 2000},
		"advertisements":   {URL: shared.url("/ads"), BlockAds: true, BlockTrackers: true, BlockChats: true},
		"banner":           {URL: shared.url("/consent-cookiebot"), BlockCookieBanners: true},
		"refused requests": {URL: shared.url("/kinds"), BlockResources: []savepage.Resource{"image"}, BlockURLs: []string{"*worker*"}},
		"workers":          {URL: shared.url("/workers"), Headers: savepage.Headers{"X-Secret": "s3cret"}},
		"network idle":     {URL: shared.url("/moments?by=chain"), WaitUntil: savepage.WaitNetworkIdle},
		"selector":         {URL: shared.url("/element?ms=100"), WaitForSelector: "#late"},
		"scripts off":      {URL: shared.url("/spins?by=interval"), Timeout: 8000, OnTimeout: savepage.OnTimeoutCapture},
		"dialogs":          {URL: shared.url("/dialogs")},
		"popups":           {URL: shared.url("/popup")},
		"no glyphs":        {URL: shared.url("/letterless")},
		"device":           device,
		"late":             late,
		"acts":             acts,
		"dressed":          dressed,
		"steps":            steps,
		"slow scrolling":   {URL: shared.url("/woken"), Fullpage: true, ScrollDelay: 50, Delay: 100},
	}
}

// Captures with every option are rendered beside each other in one browser. make test runs this one with the race detector,
// which must see each goroutine of a render: what is in the pictures is looked at elsewhere.
func TestTogether(t *testing.T) {
	t.Parallel()
	for name, o := range together() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shot := render(t, o)
			if cut := name == "late" || name == "scripts off"; len(shot.Bytes) == 0 || shot.Report.Partial != cut {
				t.Errorf("%d bytes, %+v", len(shot.Bytes), shot.Report)
			}
		})
	}
}
