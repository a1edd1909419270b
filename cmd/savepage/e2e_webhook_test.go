package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/savepage/savepage"
)

// npmLibrary is where scripts/install-test-tools puts the Standard Webhooks library of npm, in the user's cache.
const npmLibrary = "savepage/standardwebhooks-1.1.1/node_modules/standardwebhooks"

// npmVerify reads a list of events from standard input and prints for each whether the library verifies it.
const npmVerify = `
const { Webhook } = require(process.argv[1]);
const events = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(events.map(({ secret, headers, body }) => {
  try { new Webhook(secret).verify(body, headers); return true; } catch { return false; }
})));`

// mailbox is a receiver that keeps what it gets.
type mailbox struct {
	*httptest.Server

	mu     sync.Mutex
	refuse bool
	got    []letter
}

type letter struct {
	header http.Header
	body   string
	path   string
	method string
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender was killed
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.got = append(m.got, letter{r.Header, string(body), r.URL.Path, r.Method})
		if m.refuse {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mailbox) refuses(refuse bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = refuse
}

// about returns what came about a capture.
func (m *mailbox) about(id string) (letters []letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.got {
		if strings.Contains(one.body, id) {
			letters = append(letters, one)
		}
	}
	return letters
}

// verdict is what each library says of an event and a secret.
type verdict struct{ Ours, Go, NPM bool }

// judge has all libraries verify a letter.
func judge(t *testing.T, l letter, secrets ...string) []verdict {
	t.Helper()
	type event struct {
		Secret  string            `json:"secret"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	headers := map[string]string{}
	for name := range l.header {
		headers[strings.ToLower(name)] = l.header.Get(name)
	}
	var events []event
	for _, secret := range secrets {
		events = append(events, event{secret, headers, l.body})
	}
	npm := npmSays(t, events)
	var said []verdict
	for i, secret := range secrets {
		library, err := standard.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, verdict{
			Ours: savepage.Verify(secret, l.header, []byte(l.body), time.Now()) == nil,
			Go:   library.Verify([]byte(l.body), l.header) == nil,
			NPM:  npm[i],
		})
	}
	return said
}

func npmSays(t *testing.T, events any) (verified []bool) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(cache, npmLibrary)
	if _, err := os.Stat(library); err != nil {
		t.Fatalf("%v; scripts/install-test-tools installs it", err)
	}
	input, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", npmVerify, library)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	if err := json.Unmarshal(out, &verified); err != nil {
		t.Fatal(err)
	}
	return verified
}

func wantVerdicts(t *testing.T, what string, got []verdict, want ...bool) {
	t.Helper()
	for i, all := range want {
		if got[i] != (verdict{all, all, all}) {
			t.Errorf("%s, secret %d: %+v, want %t", what, i+1, got[i], all)
		}
	}
}

const (
	masterKey    = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	newMasterKey = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
	receiverKey  = "Bearer of-the-receiver-2f7c"
)

// TestSecretsEndToEnd follows secrets through the program: rotation with an overlap, a secret of a capture's own, a kill
// between two attempts, and a change of the master key. Other people's libraries verify what is sent.
func TestSecretsEndToEnd(t *testing.T) {
	t.Setenv("SAVEPAGE_MASTER_KEY", masterKey)
	p, hook := newProgram(t), newMailbox(t)
	p.start()
	submit := func(options map[string]any) string {
		options["html"], options["callback_url"] = "<p>x", hook.URL
		options["width"], options["height"] = 320, 240
		return p.submit(options)
	}
	arrives := func(id string, n int) letter {
		t.Helper()
		p.eventually("the callback of "+id, func() bool { return len(hook.about(id)) >= n })
		return hook.about(id)[n-1]
	}
	wantVerdicts(t, "before", judge(t, arrives(submit(map[string]any{}), 1), p.secret, ownSecret), true, false)

	made := rotate(t, p)
	during := arrives(submit(map[string]any{}), 1)
	wantVerdicts(t, "during the rotation", judge(t, during, made.Secret, p.secret, ownSecret), true, true, false)
	if got := during.header.Get("X-Signature"); got != savepage.Sign(made.Secret, []byte(during.body)) {
		t.Errorf("X-Signature %q is not of the new secret", got)
	}

	hook.refuses(true)
	own := submit(map[string]any{"callback_secret": ownSecret, "callback_headers": map[string]string{"Authorization": receiverKey}})
	first := arrives(own, 1)
	p.kill()
	hook.refuses(false)
	p.start()
	p.eventually("the delivery", func() bool { return p.lookup(own).Deliveries[0].State == "delivered" })
	all := hook.about(own)
	for _, one := range []letter{first, all[len(all)-1]} {
		wantVerdicts(t, "a secret of its own", judge(t, one, ownSecret, made.Secret, p.secret), true, false, false)
		if one.header.Get("Authorization") != receiverKey || one.header.Get("X-Signature") != savepage.Sign(ownSecret, []byte(one.body)) {
			t.Errorf("sent %v", one.header)
		}
	}

	testEvent(t, p, hook, made.Secret)
	untold(t, p, own, p.secret, made.Secret)
	changeMasterKey(t, p)
	wantVerdicts(t, "with a new master key", judge(t, arrives(submit(map[string]any{}), 1), made.Secret, p.secret), true, true)
}

const ownSecret = "whsec_b3duIHNlY3JldCBvZiBvbmUgY2FwdHVyZSE="

func rotate(t *testing.T, p *program) (made savepage.WebhookSecrets) {
	t.Helper()
	status, _, text := p.call(http.MethodPost, "/v1/webhooks/secret/rotate", nil)
	if err := json.Unmarshal(text, &made); err != nil || status != http.StatusOK || len(made.Previous) != 1 {
		t.Fatalf("rotate: %d, %s", status, text)
	}
	status, _, text = p.call(http.MethodGet, "/v1/webhooks/secret", nil)
	if status != http.StatusOK || bytes.Contains(text, []byte(made.Secret)) || bytes.Contains(text, []byte(p.secret)) ||
		!bytes.Contains(text, []byte(made.Current.Hint)) {
		t.Errorf("told: %d, %s", status, text)
	}
	return made
}

// testEvent sends a test event and verifies what arrived and what the answer says of it.
func testEvent(t *testing.T, p *program, hook *mailbox, secret string) {
	t.Helper()
	status, _, text := p.call(http.MethodPost, "/v1/webhooks/test",
		map[string]any{"url": hook.URL, "callback_headers": map[string]string{"Authorization": receiverKey}})
	var trial savepage.Trial
	if err := json.Unmarshal(text, &trial); err != nil || status != http.StatusOK || trial.Outcome != savepage.AttemptDelivered {
		t.Fatalf("test: %d, %s", status, text)
	}
	got := hook.about(`"status":"test"`)
	if len(got) != 1 || got[0].body != trial.Sent.Body || got[0].header.Get("Authorization") != receiverKey ||
		bytes.Contains(text, []byte(receiverKey)) {
		t.Fatalf("arrived %+v, answer %s", got, text)
	}
	wantVerdicts(t, "the test event", judge(t, got[0], secret, p.secret, ownSecret), true, true, false)
	// What the answer tells can be checked with the command.
	headers, err := json.Marshal(trial.Sent.Headers)
	if err != nil {
		t.Fatal(err)
	}
	if code, said := verifies(t, string(headers), trial.Sent.Body, "", []string{"SAVEPAGE_WEBHOOK_SECRET=" + p.secret}); code != exitOK {
		t.Errorf("webhook verify ended with %d: %s", code, said)
	}
}

// untold looks for secrets where none may be: in the answers, the log, and the files of the data folder.
func untold(t *testing.T, p *program, id string, secrets ...string) {
	t.Helper()
	hidden := slices.Concat(secrets, []string{ownSecret, receiverKey})
	look := func(where string, text []byte) {
		for _, one := range hidden {
			if bytes.Contains(text, []byte(strings.TrimPrefix(one, savepage.SecretPrefix))) {
				t.Errorf("%s has %s", where, one)
			}
		}
	}
	for _, path := range []string{"/v1/captures/" + id, "/v1/captures", "/v1/webhooks/secret", "/metrics"} {
		status, _, text := p.call(http.MethodGet, path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		look(path, text)
	}
	files, err := filepath.Glob(filepath.Join(p.data, "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range append(files, p.logs.Name()) {
		if text, err := os.ReadFile(file); err == nil { // folders have no text
			look(file, text)
		}
	}
}

// changeMasterKey restarts the program without its master key, with another, and with a new one beside the old one.
func changeMasterKey(t *testing.T, p *program) {
	t.Helper()
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	for key, says := range map[string]string{
		"":           "there is no master key: set SAVEPAGE_MASTER_KEY",
		newMasterKey: "set SAVEPAGE_MASTER_KEY_OLD to that key",
	} {
		cmd := exec.CommandContext(t.Context(), p.path, "serve", "--listen", p.listen, "--data", p.data)
		cmd.Env = append(os.Environ(), "SAVEPAGE_MASTER_KEY="+key)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(string(out), says) {
			t.Errorf("started with %q: %v, %s", key, err, out)
		}
	}
	t.Setenv("SAVEPAGE_MASTER_KEY", newMasterKey)
	t.Setenv("SAVEPAGE_MASTER_KEY_OLD", masterKey)
	p.start()
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SAVEPAGE_MASTER_KEY_OLD", "")
	p.start()
}
