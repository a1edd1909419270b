package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// service is the real binary with a data folder of its own.
type service struct {
	cmd  *exec.Cmd
	base string
	key  string
	dir  string
	log  *os.File
	http *http.Client

	ready time.Time // when it first answered
}

// setup is how the service is started.
type setup struct {
	binary   string
	dir      string // the folder of its data folder and log; empty: a new one
	database string // empty: SQLite
	roles    string // empty: all
	single   bool   // an account may have one page
	blobs    string // of pictures; empty: in the data folder
	group    string // folder of the control group that it runs in; empty: that of this program
}

// startService starts the service with a key for it.
func startService(ctx context.Context, u setup) (*service, error) {
	if u.dir == "" {
		dir, err := os.MkdirTemp("", "savepage-bench-")
		if err != nil {
			return nil, err
		}
		u.dir = dir
	}
	key, err := createKey(ctx, u)
	if err != nil {
		return nil, err
	}
	return start(ctx, u, key)
}

func start(ctx context.Context, u setup, key string) (*service, error) {
	s := &service{dir: u.dir, key: key, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s.base = "http://" + address
	if s.log, err = os.OpenFile(filepath.Join(u.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	args := []string{
		"serve", "--listen", address, "--egress-allow", "127.0.0.0/8", "--log-level", "warn", "--rate-limit", "6000000",
		"--max-pending", "10000000",
	}
	if u.roles != "" {
		args = append(args, "--roles", u.roles)
	}
	if u.single {
		args = append(args, "--account-pages", "1", "--grace", "1s")
	}
	if knows(ctx, u.binary, "--account-pending") {
		args = append(args, "--account-pending", "0", "--account-pending-bytes", "0")
	}
	s.cmd = u.command(ctx, append(args, u.place()...))
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with this program, also where that fails
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.awaitReady(ctx)
}

// command runs the service, in its control group from the beginning.
func (u setup) command(ctx context.Context, args []string) *exec.Cmd {
	if u.group == "" {
		return exec.CommandContext(ctx, u.binary, args...) //nolint:gosec // the binary under test
	}
	const enter = `echo $$ > "$0/cgroup.procs" && exec "$@"`
	return exec.CommandContext(ctx, "sh", append([]string{"-c", enter, u.group, u.binary}, args...)...) //nolint:gosec // the same
}

// startStill starts the service with a key for it, and has a page of a site rendered that never answers: it takes the only one
// that the account may have, so that nothing else is rendered for it.
func startStill(ctx context.Context, u setup, site string) (*service, error) {
	u.single = true
	s, err := startService(ctx, u)
	if err != nil {
		return nil, err
	}
	return s, s.occupy(ctx, site)
}

// occupy has a page of a site rendered that never answers, and returns when it is under way.
func (s *service) occupy(ctx context.Context, site string) error {
	id, err := s.submitted(ctx, map[string]any{"url": site + "/hang", "timeout": 300_000})
	for tick := time.NewTicker(50 * time.Millisecond); err == nil; {
		var is struct {
			State string `json:"status"`
		}
		var text []byte
		if text, err = s.read(ctx, "/v1/captures?limit=1&state=running"); err != nil {
			return err
		}
		if strings.Contains(string(text), `"cap_`) {
			return nil
		}
		if text, err = s.read(ctx, "/v1/captures/"+id); err == nil {
			err = json.Unmarshal(text, &is)
		}
		if err == nil && is.State != "queued" && is.State != "running" {
			return fmt.Errorf("the page that never answers is %s", is.State)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// place are the flags that say where records and pictures are.
func (u setup) place() []string {
	flags := []string{"--data", filepath.Join(u.dir, "data")}
	if u.database != "" {
		flags = append(flags, "--database", u.database)
	}
	if u.blobs != "" {
		flags = append(flags, "--blobs", u.blobs)
	}
	return flags
}

// knows tells whether a build has a flag: the older one of two may not.
func knows(ctx context.Context, binary, flag string) bool {
	help, err := exec.CommandContext(ctx, binary, "serve", "--help").CombinedOutput()
	return err == nil && strings.Contains(string(help), flag)
}

func createKey(ctx context.Context, u setup, more ...string) (string, error) {
	args := slices.Concat([]string{"key", "create", "--json"}, u.place(), more)
	out, err := exec.CommandContext(ctx, u.binary, args...).Output() //nolint:gosec // the binary under test
	if err != nil {
		return "", fmt.Errorf("key create: %w", err)
	}
	var made struct{ Key string }
	return made.Key, json.Unmarshal(out, &made)
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// awaitReady waits until the service works, and notes when it has answered first.
func (s *service) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := s.http.Do(req); err == nil {
			_ = answer.Body.Close()
			if s.ready.IsZero() {
				s.ready = time.Now()
			}
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := os.ReadFile(s.log.Name())
			return fmt.Errorf("the service did not start:\n%s", text)
		}
	}
}

// captureWith asks for a picture and waits for the answer.
func (s *service) captureWith(ctx context.Context, url string, options map[string]any) error {
	_, err := s.answered(ctx, "", with(options, url))
	return err
}

// pictureOf asks for a picture and returns its length in bytes: the answer carries it.
func (s *service) pictureOf(ctx context.Context, url string, options map[string]any) (int, error) {
	return s.answered(ctx, "?response=image", with(options, url))
}

// answered asks for a capture and reads the whole answer.
func (s *service) answered(ctx context.Context, query string, options map[string]any) (int, error) {
	answer, err := s.post(ctx, query, options)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	return length(answer)
}

func with(options map[string]any, url string) map[string]any {
	all := map[string]any{"url": url}
	maps.Copy(all, options)
	return all
}

// post asks for a capture; whoever calls it closes the answer's body.
func (s *service) post(ctx context.Context, query string, options map[string]any) (*http.Response, error) {
	body, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/v1/capture"+query, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	return s.http.Do(req)
}

func (s *service) pid() int { return s.cmd.Process.Pid }

// stop ends the service. Its folder stays.
func (s *service) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	err := s.cmd.Wait()
	_ = s.log.Close()
	if err != nil {
		return fmt.Errorf("the service ended with %w; its log is in %s", err, s.dir)
	}
	return nil
}

func (s *service) close() error {
	if err := s.stop(); err != nil {
		return err
	}
	return os.RemoveAll(s.dir)
}

// submitter is a lean client for one connection: it writes the same request again and again and reads the answer.
type submitter struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func (s *service) newSubmitter(ctx context.Context) (*submitter, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.base[len("http://"):])
	if err != nil {
		return nil, err
	}
	body := `{"url":"https://example.com/page","fullpage":true,"width":1280,"callback_url":"https://hooks.example.com/savepage"}`
	request := fmt.Sprintf("POST /v1/capture HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n%s", s.key, len(body), body)
	return &submitter{conn: conn, in: bufio.NewReader(conn), request: []byte(request)}, nil
}

func (s *submitter) submit() error {
	if _, err := s.conn.Write(s.request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}
