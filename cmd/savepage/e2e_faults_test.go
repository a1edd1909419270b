package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
)

// ward is a program of which parts fail.
type ward struct{ *program }

func newWard(t *testing.T, args ...string) ward {
	t.Helper()
	return ward{newProgram(t, args...)}
}

// wrong returns the status of /readyz and what it says of a part.
func (p ward) wrong(part string) (int, string) {
	p.t.Helper()
	status, _, body := p.call(http.MethodGet, "/readyz", nil)
	var got struct {
		Wrong map[string]string `json:"wrong"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		p.t.Fatalf("/readyz: %s", body)
	}
	return status, got.Wrong[part]
}

// survives breaks a part of the running service, expects that /readyz names it, mends it, and expects that every capture that
// was accepted before or meanwhile ends well.
func (p ward) survives(part string, ids []string, during func(), mend func()) {
	p.t.Helper()
	p.eventually("/readyz names the sick part", func() bool {
		status, why := p.wrong(part)
		return status == http.StatusServiceUnavailable && why != ""
	})
	during()
	mend()
	p.eventually("the end of the captures", func() bool {
		for _, id := range ids {
			if !savepage.State(p.lookup(id).Status).Final() {
				return false
			}
		}
		return true
	})
	for _, id := range ids {
		if got := p.lookup(id); got.Status != "success" {
			p.t.Errorf("%s: %s, %v", id, got.Status, got.Error)
		}
	}
	p.eventually("/readyz says that all is well", func() bool { status, _ := p.wrong(part); return status == http.StatusOK })
}

func (p ward) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// some submits captures of their own pages.
func (p ward) some(site string, n int) []string {
	p.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = p.submit(map[string]any{"url": fmt.Sprintf("%s/bands?height=300&n=%d", site, i), "width": 320, "height": 240, "async": true})
	}
	return ids
}

func nothing() {}

// TestPicturesAreGone moves the picture folder away under the running server and back. A picture that is there is not called
// unknown meanwhile.
func TestPicturesAreGone(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t)
	p.start()
	first := p.some(site, 1)[0]
	p.eventually("the first picture", func() bool { return p.lookup(first).Status == "success" })
	image := p.lookup(first).Image
	pictures := filepath.Join(p.data, "pictures")
	p.must(os.Rename(pictures, pictures+".away"))
	ids := p.some(site, 12)
	p.survives("pictures", ids, func() {
		if status, _, _ := p.call(http.MethodGet, image, nil); status == http.StatusNotFound {
			t.Error("a picture of the missing folder is called unknown")
		}
		for _, id := range ids {
			if got := p.lookup(id).Status; got != "queued" && got != "running" {
				t.Errorf("%s is %s", id, got)
			}
		}
	}, func() { p.must(os.Rename(pictures+".away", pictures)) })
	if status, _, _ := p.call(http.MethodGet, image, nil); status != http.StatusOK {
		t.Errorf("the first picture: status %d", status)
	}
}

// TestKeptPictureIsGone deletes the picture folder: it is made anew, and what was in it is not given as a hit.
func TestKeptPictureIsGone(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t)
	p.start()
	shoot := func() told {
		id := p.submit(map[string]any{"url": site + "/bands?height=300", "cache_ttl": 3600, "async": true})
		p.eventually("the end of "+id, func() bool { return savepage.State(p.lookup(id).Status).Final() })
		return p.lookup(id)
	}
	before := shoot()
	p.must(os.RemoveAll(filepath.Join(p.data, "pictures")))
	after := shoot()
	status, _, _ := p.call(http.MethodGet, after.Image, nil)
	if after.Status != "success" || after.Image == before.Image || status != http.StatusOK {
		t.Errorf("after the folder was deleted: %+v, picture %d", after, status)
	}
}

// TestNothingCanBeWritten has every write of the service fail, as on a full disk: what cannot be stored is refused with 503.
func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t)
	p.start()
	ids := p.some(site, 12)
	pid := p.cmd.Process.Pid
	var before unix.Rlimit
	p.must(unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Max: unix.RLIM_INFINITY}, &before))
	p.survives("database", ids, func() { p.refuses(site) }, func() { p.must(unix.Prlimit(pid, unix.RLIMIT_FSIZE, &before, nil)) })
	p.survivesNow(site)
}

// refuses expects that a submission is refused for the time being.
func (p ward) refuses(site string) {
	p.t.Helper()
	for _, body := range []any{map[string]any{"url": site, "async": true}, map[string]any{"urls": []string{site}}} {
		path := map[bool]string{true: "/v1/batches", false: "/v1/capture"}[body.(map[string]any)["urls"] != nil]
		status, head, text := p.call(http.MethodPost, path, body)
		if status != http.StatusServiceUnavailable || head.Get("Retry-After") == "" || !strings.Contains(string(text), `"storage_unavailable"`) {
			p.t.Errorf("%s: status %d, %s", path, status, text)
		}
	}
}

// survivesNow expects that a capture is taken and ends well.
func (p ward) survivesNow(site string) {
	p.t.Helper()
	id := p.some(site, 1)[0]
	p.eventually("the end of a new capture", func() bool { return p.lookup(id).Status == "success" })
}

// TestDatabaseIsGone moves the database away under the running server and back.
func TestDatabaseIsGone(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t)
	p.start()
	ids := p.some(site, 12)
	file := filepath.Join(p.data, "savepage.db")
	p.must(os.Rename(file, file+".away"))
	p.survives("database", ids, func() { p.refuses(site) }, func() { p.must(os.Rename(file+".away", file)) })
	p.survivesNow(site)
}

// TestNoBrowserCanBeStarted kills the browser and puts a program in its place that ends at once.
func TestNoBrowserCanBeStarted(t *testing.T) {
	t.Parallel()
	path := ownBrowser(t)
	site, p := startSite(t), newWard(t, "--browser", path)
	p.start()
	p.survivesNow(site)
	p.must(os.Rename(path, path+".away"))
	p.must(os.WriteFile(path, []byte("#!/bin/sh\nexit 3\n"), 0o755))
	ids := p.some(site, 12)
	p.signalBrowsers(syscall.SIGKILL)
	p.survives("browser", ids, nothing, func() { p.must(os.Rename(path+".away", path)) })
}

// ownBrowser is a copy of the browser that the test may remove.
func ownBrowser(t *testing.T) string {
	t.Helper()
	path, _, err := browser.Find()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "savepage-browser-copy-") //nolint:usetesting // the folder of a test is closed to the browser's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, step := range []func() error{
		func() error { return os.Chmod(dir, 0o755) },
		func() error { return linkAll(filepath.Dir(path), dir) },
		func() error { return os.Remove(filepath.Join(dir, filepath.Base(path))) },
		func() error { return copyProgram(path, filepath.Join(dir, filepath.Base(path))) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(path))
}

// linkAll links to everything in a folder.
func linkAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyProgram(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(copied, source); err != nil {
		return err
	}
	return copied.Close()
}

// signalBrowsers sends a signal to every browser of the program.
func (p ward) signalBrowsers(signal syscall.Signal) {
	p.t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	p.must(err)
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread may have ended
		for child := range strings.FieldsSeq(string(text)) {
			var pid int
			if _, err := fmt.Sscan(child, &pid); err == nil {
				_ = syscall.Kill(pid, signal) // it may have ended
			}
		}
	}
}

// TestPageThatCrashesItsBrowser ends as page_crashed when its browser has crashed twice, and harms nobody after it.
func TestPageThatCrashesItsBrowser(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t)
	var asked atomic.Int64
	bad := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/" {
			asked.Add(1)
			p.signalBrowsers(syscall.SIGSEGV)
			<-req.Context().Done()
		}
	}))
	t.Cleanup(bad.Close)
	p.start()
	id := p.submit(map[string]any{"url": bad.URL, "async": true})
	p.eventually("the end of the page", func() bool { return savepage.State(p.lookup(id).Status).Final() })
	if got := p.lookup(id); got.Error == nil || got.Error.Code != savepage.CodePageCrashed || asked.Load() != 2 {
		t.Errorf("%s, %v, asked %d times", got.Status, got.Error, asked.Load())
	}
	p.survivesNow(site)
}

// TestPatienceEnds ends what has waited for a sick part for too long with a code that says so.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newWard(t, "--fault-patience", "3s")
	p.start()
	pictures := filepath.Join(p.data, "pictures")
	p.must(os.Rename(pictures, pictures+".away"))
	ids := p.some(site, 12)
	p.eventually("the end of the captures", func() bool {
		for _, id := range ids {
			if !savepage.State(p.lookup(id).Status).Final() {
				return false
			}
		}
		return true
	})
	for _, id := range ids {
		got := p.lookup(id).Error
		if got == nil || got.Code != savepage.CodeServiceFault || !strings.Contains(got.Message, "pictures") {
			t.Errorf("%s: %v", id, got)
		}
	}
	p.must(os.Rename(pictures+".away", pictures))
	p.survivesNow(site)
}

// TestOutboundProxyIsGone captures pages of a public address while the operator's outbound proxy is down, and through it when it
// has come: no capture fails for that.
func TestOutboundProxyIsGone(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	p := newWard(t, "--outbound-proxy", "http://"+address)
	p.start()
	ids := p.some("http://93.184.215.14", 3)
	p.survives("network", ids, nothing, func() {
		listener, err := net.Listen("tcp4", address)
		p.must(err)
		proxy := &http.Server{Handler: leadsTo(strings.TrimPrefix(site, "http://"))}
		go proxy.Serve(listener)
		t.Cleanup(func() { proxy.Close() })
	})
}

// leadsTo is a proxy that connects to one address, whatever it is asked for.
func leadsTo(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server, err := net.Dial("tcp4", address)
		if err != nil || r.Method != http.MethodConnect {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		client, from, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(server, from)
			server.Close()
		}()
		_, _ = io.Copy(client, server)
		client.Close()
	})
}
