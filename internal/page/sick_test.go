package page_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
)

// helper finds a process of a browser by a part of its command line.
func helper(t *testing.T, browsers []int, part string) int {
	t.Helper()
	all := helpers(t, browsers, part)
	if len(all) == 0 {
		t.Fatalf("no process with %s", part)
	}
	return all[0]
}

// helpers finds all of them.
func helpers(t *testing.T, browsers []int, part string) (pids []int) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		pid, _ := strconv.Atoi(filepath.Base(name))
		group, err := syscall.Getpgid(pid)
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && slices.Contains(browsers, group) && strings.Contains(string(command), part) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A process of the browser that ends or stops in the middle of a render is no fault of the page, whatever the browser says
// of it, and the next render is right.
func TestHelperOfTheBrowserDies(t *testing.T) {
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		name, part string
		signal     syscall.Signal
		o          savepage.Options
	}{
		{"network, document", "network.mojom.NetworkService", syscall.SIGKILL, savepage.Options{URL: "/hang"}},
		{
			"network, picture", "network.mojom.NetworkService", syscall.SIGKILL,
			savepage.Options{URL: "/pending-picture", WaitUntil: savepage.WaitLoad},
		},
		{"network stopped", "network.mojom.NetworkService", syscall.SIGSTOP, savepage.Options{URL: "/hang"}},
		{"network stopped, little time", "network.mojom.NetworkService", syscall.SIGSTOP, savepage.Options{URL: "/hang", Timeout: 1000}},
		{"GPU", "--type=gpu-process", syscall.SIGKILL, savepage.Options{URL: "/pending-picture", WaitUntil: savepage.WaitLoad}},
		{"zygote", "--type=zygote", syscall.SIGKILL, savepage.Options{URL: "/hang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ownSite(t)
			before := children(t)
			pool, err := browser.Start(context.Background(), browser.Config{Pages: 1, Warm: 1}, guard.New(guard.Config{Allow: allow}), quiet)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			started := slices.DeleteFunc(children(t), func(pid int) bool { return slices.Contains(before, pid) })
			r := page.New(pool, page.Config{}, quiet)
			c.o.URL = w.url(c.o.URL)
			ended := make(chan error, 1)
			go func() {
				_, err := r.Render(t.Context(), patient(c.o))
				ended <- err
			}()
			awaitSeen(t, w.site, "/hang")
			if err := syscall.Kill(helper(t, started, c.part), c.signal); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; code(err) != savepage.CodeBrowserLost {
				t.Errorf("got %v", err)
			}
			shot, err := r.Render(t.Context(), patient(savepage.Options{URL: w.url("/bands?height=900")}))
			if err != nil {
				t.Fatal(err)
			}
			bands(t, decode(t, shot), 1, 0)
		})
	}
}

// A renderer that is killed while its document comes is no fault of the page, also where the browser says only that it has given
// up: the capture is tried again. What brings nothing that could be shown is the page's doing.
func TestRendererDiesBeforeItsDocument(t *testing.T) {
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	before := children(t)
	pool, err := browser.Start(context.Background(), browser.Config{Pages: 1, Warm: 1}, guard.New(guard.Config{Allow: allow}), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	started := slices.DeleteFunc(children(t), func(pid int) bool { return slices.Contains(before, pid) })
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/killed":
			for _, pid := range helpers(t, started, "--type=renderer") {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
			}
			_, _ = io.WriteString(w, "<p>x")
		case "/mail":
			w.Header().Set("Location", "mailto:a@b.test")
			w.WriteHeader(http.StatusFound)
		case "/reset":
			w.WriteHeader(http.StatusResetContent)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer site.Close()
	r := page.New(pool, page.Config{}, quiet)
	for path, c := range map[string]struct {
		times int
		code  savepage.Code
	}{
		"/killed": {12, savepage.CodePageCrashed}, "/mail": {1, savepage.CodeNotAPage},
		"/reset": {1, savepage.CodeNotAPage}, "/none": {1, savepage.CodeNotAPage},
	} {
		for range c.times {
			for pool.Stats().Warm == 0 { // a page that is made at its address has no process before its document
				if t.Context().Err() != nil {
					t.Fatal(t.Context().Err())
				}
			}
			if _, err := r.Render(t.Context(), patient(savepage.Options{URL: site.URL + path})); code(err) != c.code {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// What ends the process of a page that has a browser to itself is the page's doing, unless somebody has killed it. With others
// in the browser that is not said.
func TestWhoEndsThePage(t *testing.T) {
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	before := children(t)
	cfg := browser.Config{Pages: 1, MaxTabRSS: 700 << 20}
	pool, err := browser.Start(t.Context(), cfg, guard.New(guard.Config{Allow: allow}), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		started := slices.DeleteFunc(children(t), func(pid int) bool { return slices.Contains(before, pid) })
		for _, pid := range helpers(t, started, "--type=renderer") {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		<-req.Context().Done()
	}))
	defer site.Close()
	r := page.New(pool, page.Config{}, quiet)
	for name, c := range map[string]struct {
		html string
		own  bool
	}{
		"killed":       {`<p>x</p><img src="` + site.URL + `">`, false},
		"memory":       {`<script>const all = []; for (;;) try { all.push(new Uint8Array(16 << 20).fill(all.length)) } catch {}</script>`, true},
		"its own heap": {`<p>x</p><script>const all = []; for (;;) all.push({n: all.length, s: "x" + all.length})</script>`, true},
	} {
		for ctx, own := range map[context.Context]bool{t.Context(): false, capture.Apart(t.Context()): c.own} {
			_, err := r.Render(ctx, patient(savepage.Options{HTML: c.html}))
			if code(err) != savepage.CodePageCrashed || errors.Is(err, capture.ErrCrashed) != own {
				t.Errorf("%s: apart %t: %v", name, capture.IsApart(ctx), err)
			}
		}
	}
}

// A render that asks for it has a browser of its own.
func TestRenderApart(t *testing.T) {
	before := shared.pool.Stats().Browsers
	w := ownSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := shared.Render(capture.Apart(ctx), patient(savepage.Options{URL: w.url("/hang")}))
		ended <- err
	}()
	awaitSeen(t, w.site, "/hang")
	if n := shared.pool.Stats().Browsers; n != before+1 {
		t.Errorf("%d browsers, want %d", n, before+1)
	}
	cancel()
	<-ended
	shot, err := shared.Render(capture.Apart(t.Context()), patient(savepage.Options{URL: w.url("/bands?height=900")}))
	if err != nil {
		t.Fatal(err)
	}
	bands(t, decode(t, shot), 1, 0)
}
