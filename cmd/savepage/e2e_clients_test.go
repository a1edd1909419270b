package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/api"
)

// TestPythonClient has the client of Python do everything that it can.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	page := servePage(t, greenPage)
	p := newProgram(t)
	p.start()
	secret := linkSecret(p)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not there; scripts/install-test-tools installs it")
	}
	folder, err := filepath.Abs("../../clients/python")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), python, "testdata/client.py", p.base, p.key, page, p.secret, secret)
	run.Env = append(os.Environ(), "PYTHONPATH="+folder, "PYTHONDONTWRITEBYTECODE=1")
	run.Stderr = os.Stderr
	said, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(said, &got); err != nil {
		t.Fatal(err)
	}
	const png = "89504e47"
	var sorted []string
	for _, f := range api.OptionFields() {
		sorted = append(sorted, f.Name)
	}
	slices.Sort(sorted)
	var names []any
	for _, name := range sorted {
		names = append(names, name)
	}
	events, _ := got["events"].([]any)
	delete(got, "events")
	want := map[string]any{
		"options": names, "picture": []any{"success", 320.0, png, png}, "again": true, "waited": "success", "batch": []any{2.0},
		"captures": true, "invalid": []any{"invalid_request", 400.0, "width", true}, "closed": []any{"address_blocked", 400.0, "url", true},
		"inbox": []any{true, savepage.InboxURL + "orders", true}, "inbox_batch": "batch", "inbox_pages": true,
		"inbox_after": []any{"410", []any{}}, "inbox_timeout": true,
		"link": []any{200.0, png}, "expired": 403.0, "verified": []any{true, false}, "stale": false, "unusable": 6.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(events) == 0 || events[len(events)-1] != "done" {
		t.Errorf("events %v", events)
	}
	pythonExamples(t, p, python, folder)
}

// pythonExamples runs the examples of the Python client.
func pythonExamples(t *testing.T, p *program, python, client string) {
	t.Helper()
	folder := t.TempDir()
	environ := append(forClient(p), "PYTHONPATH="+client, "PYTHONDONTWRITEBYTECODE=1")
	page := servePage(t, greenPage)
	example := func(name string, args ...string) *exec.Cmd {
		run := exec.CommandContext(t.Context(), python, append([]string{filepath.Join(client, "examples", name+".py")}, args...)...)
		run.Dir, run.Env = folder, environ
		return run
	}
	for _, one := range []struct {
		run   *exec.Cmd
		works bool
		says  string
	}{
		{example("capture", page), true, `(?s)\ndone \npage\.png: 1440 × \d+, the page answered 200\n$`},
		{example("capture", "ftp://example.com"), false, `^invalid_request: .*field url, request \S+\)\n$`},
		{example("batch", page, page+"?2"), true, `^cap_\w+\.webp: .*\ncap_\w+\.webp: .*\n$`},
		{example("inbox", page), true, `(?s)^verified after \d+ ms, answered 200\n.*webhook-signature matches\.\n.*success\n$`},
	} {
		said, err := one.run.CombinedOutput()
		if (err == nil) != one.works || !regexp.MustCompile(one.says).Match(said) {
			t.Errorf("%s: %v\n%s", one.run.Args[1:], err, said)
		}
	}
	for pattern, want := range map[string]int{"page.png": 1, "cap_*.webp": 2} {
		if found, err := filepath.Glob(filepath.Join(folder, pattern)); err != nil || len(found) != want {
			t.Errorf("%s: %q %v", pattern, found, err)
		}
	}
	pythonReceiver(p, example("receiver", "0"))
}

// pythonReceiver starts the receiver of the examples and has it told of a capture.
func pythonReceiver(p *program, receiver *exec.Cmd) {
	p.t.Helper()
	receiver.Stderr = os.Stderr
	said, err := receiver.StdoutPipe()
	if err == nil {
		err = receiver.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		_ = receiver.Process.Kill()
		_ = receiver.Wait()
	}()
	lines := bufio.NewScanner(said)
	if !lines.Scan() {
		p.t.Fatal("the receiver said nothing")
	}
	hook := "http://127.0.0.1:" + strings.TrimPrefix(lines.Text(), "listening on ") + "/"
	p.submit(map[string]any{"html": "<p>x", "async": true, "callback_url": hook})
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "success http") {
		p.t.Errorf("of a capture it says %q", lines.Text())
	}
	answer, err := http.Post(hook, "application/json", strings.NewReader("{}"))
	if err != nil {
		p.t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		p.t.Errorf("what is not signed is answered %d", answer.StatusCode)
	}
}

// TestGoInbox has the inbox of the Go client do everything that it can.
func TestGoInbox(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start()
	box := client.NewInbox(client.New(p.base, p.key, nil))
	id := p.submit(map[string]any{"html": "<p>x", "async": true, "callback_url": savepage.InboxURL + "orders"})
	event, err := box.Wait(t.Context(), id)
	if err != nil || !event.Verified || event.URL != savepage.InboxURL+"orders" || event.Answer != savepage.InboxOK {
		t.Fatalf("%+v %v", event, err)
	}
	if again, err := box.Event(t.Context(), event.ID); err != nil || cmp.Diff(event, again) != "" {
		t.Errorf("%+v %v", again, err)
	}
	batch := batchOf(p, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := box.Wait(ctx, batch); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an event of a batch that calls nobody: %v", err)
	}
	if err := box.SetAnswer(t.Context(), savepage.InboxGone); err != nil {
		t.Fatal(err)
	}
	p.submit(map[string]any{"html": "<p>y", "async": true, "callback_url": savepage.InboxURL})
	p.eventually("two have arrived", func() bool {
		found, err := box.Look(t.Context(), 1, "")
		if err != nil || found.NextCursor == "" {
			return false
		}
		rest, err := box.Look(t.Context(), 1, found.NextCursor)
		return err == nil && found.Answer == savepage.InboxGone && found.Events[0].Answer == savepage.InboxGone && rest.Events[0].ID == event.ID
	})
	if err := box.Empty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := box.Look(t.Context(), 0, ""); err != nil || len(found.Events) != 0 {
		t.Errorf("%+v %v", found, err)
	}
}

// linkSecret makes a secret that signs links.
func linkSecret(p *program) string {
	p.t.Helper()
	var made savepage.LinkSecret
	status, _, text := p.call(http.MethodPost, "/v1/links/secrets", nil)
	if json.Unmarshal(text, &made) != nil || status != http.StatusCreated {
		p.t.Fatalf("%d %s", status, text)
	}
	return made.Secret
}

// forClient is the environment in which the own tests of a client find the server, which runs, and what they need beside it.
func forClient(p *program) []string {
	p.t.Helper()
	vectors, err := filepath.Abs("../../docs/webhook-vectors.json")
	if err != nil {
		p.t.Fatal(err)
	}
	return append(os.Environ(), "BASE="+p.base, "KEY="+p.key, "PAGE="+servePage(p.t, greenPage), "WEBHOOK_SECRET="+p.secret,
		"LINK_SECRET="+linkSecret(p), "VECTORS="+vectors, "TMPDIR="+p.t.TempDir())
}

// TestTypeScriptClient makes the types of the TypeScript client again, builds it as for a release, and has its own tests and
// examples use it.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start()
	folder := t.TempDir()
	for _, name := range []string{"src", "test", "tools", "examples"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join("../../clients/typescript", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"package.json", "tsconfig.json"} {
		text, err := os.ReadFile(filepath.Join("../../clients/typescript", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tools := lockedFolder(t, "typescript", "clients/typescript")
	if err := os.Symlink(tools, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	environ, tsc := forClient(p), filepath.Join(tools, ".bin", "tsc")
	for _, command := range [][]string{
		{"node", "tools/types.mjs", "types.ts"},
		{"diff", "--unified", "src/openapi.ts", "types.ts"}, // what differs: "npm run types" writes openapi.ts
		{tsc},
		{tsc, "--project", "test"},
		{"node", "build/test/live.test.js"},
	} {
		run := exec.CommandContext(t.Context(), command[0], command[1:]...)
		run.Dir, run.Env = folder, environ
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, said)
		}
	}
}

// TestPHPClient has the client of PHP do everything that it can, and its examples.
func TestPHPClient(t *testing.T) {
	t.Parallel()
	php, err := exec.LookPath("php")
	if err != nil {
		t.Fatal("php is not there; scripts/install-test-tools installs it")
	}
	client, err := filepath.Abs("../../clients/php")
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(t)
	p.start()
	broken, resumed := breaking(t, p.base)
	environ := append(forClient(p), "BREAKING="+broken, "SILENT=http://"+silent(t), "RECEIVER="+receiverInPHP(t, p, php, client))
	run := exec.CommandContext(t.Context(), php, filepath.Join(client, "test", "live.php"))
	run.Dir, run.Env = t.TempDir(), environ
	if said, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var after []string
	for len(resumed) > 0 {
		after = append(after, <-resumed)
	}
	if len(after) < 2 || after[0] != "" || after[len(after)-1] == "" {
		t.Errorf("events were asked for after %q", after)
	}
}

// receiverInPHP starts the receiver that the client shows and returns its address.
func receiverInPHP(t *testing.T, p *program, php, client string) string {
	t.Helper()
	address := freeAddress(t)
	receiver := exec.CommandContext(t.Context(), php, "-S", address, filepath.Join(client, "examples", "receiver.php"))
	receiver.Env = append(os.Environ(), "WEBHOOK_SECRET="+p.secret)
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = receiver.Process.Kill()
		_ = receiver.Wait()
	})
	p.eventually("the receiver listens", func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
	return "http://" + address + "/"
}

// silent returns the address of a server that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// breaking starts a proxy that breaks answers after the first empty line in them, which ends an event, until a client asks for what
// came after it: a break may overtake what was sent before it. The channel has the Last-Event-ID of each request.
func breaking(t *testing.T, base string) (string, <-chan string) {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	var goesOn atomic.Bool
	resumed := make(chan string, 100)
	server := httptest.NewServer(&httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			last := r.In.Header.Get("Last-Event-ID")
			resumed <- last
			if last != "" {
				goesOn.Store(true)
			}
			r.SetURL(target)
		},
		ModifyResponse: func(answer *http.Response) error {
			if !goesOn.Load() {
				answer.Body = &breakingBody{ReadCloser: answer.Body}
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0),
	})
	t.Cleanup(server.Close)
	return server.URL, resumed
}

// breakingBody ends as a connection does that breaks.
type breakingBody struct {
	io.ReadCloser

	ended bool
}

func (b *breakingBody) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p)
	b.ended = bytes.Contains(p[:n], []byte("\n\n"))
	return n, err
}
