package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// TestServe follows a first start as its user sees it: the printed line works, a callback arrives signed, the picture
// outlives the server.
func TestServe(t *testing.T) {
	verifyNoLeaks(t)
	page := servePage(t, greenPage)
	callbacks := make(chan *http.Request, 1)
	bodies := make(chan []byte, 1)
	receiver := servePage(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		callbacks <- r
		bodies <- body
	})
	s := settings(t, t.TempDir())
	sv := start(t, s)

	pasted := regexp.MustCompile(`(http://\S+/v1/) --data-urlencode '(html|url)=[^']+' -d response=image -o page\.png`)
	lines := pasted.FindAllStringSubmatch(sv.out.String(), -1)
	if len(lines) != 2 || lines[0][2] != "html" || lines[1][2] != "url" {
		t.Fatalf("no lines to paste in %q", sv.out)
	}
	printed, err := url.Parse(lines[1][1] + "?" + url.Values{"url": {page}, "response": {"image"}}.Encode())
	if err != nil || printed.Host != sv.address {
		t.Fatalf("the line to paste asks %q, %v", lines[1], err)
	}
	status, picture := sv.do(http.MethodGet, printed.RequestURI(), sv.key(), "")
	decoded, err := png.Decode(bytes.NewReader(picture))
	if status != http.StatusOK || err != nil || decoded.Bounds().Dx() != 1440 {
		t.Fatalf("the line to paste gave %d and %d bytes: %v", status, len(picture), err)
	}

	order, _ := json.Marshal(map[string]any{"url": page, "callback_url": receiver, "width": 400, "height": 300})
	status, accepted := sv.view(http.MethodPost, "/v1/capture", sv.key(), string(order))
	if status != http.StatusAccepted {
		t.Fatalf("got %d %+v", status, accepted)
	}
	var told view
	select {
	case r := <-callbacks:
		body := <-bodies
		secret := regexp.MustCompile(`whsec_\S+`).FindString(sv.out.String())
		if err := savepage.Verify(secret, r.Header, body, time.Now()); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(body, &told); err != nil || told.CaptureID != accepted.CaptureID || told.Status != "success" {
			t.Errorf("the callback says %s, %v", body, err)
		}
	case <-time.After(patience):
		t.Fatalf("no callback\n%s", sv.err)
	}

	awaitTrue(t, "the server is ready", func() bool {
		status, _ := sv.do(http.MethodGet, "/readyz", "", "")
		return status == http.StatusOK
	})
	for _, line := range []string{
		`savepage_captures_accepted_total{replayed="false"} 2`, `savepage_captures_ended_total{code="",state="success"} 2`,
		`savepage_webhook_attempts_total{outcome="delivered"} 1`, "savepage_browsers 1", `savepage_queue_waiting{queue="interactive"} 0`,
		`savepage_capture_phase_seconds_count{phase="navigate"} 2`,
	} {
		awaitMetric(sv, line)
	}
	if err := sv.stop(); err != nil {
		t.Fatalf("stopped with %v\n%s", err, sv.err)
	}

	again := start(t, s)
	if again.out.String() != "" {
		t.Errorf("the second start printed %q", again.out)
	}
	kept, err := url.Parse(told.Image)
	if err != nil {
		t.Fatal(err)
	}
	if status, data := again.do(http.MethodGet, kept.Path, "", ""); status != http.StatusOK || !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Errorf("after a restart the picture is %d, %d bytes", status, len(data))
	}
	if err := again.stop(); err != nil {
		t.Error(err)
	}
}

// TestStopLeavesTheRestToTheNextStart stops a server whose page never ends. A client that waits for it gets a 202 at once:
// the next start brings the capture to its end.
func TestStopLeavesTheRestToTheNextStart(t *testing.T) {
	verifyNoLeaks(t)
	asked, release := make(chan struct{}, 100), make(chan struct{})
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		greenPage(w, r)
	})
	s := settings(t, t.TempDir(), "--grace", "3s")
	sv := start(t, s)
	key := sv.key()
	answers := make(chan answer, 1)
	go func() { answers <- sv.ask(http.MethodGet, "/v1/?url="+url.QueryEscape(page), key, "") }()
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatalf("the page was not asked for\n%s", sv.err)
	}
	if err := sv.stop(); err != nil {
		t.Fatalf("stopped with %v\n%s", err, sv.err)
	}
	var told view
	got := <-answers
	if err := errors.Join(got.err, json.Unmarshal(got.body, &told)); err != nil || got.status != http.StatusAccepted {
		t.Fatalf("who waited was told %d %s: %v", got.status, got.body, err)
	}
	close(release)
	next := start(t, s)
	next.await(told.CaptureID, key, "success")
	if err := next.stop(); err != nil {
		t.Error(err)
	}
}

// TestDrainLetsRunningCapturesEnd stops a server while a page loads that ends within the grace period.
func TestDrainLetsRunningCapturesEnd(t *testing.T) {
	verifyNoLeaks(t)
	asked, release := make(chan struct{}, 100), make(chan struct{})
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		greenPage(w, r)
	})
	s := settings(t, t.TempDir(), "--grace", "5m")
	sv := start(t, s)
	key := sv.key()
	_, accepted := sv.view(http.MethodPost, "/v1/capture", key, `{"async":true,"url":"`+page+`"}`)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatalf("the page was not asked for\n%s", sv.err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- sv.stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("the stop did not wait for the capture: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(release)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	s.Roles = []string{roleAPI}
	looks := start(t, s)
	if _, v := looks.view(http.MethodGet, "/v1/captures/"+accepted.CaptureID, key, ""); v.Status != "success" {
		t.Errorf("the capture is %q after the stop\n%s", v.Status, sv.err)
	}
}

// TestStopDuringStart stops servers at moments of their start, which is not a failure.
func TestStopDuringStart(t *testing.T) {
	verifyNoLeaks(t)
	s := settings(t, t.TempDir())
	for delay := time.Duration(0); delay < 600*time.Millisecond; delay += 75 * time.Millisecond {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(delay, cancel)
		var out, log output
		if err := Run(ctx, s, Streams{Out: &out, Err: &log}, func(string) { cancel() }); err != nil {
			t.Errorf("a stop %s after the start gave %v\n%s", delay, err, &log)
		}
		timer.Stop()
		cancel()
	}
}

// TestRoles accepts with a server that does not render and renders with one that does not serve the API.
func TestRoles(t *testing.T) {
	verifyNoLeaks(t)
	page := servePage(t, greenPage)
	s := settings(t, t.TempDir(), "--roles", "api", "--browser", "/nowhere")
	sv := start(t, s)
	key := sv.key()
	status, accepted := sv.view(http.MethodPost, "/v1/capture", key, `{"async":true,"url":"`+page+`"}`)
	if status != http.StatusAccepted {
		t.Fatalf("got %d %+v", status, accepted)
	}
	if _, v := sv.view(http.MethodGet, "/v1/captures/"+accepted.CaptureID, key, ""); v.Status != "queued" {
		t.Errorf("the capture is %q", v.Status)
	}
	if status, body := sv.do(http.MethodGet, "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("readyz is %d %s", status, body)
	}
	if err := sv.stop(); err != nil {
		t.Fatal(err)
	}
	if log := sv.err.String(); strings.Contains(log, "ERROR") {
		t.Errorf("a server that does not render logged\n%s", log)
	}
	s.Roles, s.Browser = []string{roleRender, roleDeliver}, ""
	worker := start(t, s)
	if status, _ := worker.do(http.MethodGet, "/v1/captures", key, ""); status != http.StatusNotFound {
		t.Errorf("a server without the API answers %d", status)
	}
	if status, _ := worker.do(http.MethodGet, "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("healthz is %d", status)
	}
	awaitMetric(worker, `savepage_captures_ended_total{code="",state="success"} 1`)
}

func awaitMetric(s *server, line string) {
	s.t.Helper()
	awaitTrue(s.t, "the metrics have "+line, func() bool {
		_, metrics := s.do(http.MethodGet, "/metrics", "", "")
		return strings.Contains(string(metrics), line+"\n")
	})
}

// TestOwnAddressStaysShut asks for the server's own address, which the operator's rule would open.
func TestOwnAddressStaysShut(t *testing.T) {
	verifyNoLeaks(t)
	sv := start(t, settings(t, t.TempDir()))
	status, body := sv.do(http.MethodGet, "/v1/?url="+url.QueryEscape("http://"+sv.address+"/healthz"), sv.key(), "")
	if status != http.StatusBadRequest || !strings.Contains(string(body), `"code":"address_blocked"`) {
		t.Errorf("got %d %s", status, body)
	}
}

// TestRefusedStarts are starts that fail and say which setting to look at. They make no key.
func TestRefusedStarts(t *testing.T) {
	verifyNoLeaks(t)
	data := t.TempDir()
	sv := start(t, settings(t, data))
	for _, one := range []struct {
		name, want string
		settings   Settings
	}{
		{"data folder in use", "another savepage serves it", settings(t, data)},
		{"address in use", "SAVEPAGE_LISTEN", settings(t, t.TempDir(), "--listen", sv.address)},
		{"no browser", "/nowhere", settings(t, t.TempDir(), "--browser", "/nowhere")},
		{"no folder for pictures", "picture folder", settings(t, t.TempDir(), "--blobs", "/proc/none")},
	} {
		t.Run(one.name, func(t *testing.T) {
			var out, log output
			err := Run(t.Context(), one.settings, Streams{Out: &out, Err: &log}, func(string) {})
			if err == nil || !strings.Contains(err.Error(), one.want) {
				t.Errorf("got %v", err)
			}
			if out.String() != "" {
				t.Errorf("printed %q", &out)
			}
		})
	}
}

// TestHousekeeping starts a server on a folder with an expired capture and an old picture without a record. The first goes; the
// second is only looked at, however old it is: it goes in the next round.
func TestHousekeeping(t *testing.T) {
	verifyNoLeaks(t)
	page := servePage(t, greenPage)
	s := settings(t, t.TempDir())
	sv := start(t, s)
	key := sv.key()
	_, made := sv.view(http.MethodGet, "/v1/?url="+url.QueryEscape(page), key, "")
	if made.Status != "success" {
		t.Fatalf("got %+v", made)
	}
	if err := sv.stop(); err != nil {
		t.Fatal(err)
	}
	name := path.Base(made.Image)
	kept := filepath.Join(s.Data, "pictures", name[:2], name)
	stray := strings.Replace(kept, ".png", "0.png", 1)
	writeFile(t, stray, "old")
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(stray, past, past); err != nil {
		t.Fatal(err)
	}

	s.Retention = time.Nanosecond
	last := start(t, s)
	awaitGone(t, kept)
	awaitTrue(t, "the record is gone", func() bool {
		status, _ := last.do(http.MethodGet, "/v1/captures/"+made.CaptureID, key, "")
		return status == http.StatusNotFound
	})
	mustBeThere(t, stray) // its second round is an hour away
}

func awaitGone(t *testing.T, name string) {
	t.Helper()
	awaitTrue(t, name+" is gone", func() bool {
		_, err := os.Stat(name)
		return errors.Is(err, fs.ErrNotExist)
	})
}

func mustBeThere(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// awaitTrue asks until the condition holds.
func awaitTrue(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
