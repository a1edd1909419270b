package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/testsite"
)

func startSite(t *testing.T) string {
	t.Helper()
	site, err := testsite.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.Close)
	return site.URL
}

func TestHundredSubmissionsBringHundredCallbacks(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	p.start()
	var ids []string
	for i := range 100 {
		ids = append(ids, p.submit(map[string]any{
			"url": site + "/bands?height=300", "width": 320, "height": 240, "callback_url": hook.URL, "metadata": strconv.Itoa(i),
		}))
	}
	p.eventually("100 callbacks", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
	images := map[string]bool{}
	for i, id := range ids {
		calls := hook.of(id)
		if len(calls) != 1 {
			t.Errorf("%s was announced %d times", id, len(calls))
		}
		got := calls[0].result
		if got.Status != "success" || got.Width != 320 || got.Height != 240 || string(got.Metadata) != strconv.Quote(strconv.Itoa(i)) {
			t.Errorf("callback %+v", got)
		}
		images[got.Image] = true
	}
	if len(images) != 100 {
		t.Errorf("%d different pictures", len(images))
	}
}

func TestReceiverThatFailsThreeTimes(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	hook := newReceiver(t, p.secret, func(w http.ResponseWriter, nth int) {
		if nth < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	p.start()
	id := p.submit(map[string]any{"url": site + "/a", "callback_url": hook.URL})
	p.eventually("the fourth attempt", func() bool { return hook.taken([]string{id}) == 1 })
	hook.check()
	calls := hook.of(id)
	if len(calls) != 4 {
		t.Fatalf("%d attempts", len(calls))
	}
	for i, base := 1, 100*time.Millisecond; i < len(calls); i, base = i+1, base*3 {
		if wait := calls[i].at.Sub(calls[i-1].at); wait < base*8/10 {
			t.Errorf("attempt %d came after %s, before %s", i+1, wait, base*8/10)
		}
	}
	p.eventually("the record of the delivery", func() bool {
		got := p.lookup(id)
		return len(got.Deliveries) == 1 && got.Deliveries[0].State == "delivered" && len(got.Deliveries[0].Attempts) == 4
	})
}

func TestReceiverThatHangsDelaysNobody(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t, "--webhook-timeout", "1s")
	release := make(chan struct{})
	slow := newReceiver(t, p.secret, func(_ http.ResponseWriter, nth int) {
		if nth == 0 {
			<-release
		}
	})
	t.Cleanup(func() { close(release) })
	quick := newReceiver(t, p.secret, takes)
	p.start()
	late := p.submit(map[string]any{"url": site + "/a", "callback_url": slow.URL})
	soon := p.submit(map[string]any{"url": site + "/a", "callback_url": quick.URL})
	p.eventually("the quick receiver's callback", func() bool { return quick.taken([]string{soon}) == 1 })
	p.eventually("the slow receiver's second attempt", func() bool { return slow.taken([]string{late}) == 1 })
	if first := p.lookup(late).Deliveries[0].Attempts[0]; first.Outcome != "timeout" {
		t.Errorf("first attempt %+v", first)
	}
}

// kills is how often the program is killed while it works on submissions.
const (
	kills       = 20
	submissions = 200
)

func TestNothingIsLostWhenTheProgramIsKilled(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	p.start()
	var ids []string
	sending := newSender(p, site, hook.URL)
	for range kills {
		alive := time.Duration(rand.IntN(700)+1) * time.Millisecond
		sending.spread(alive, submissions/kills)
		p.kill()
		p.start()
	}
	ids = sending.accepted()
	p.eventually("every callback", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
	seen := map[string]bool{}
	for _, id := range ids {
		got := p.lookup(id)
		if got.Status != "success" {
			t.Errorf("%s ended as %s: %v", id, got.Status, got.Error)
			continue
		}
		status, _, picture := p.call(http.MethodGet, got.Image, nil)
		if status != http.StatusOK || len(picture) != got.Size {
			t.Errorf("%s: status %d, %d bytes of %d", id, status, len(picture), got.Size)
		}
		seen[got.Image] = true
	}
	if len(seen) != len(ids) {
		t.Errorf("%d pictures for %d captures", len(seen), len(ids))
	}
	if len(ids) < submissions/2 {
		t.Errorf("only %d of %d submissions were accepted", len(ids), submissions)
	}
}

// sender submits one capture after the other, spread over the kills, and remembers which were accepted.
type sender struct {
	p          *program
	site, hook string
	ids        []string
}

func newSender(p *program, site, hook string) *sender { return &sender{p: p, site: site, hook: hook} }

// spread submits n captures over a time, the last one just before its end.
func (s *sender) spread(over time.Duration, n int) {
	tick := time.NewTicker(over / time.Duration(n))
	defer tick.Stop()
	for range n {
		<-tick.C
		s.one()
	}
}

func (s *sender) one() {
	status, _, text, err := s.p.try(http.MethodPost, "/v1/capture", map[string]any{
		"url": s.site + "/bands?height=300", "width": 320, "height": 240, "callback_url": s.hook,
	})
	var got told
	if err == nil && status == http.StatusAccepted && json.Unmarshal(text, &got) == nil {
		s.ids = append(s.ids, got.CaptureID)
	}
}

func (s *sender) accepted() []string { return s.ids }

func TestCapturesOutliveTheBrowser(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	p.start()
	var ids []string
	for range 60 {
		ids = append(ids, p.submit(map[string]any{"url": site + "/a", "callback_url": hook.URL}))
	}
	for taken := 5; taken <= 35; taken += 10 {
		p.eventually("some captures", func() bool { return hook.taken(ids) >= taken })
		for _, pid := range browsersOf(t, p.cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	p.eventually("every callback", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
	for _, id := range ids {
		if got := p.lookup(id); got.Status != "success" {
			t.Errorf("%s ended as %s: %v", id, got.Status, got.Error)
		}
	}
}

func TestTerminationDrainsAndTheNextStartTakesUpTheRest(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	// Three pages come at once and the others after the signal, so that some captures run then, and most wait.
	var asked atomic.Int32
	signaled := make(chan struct{})
	release := sync.OnceFunc(func() { close(signaled) })
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 3 {
			<-signaled
		}
		greenPage(w, r)
	})
	t.Cleanup(release)
	p.start()
	var ids []string
	for range 30 {
		ids = append(ids, p.submit(map[string]any{"url": page, "callback_url": hook.URL}))
	}
	p.eventually("the first callbacks", func() bool { return hook.taken(ids) == 3 })
	pid := p.cmd.Process.Pid
	p.signal()
	release()
	if err := p.ended(); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	if left := browsersOf(t, pid); len(left) != 0 {
		t.Errorf("browsers left behind: %v", left)
	}
	if hook.taken(ids) == len(ids) {
		t.Fatal("nothing was left to do; the test proves nothing")
	}
	p.start()
	p.eventually("every callback", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
}

// A start that cannot work because of the limit of open files says so, once.
func TestTooFewFiles(t *testing.T) {
	t.Parallel()
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	script := `ulimit -n 64; exec "$0" serve --listen 127.0.0.1:0 --data "$1"`
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, path, t.TempDir())
	text, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "the limit of open files is 64") {
		t.Errorf("%v: %s", err, text)
	}
}

// A terminal that closes sends SIGHUP: the server stops as it does at SIGTERM.
func TestHangupDrains(t *testing.T) {
	t.Parallel()
	// Where the tests themselves were started with nohup, the program must not inherit that SIGHUP is ignored.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
	p := newProgram(t)
	p.start()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.cmd = nil
	if err := p.ended(); err != nil {
		t.Fatalf("SIGHUP: %v", err)
	}
	if !strings.Contains(p.log(), "drained") {
		t.Error("the log has no line of the drain")
	}
}

func TestPictureSurvivesARestartAndEndsWithRetention(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	status, _, text := p.call(http.MethodPost, "/v1/capture", map[string]any{"url": site + "/a"})
	var got told
	if err := json.Unmarshal(text, &got); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %s", status, text)
	}
	p.kill()
	p.start()
	status, header, picture := p.call(http.MethodGet, got.Image, nil)
	if status != http.StatusOK || header.Get("Content-Type") != "image/png" || len(picture) != got.Size {
		t.Errorf("status %d, %v, %d bytes", status, header, len(picture))
	}
	if !strings.Contains(header.Get("Cache-Control"), "immutable") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", header)
	}
	if status, _, _ := p.call(http.MethodGet, got.Image, nil, "If-None-Match", header.Get("ETag")); status != http.StatusNotModified {
		t.Errorf("If-None-Match: status %d", status)
	}
	status, _, part := p.call(http.MethodGet, got.Image, nil, "Range", "bytes=1-3")
	if status != http.StatusPartialContent || string(part) != "PNG" {
		t.Errorf("Range: status %d, %q", status, part)
	}
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	p.args = []string{"--retention", "1s"}
	p.start()
	p.eventually("the picture is gone", func() bool {
		status, _, _ := p.call(http.MethodGet, got.Image, nil)
		return status == http.StatusNotFound
	})
	p.eventually("the record is gone", func() bool {
		status, _, _ := p.call(http.MethodGet, "/v1/captures/"+got.CaptureID, nil)
		return status == http.StatusNotFound
	})
}

func TestSynchronousCaptureBecomesAsynchronous(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	status, header, text := p.call(http.MethodPost, "/v1/capture", map[string]any{"url": site + "/a", "delay": 3000}, "Prefer", "wait=1")
	var got told
	if err := json.Unmarshal(text, &got); err != nil || status != http.StatusAccepted || header.Get("Location") == "" {
		t.Fatalf("status %d, %v, %s", status, header, text)
	}
	p.eventually("the capture ends", func() bool { return p.lookup(got.CaptureID).Status == "success" })
}

func TestImageAnswer(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	query := url.Values{"url": {site + "/a"}, "response": {"image"}, "format": {"jpeg"}, "width": {"640"}, "height": {"480"}}
	status, header, picture := p.call(http.MethodGet, "/v1/?"+query.Encode(), nil)
	if status != http.StatusOK || header.Get("Content-Type") != "image/jpeg" || string(picture[:3]) != "\xff\xd8\xff" {
		t.Errorf("status %d, %v, %q", status, header, picture[:min(len(picture), 80)])
	}
}
