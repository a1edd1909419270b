package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// builds holds what the end-to-end tests share: the program, built when the first of them asks for it.
type builds struct {
	once      sync.Once
	dir, path string
	err       error
}

var shared builds

// binary builds the program once and returns its path.
func (b *builds) binary() (string, error) {
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "savepage-e2e-"); b.err != nil {
			return
		}
		b.path = filepath.Join(b.dir, "savepage")
		build := exec.Command("go", "build", "-o", b.path, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build
		if out, err := build.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	return b.path, b.err
}

// atOnce is how many end-to-end tests run at once. Most of them wait most of the time.
const atOnce = 4

// tidied runs the tests and removes what they share.
type tidied struct{ *testing.M }

func (m tidied) Run() int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(shared.dir) }()
	return m.M.Run()
}

// program is the built binary with a data folder; it can be started, killed and started again.
type program struct {
	t                    *testing.T
	path                 string
	data                 string
	listen               string
	base                 string
	args                 []string
	account, key, secret string
	cmd                  *exec.Cmd
	logs                 *os.File
	exited               chan error
}

// newProgram makes a key in a new data folder. The program is not started yet.
func newProgram(t *testing.T, args ...string) *program {
	t.Helper()
	return newProgramOn(t, "sqlite", args...)
}

// newProgramOn makes a key in a database. The program is not started yet.
func newProgramOn(t *testing.T, database string, args ...string) *program {
	t.Helper()
	args = append(args, "--database", database)
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &program{t: t, path: path, data: filepath.Join(dir, "data"), listen: freeAddress(t), args: args}
	p.base = "http://" + p.listen
	if p.logs, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "key", "create", "--json", "--data", p.data, "--database", database).Output()
	if err != nil {
		t.Fatalf("key create: %v", err)
	}
	var made struct {
		Account string `json:"account"`
		Key     string `json:"key"`
		Secret  string `json:"webhook_secret"`
	}
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatal(err)
	}
	p.account, p.key, p.secret = made.Account, made.Key, made.Secret
	t.Cleanup(p.end)
	return p
}

// start runs the program and returns when it serves: it answers, and its browser has started.
func (p *program) start() {
	p.t.Helper()
	before := served(p)
	launch(p)
	p.eventually("the program serves", func() bool {
		lives(p)
		return served(p) > before
	})
}

// served is how often the log says that the program serves.
func served(p *program) int {
	p.t.Helper()
	text, err := os.ReadFile(p.logs.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Count(text, []byte(" INF serving "))
}

// lives fails the test when the program has ended.
func lives(p *program) {
	p.t.Helper()
	select {
	case err := <-p.exited:
		p.exited <- err
		p.t.Fatalf("the program ended at its start: %v", err)
	default:
	}
}

// launch runs the program and returns when it answers.
func launch(p *program) {
	p.t.Helper()
	args := append([]string{
		"serve", "--listen", p.listen, "--data", p.data, "--egress-allow", "127.0.0.0/8",
		"--log-format", "text", "--webhook-retry-base", "100ms", "--webhook-timeout", "2m",
	}, p.args...)
	p.cmd = exec.Command(p.path, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.logs, p.logs
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited := make(chan error, 1)
	p.exited = exited
	cmd := p.cmd
	go func() { exited <- cmd.Wait() }()
	p.eventually("the program answers", func() bool {
		lives(p)
		answer, err := http.Get(p.base + "/healthz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// kill ends the program as a power cut would, as far as a process can see.
func (p *program) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
	p.cmd = nil
}

// terminate asks the program to end and returns its exit error.
func (p *program) terminate() error {
	p.t.Helper()
	p.signal()
	return p.ended()
}

func (p *program) signal() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.cmd = nil
}

// ended waits for the end after signal.
func (p *program) ended() error {
	p.t.Helper()
	select {
	case err := <-p.exited:
		return err
	case <-time.After(patience):
		p.t.Fatal("the program did not end after SIGTERM")
		return nil
	}
}

func (p *program) end() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	if p.t.Failed() {
		if text, err := os.ReadFile(p.logs.Name()); err == nil {
			p.t.Logf("log of the program:\n%s", text[max(0, len(text)-20_000):])
		}
	}
	_ = p.logs.Close()
}

// eventually looks every few milliseconds until the condition holds.
func (p *program) eventually(what string, holds func() bool) {
	p.t.Helper()
	awaitTrue(p.t, what, holds)
}

// call sends a request with the key and returns status, header and body.
func (p *program) call(method, path string, body any, header ...string) (int, http.Header, []byte) {
	p.t.Helper()
	status, head, text, err := p.try(method, path, body, header...)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, head, text
}

func (p *program) try(method, path string, body any, header ...string) (int, http.Header, []byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, nil, err
		}
		content = bytes.NewReader(text)
	}
	if !strings.HasPrefix(path, "http") {
		path = p.base + path
	}
	req, err := http.NewRequest(method, path, content)
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, text, err
}

// told is the part of an answer or callback that the tests look at.
type told struct {
	Status     string          `json:"status"`
	CaptureID  string          `json:"capture_id"`
	BatchID    string          `json:"batch_id"`
	StatusURL  string          `json:"status_url"`
	Image      string          `json:"image"`
	Width      int             `json:"width"`
	Height     int             `json:"height"`
	Size       int             `json:"size"`
	Metadata   json.RawMessage `json:"metadata"`
	Error      *savepage.Error `json:"error"`
	Deliveries []struct {
		State    string             `json:"state"`
		Attempts []savepage.Attempt `json:"attempts"`
	} `json:"deliveries"`
}

// submit sends an asynchronous capture and returns its id.
func (p *program) submit(options map[string]any) string {
	p.t.Helper()
	status, _, text := p.call(http.MethodPost, "/v1/capture", options)
	var got told
	if err := json.Unmarshal(text, &got); err != nil || status != http.StatusAccepted || got.Status != "accepted" {
		p.t.Fatalf("submit: status %d, %s", status, text)
	}
	return got.CaptureID
}

// lookup returns a capture by its id.
func (p *program) lookup(id string) told {
	p.t.Helper()
	status, _, text := p.call(http.MethodGet, "/v1/captures/"+id, nil)
	var got told
	if err := json.Unmarshal(text, &got); err != nil || status != http.StatusOK {
		p.t.Fatalf("look up %s: status %d, %s", id, status, text)
	}
	return got
}

// browsersOf returns the process ids of the browsers that a process started.
func browsersOf(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		_, tail, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(tail); len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, pid)
		}
	}
	return found
}
