package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
)

// axeFile is where scripts/install-test-tools puts axe, in the user's cache.
const axeFile = "savepage/axe-core-4.14.1/node_modules/axe-core/axe.min.js"

// visitorUID is a user that nothing belongs to: Chromium keeps its sandbox, which it gives up for root.
const visitorUID = 61398

// visitor is somebody with a browser who looks at the dashboard. It notes what a page must not do.
type visitor struct {
	t       *testing.T
	session *cdp.Session
	axe     string

	mu     sync.Mutex
	said   []string // messages of the console
	others []string // requests to other hosts
	loaded chan struct{}
}

// newVisitor starts a browser, which the end of the test ends.
func newVisitor(t *testing.T) *visitor {
	t.Helper()
	path, err := findBrowser("")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	axe, err := os.ReadFile(filepath.Join(cache, axeFile))
	if err != nil {
		t.Fatalf("axe, which scripts/install-test-tools installs: %v", err)
	}
	conn := startVisitor(t, path)
	v := &visitor{t: t, axe: string(axe), loaded: make(chan struct{}, 16)}
	var made struct {
		TargetID  string `json:"targetId"`
		SessionID string `json:"sessionId"`
	}
	root := conn.Browser()
	for _, step := range []struct {
		method string
		params func() map[string]any
	}{
		{"Target.createTarget", func() map[string]any { return map[string]any{"url": "about:blank", "width": 1280, "height": 900} }},
		{"Target.attachToTarget", func() map[string]any { return map[string]any{"targetId": made.TargetID, "flatten": true} }},
	} {
		if err := root.Execute(t.Context(), step.method, step.params(), &made); err != nil {
			t.Fatal(err)
		}
	}
	v.session = conn.Attach(target.SessionID(made.SessionID))
	v.session.Listen(v.note)
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Network.enable", "Log.enable"} {
		v.do(domain, nil, nil)
	}
	return v
}

func startVisitor(t *testing.T, path string) *cdp.Conn {
	t.Helper()
	profile, err := os.MkdirTemp("", "savepage-visitor-") //nolint:usetesting // the browser's user must get there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--user-data-dir="+profile, "--no-first-run", "--hide-scrollbars",
		"--disable-gpu", "about:blank")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: visitorUID, Gid: visitorUID}
		if err := os.Chown(profile, visitorUID, visitorUID); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = []string{"HOME=" + profile, "TMPDIR=" + profile, "LANG=C.UTF-8"}
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toBrowser.Close(), fromBrowser.Close()
	conn := cdp.NewConn(in, out)
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = conn.Close()
		_ = os.RemoveAll(profile)
	})
	return conn
}

// note keeps what a page says and asks for. Only the test's own servers are on loopback.
func (v *visitor) note(method string, params json.RawMessage) {
	switch method {
	case "Page.loadEventFired":
		select {
		case v.loaded <- struct{}{}:
		default:
		}
	case "Page.javascriptDialogOpening": // a question before something is removed
		go func() {
			_ = v.session.Execute(v.t.Context(), "Page.handleJavaScriptDialog", map[string]any{"accept": true}, nil)
		}()
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		v.mu.Lock()
		v.said = append(v.said, method+" "+string(params))
		v.mu.Unlock()
	case "Network.requestWillBeSent":
		var sent struct {
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
		}
		_ = json.Unmarshal(params, &sent)
		if address := sent.Request.URL; !strings.HasPrefix(address, "http://127.0.0.1:") && !strings.HasPrefix(address, "data:") {
			v.mu.Lock()
			v.others = append(v.others, address)
			v.mu.Unlock()
		}
	}
}

func (v *visitor) do(method string, params, result any) {
	v.t.Helper()
	if err := v.session.Execute(v.t.Context(), method, params, result); err != nil {
		v.t.Fatalf("%s: %v", method, err)
	}
}

// open goes to an address and returns when it has loaded.
func (v *visitor) open(address string) {
	v.t.Helper()
	for len(v.loaded) > 0 {
		<-v.loaded
	}
	var gone struct {
		ErrorText string `json:"errorText"`
	}
	v.do("Page.navigate", map[string]any{"url": address}, &gone)
	if gone.ErrorText != "" {
		v.t.Fatalf("the browser does not open %s: %s", address, gone.ErrorText)
	}
	select {
	case <-v.loaded:
	case <-v.t.Context().Done():
	}
}

// ask evaluates an expression, and what it promises, and reads the value.
func (v *visitor) ask(expression string, value any) error {
	var got struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		ExceptionDetails json.RawMessage `json:"exceptionDetails"`
	}
	params := map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true}
	if err := v.session.Execute(v.t.Context(), "Runtime.evaluate", params, &got); err != nil {
		return err
	}
	if value == nil || len(got.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(got.Result.Value, value)
}

// sees waits until an expression is true. A page that goes away meanwhile is asked again.
func (v *visitor) sees(what, expression string) {
	v.t.Helper()
	awaitTrue(v.t, what, func() bool {
		var is bool
		return v.ask("!!("+expression+")", &is) == nil && is
	})
}

// fill types into a field.
func (v *visitor) fill(selector, text string) {
	v.t.Helper()
	v.focus(selector)
	v.do("Input.insertText", map[string]any{"text": text}, nil)
}

// focus gives an element the focus once the page is whole: before, its scripts hear of no key.
func (v *visitor) focus(selector string) {
	v.t.Helper()
	v.sees(selector+" can be focused", `document.readyState === "complete" &&
		(document.querySelector(`+quoted(selector)+`)?.focus() || document.activeElement?.matches(`+quoted(selector)+`))`)
}

// press presses Enter on what has the focus.
func (v *visitor) press(selector string) {
	v.t.Helper()
	v.focus(selector)
	v.key("Enter", 13)
}

// key presses a key.
func (v *visitor) key(name string, code int) {
	v.t.Helper()
	key := map[string]any{"type": "rawKeyDown", "key": name, "code": name, "windowsVirtualKeyCode": code}
	if name == "Enter" {
		key["type"], key["text"] = "keyDown", "\r"
	}
	v.do("Input.dispatchKeyEvent", key, nil)
	key["type"] = "keyUp"
	v.do("Input.dispatchKeyEvent", key, nil)
}

// looks sets the window and the colours.
func (v *visitor) looks(width int, scheme string) {
	v.t.Helper()
	window := map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}
	v.do("Emulation.setDeviceMetricsOverride", window, nil)
	colours := []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}
	v.do("Emulation.setEmulatedMedia", map[string]any{"features": colours}, nil)
}

// fine expects of the page that is open what every page must keep: what fits says, and no violation that axe finds.
func (v *visitor) fine(name string) {
	v.t.Helper()
	if err := v.ask(v.axe, nil); err != nil {
		v.t.Fatal(err)
	}
	var violations []string
	if err := v.ask(`axe.run({resultTypes: ["violations"]}).then((r) => r.violations.map((one) =>
		one.id + ": " + one.nodes.map((n) => n.html).join(" ").slice(0, 300)))`, &violations); err != nil {
		v.t.Fatal(err)
	}
	for _, one := range violations {
		v.t.Errorf("%s: axe finds %s", name, one)
	}
	v.fits(name)
}

// passes is fine for the narrowest and the widest window; between them axe has nothing else to look at than what fits.
func (v *visitor) passes(name string, width int) {
	v.t.Helper()
	if width == 768 {
		v.fits(name)
		return
	}
	v.fine(name)
}

// fits expects nothing wider than the window, nothing in the console, and no request to another host.
func (v *visitor) fits(name string) {
	v.t.Helper()
	var wide []string
	if err := v.ask(`document.documentElement.scrollWidth <= innerWidth ? [] : Array.from(document.querySelectorAll("body *"))
		.filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
		.map((e) => e.tagName + "." + e.className).slice(0, 5)`, &wide); err != nil {
		v.t.Fatal(err)
	}
	if len(wide) > 0 {
		v.t.Errorf("%s is wider than its window: %q", name, wide)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range slices.Concat(v.said, v.others) {
		v.t.Errorf("%s says or asks for %s", name, one)
	}
	v.said, v.others = nil, nil
}

// forget drops what was noted, after something that a test did on purpose.
func (v *visitor) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = nil
}

// keep writes a picture of the page for people, if a folder is named.
func (v *visitor) keep(name string) {
	folder := os.Getenv("DASHBOARD_PICTURES")
	if folder == "" {
		return
	}
	var shot struct {
		Data string `json:"data"`
	}
	v.do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), data, 0o600)
	}
	if err != nil {
		v.t.Error(err)
	}
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}
