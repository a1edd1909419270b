package page_test

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/page/session"
)

// sent is the commands of one render, and the deepest stack that one of them was sent from.
type sent struct {
	mu       sync.Mutex
	commands []string
	deepest  []string // functions of this module, from the wire to Render
}

// recorder is a session that notes what is sent. Targets that are attached to it have one of their own, whose commands are
// noted with their kind in front.
type recorder struct {
	session.Session
	to    *sent
	below string
}

func (r recorder) Send(method string, params any) *cdp.Pending {
	r.to.note(r.below + method)
	return r.Session.Send(method, params)
}

func (r recorder) Execute(ctx context.Context, method string, params, res any) error {
	r.to.note(r.below + method)
	return r.Session.Execute(ctx, method, params, res)
}

func (r recorder) Child(id target.SessionID) session.Session {
	return recorder{r.Session.Child(id), r.to, "> "}
}

const module = "github.com/savepage/savepage/"

// note counts the functions of this module that are on the stack, from Render to the wire's Send or Execute, both included.
// Commands of other goroutines, as answers to events, are not sent from Render.
func (s *sent) note(method string) {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var stack []string
	for {
		f, more := frames.Next()
		if name, ours := strings.CutPrefix(f.Function, module); ours {
			stack = append(stack, name)
		}
		if strings.HasSuffix(f.Function, "page.(*Renderer).Render") {
			break
		}
		if !more {
			stack = nil
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, method)
	if len(stack) > len(s.deepest) {
		s.deepest = stack
	}
}

// record renders and returns what was sent.
func record(t *testing.T, o savepage.Options) *sent {
	t.Helper()
	all := &sent{}
	r := page.New(shared.pool, page.Config{}, slog.New(slog.DiscardHandler))
	r.Wrap(func(s session.Session) session.Session { return recorder{Session: s, to: all} })
	shot, err := r.Render(t.Context(), patient(o))
	if err != nil {
		t.Fatal(err)
	}
	if shot.Large != nil {
		_ = shot.Large.Close()
	}
	return all
}

// once is the commands without those that directly follow an equal one: how often a page is asked differs.
func (s *sent) once() []string { return slices.Compact(s.both()) }

// both is the commands that do not depend on whether the page was blank before, or held at its address and told the hints of its
// first request. That depends on what was ready.
func (s *sent) both() []string {
	return slices.DeleteFunc(slices.Clone(s.commands), func(c string) bool {
		return c == "Page.navigate" || c == "Network.setExtraHTTPHeaders"
	})
}

// A part that the options do not ask for enables nothing and runs nothing.
func TestPlainCommands(t *testing.T) {
	const plain = `<!DOCTYPE html><title>Plain</title><p>Some text.`
	const scripted = `<!DOCTYPE html><title>Scripted</title><p>Some text.<script>document.title = 'Ran'</script>`
	settled := []string{
		"Emulation.setDeviceMetricsOverride",
		"Network.enable",
		"Runtime.enable",
		"Page.addScriptToEvaluateOnNewDocument", // notes timers
		"Emulation.setUserAgentOverride",        // an ordinary Chrome's
		"Fetch.enable",                          // answers for the document of the option html
		"Target.setAutoAttach",
		"Page.addScriptToEvaluateOnNewDocument", // the size of the window
		"Fetch.fulfillRequest",
		"Page.createIsolatedWorld",
		"Animation.enable",
		"Runtime.evaluate", // is it at rest? If so it is frozen, and looked at
		"Page.captureScreenshot",
		"Runtime.evaluate", // missing glyphs
	}
	least := []string{
		"Emulation.setDeviceMetricsOverride",
		"Network.enable",
		"Runtime.enable",
		"Emulation.setUserAgentOverride",
		"Fetch.enable",
		"Target.setAutoAttach",
		"Page.addScriptToEvaluateOnNewDocument", // the size of the window
		"Fetch.fulfillRequest",
		"Page.createIsolatedWorld",
		"Runtime.evaluate", // title, address and size
		"Page.captureScreenshot",
		"Runtime.evaluate", // missing glyphs
	}
	for name, c := range map[string]struct {
		o    savepage.Options
		want []string
	}{
		"defaults":                    {savepage.Options{HTML: plain}, settled[:len(settled)-1]}, // no letter on it can lack a glyph
		"defaults, a page of scripts": {savepage.Options{HTML: scripted}, settled},
		"load, animations allowed": {
			savepage.Options{HTML: scripted, WaitUntil: savepage.WaitLoad, Animations: savepage.AnimationsAllow}, least,
		},
		"DOMContentLoaded, animations allowed": {
			savepage.Options{HTML: scripted, WaitUntil: savepage.WaitDOMContentLoaded, Animations: savepage.AnimationsAllow}, least,
		},
		"an address": {
			savepage.Options{URL: shared.url("/a"), WaitUntil: savepage.WaitLoad, Animations: savepage.AnimationsAllow},
			slices.DeleteFunc(slices.Clone(least[:len(least)-1]), func(c string) bool { return strings.HasPrefix(c, "Fetch.") }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := record(t, c.o).once(); !slices.Equal(got, c.want) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A page that is at rest when it has loaded is asked once before its picture and, where it may have letters that no font has, or is
// not plain, once beside it.
func TestPlainPageIsAskedOnce(t *testing.T) {
	t.Parallel()
	const text = `<!DOCTYPE html><title>Plain</title><p>Some text.`
	const drawing = `<!DOCTYPE html><img width=20 height=20 src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>">`
	before := []string{"Animation.enable", "Runtime.evaluate", "Page.captureScreenshot"}
	beside := append(slices.Clone(before), "Runtime.evaluate")
	for name, c := range map[string]struct {
		o    savepage.Options
		want []string
	}{
		"text":        {savepage.Options{HTML: text}, before},
		"a letter":    {savepage.Options{HTML: text + "\u5b57"}, beside},
		"a form":      {savepage.Options{HTML: `<!DOCTYPE html><form><input autofocus><textarea>Some text.</textarea></form>`}, beside},
		"a picture":   {savepage.Options{HTML: drawing}, before},
		"load":        {savepage.Options{HTML: text, WaitUntil: savepage.WaitLoad}, before},
		"networkidle": {savepage.Options{HTML: text, WaitUntil: savepage.WaitNetworkIdle}, before},
		"a script":    {savepage.Options{HTML: text + `<script>document.body.append('more')</script>`, WaitUntil: savepage.WaitLoad}, beside},
	} {
		all := record(t, c.o).commands
		if after := all[slices.Index(all, "Animation.enable"):]; !slices.Equal(after, c.want) {
			t.Errorf("%s: sent %s, want %s", name, after, c.want)
		}
	}
}

// An option adds the commands of its own part and no others.
func TestCommandsOfOptions(t *testing.T) {
	least := savepage.Options{URL: shared.url("/a"), WaitUntil: savepage.WaitLoad, Animations: savepage.AnimationsAllow}
	base := record(t, least).set()
	for name, c := range map[string]struct {
		change func(*savepage.Options)
		more   []string // methods that the capture without the option does not send
	}{
		"freeze":   {func(o *savepage.Options) { o.Animations = savepage.AnimationsFreeze }, []string{"Animation.enable"}},
		"settled":  {func(o *savepage.Options) { o.WaitUntil = savepage.WaitSettled }, nil},
		"css":      {func(o *savepage.Options) { o.CSS = "p{color:red}" }, nil},
		"js":       {func(o *savepage.Options) { o.JS = "1" }, []string{"Runtime.compileScript"}},
		"click":    {func(o *savepage.Options) { o.Click = []string{"body"} }, []string{"Input.dispatchMouseEvent"}},
		"timezone": {func(o *savepage.Options) { o.Timezone = "Asia/Tokyo" }, []string{"Emulation.setTimezoneOverride"}},
		"headers": {
			func(o *savepage.Options) { o.Headers = savepage.Headers{"X-A": "1"} }, []string{"Fetch.continueRequest", "Fetch.enable"},
		},
		"block_urls": {
			func(o *savepage.Options) { o.BlockURLs = []string{"*://nowhere.test/*"} },
			[]string{"Fetch.enable", "Page.enable"},
		},
		"block_ads": {
			func(o *savepage.Options) { o.BlockAds = true },
			[]string{"Fetch.continueRequest", "Fetch.enable", "Page.enable", "Runtime.addBinding"},
		},
		"block_cookie_banners": {
			func(o *savepage.Options) { o.BlockCookieBanners = true },
			[]string{"Page.enable", "Runtime.addBinding"},
		},
		"virtual time": {
			func(o *savepage.Options) { o.Time, o.Delay = savepage.TimeVirtual, 100 },
			[]string{"Emulation.setVirtualTimePolicy"},
		},
		"pdf": {
			func(o *savepage.Options) { o.Format = savepage.FormatPDF },
			[]string{
				"DOMDebugger.getEventListeners", "Emulation.setEmulatedMedia", "IO.close", "IO.read",
				"Page.printToPDF",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := least
			c.change(&o)
			got := slices.DeleteFunc(record(t, o).set(), func(method string) bool { return slices.Contains(base, method) })
			if !slices.Equal(got, c.more) {
				t.Errorf("sent besides\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.more, "\n"))
			}
		})
	}
}

// set is the methods that were sent to the page, each once, in alphabetical order.
func (s *sent) set() []string {
	own := slices.DeleteFunc(s.both(), func(c string) bool { return strings.HasPrefix(c, "> ") })
	slices.Sort(own)
	return slices.Compact(own)
}

// maxDepth is how many functions of this module may stand between Render and the wire, both included.
const maxDepth = 10

func TestDepth(t *testing.T) {
	narrow := savepage.Options{Width: 480, Height: 600}
	for name, o := range map[string]savepage.Options{
		"lazy picture":  {URL: shared.url("/scroll-lazy"), Fullpage: true},
		"long page":     {URL: shared.url("/d"), Fullpage: true, Width: 480},
		"tiles":         {URL: shared.url("/bands?height=70000"), Fullpage: true, Width: 480},
		"element":       {URL: shared.url("/bands?height=3000"), Selector: "div:last-of-type", Width: narrow.Width, Height: narrow.Height},
		"clip":          {URL: shared.url("/bands?height=3000"), Clip: &savepage.Clip{Y: 2000, Width: 100, Height: 100}},
		"frame":         {HTML: `<div style="height:3000px"></div><iframe src="` + shared.url("/a") + `"></iframe>`, Fullpage: true},
		"click":         {HTML: `<button onclick="document.body.append('clicked')">b</button>`, Click: []string{"button"}},
		"late selector": {HTML: `<script>setTimeout(() => document.body.innerHTML = '<b>b</b>', 300)</script>`, WaitForSelector: "b"},
		"banner":        {URL: shared.url("/a"), BlockCookieBanners: true, BlockAds: true},
		"own time":      {URL: shared.url("/a"), Time: savepage.TimeVirtual, Delay: 300},
		"pdf":           {URL: shared.url("/scroll-lazy"), Format: savepage.FormatPDF},
		"webp":          {URL: shared.url("/bands?height=3000"), Fullpage: true, Format: savepage.FormatWebP, ThumbWidth: 100},
		"a video":       {HTML: `<video autoplay muted></video><div id=a style="animation:x 1s infinite"></div>`},
		"no scripts": {
			URL: shared.url("/spins?by=interval"), Fullpage: true, Timeout: 5000, OnTimeout: savepage.OnTimeoutCapture,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := record(t, o)
			if len(got.deepest) > maxDepth || len(got.deepest) < 3 {
				t.Errorf("%d functions from Render to the wire:\n%s", len(got.deepest), strings.Join(got.deepest, "\n"))
			}
			t.Logf("%d functions", len(got.deepest))
		})
	}
}
