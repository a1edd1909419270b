package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// startTime is how long the service may take until it is ready.
const startTime = 2 * time.Minute

// service is the real program with a data folder and a folder of temporary files of its own. It can be killed and started
// again.
type service struct {
	binary string
	dir    string
	base   string
	listen string
	key    string
	log    *os.File
	http   *http.Client
	forced bool     // it is killed: what it says at its end does not count
	args   []string // more of them, for serve

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// kept is how long the service keeps captures. It is shorter than the ten minutes after which growth is judged, so that from
// then on the database has its size, and the caches of SQLite theirs.
const kept = "5m"

// newService makes a service with a key.
func newService(ctx context.Context, binary string, forced bool) (*service, error) {
	s, err := prepare(ctx, binary, forced)
	if err != nil {
		return nil, err
	}
	return s, s.makeKey(ctx)
}

// prepare makes the folder of a service.
func prepare(ctx context.Context, binary string, forced bool) (*service, error) {
	dir, err := os.MkdirTemp("", "savepage-soak-")
	if err != nil {
		return nil, err
	}
	// The browser runs as another user and has its folder there.
	temporary := filepath.Join(dir, "tmp")
	if err := errors.Join(os.Chmod(dir, 0o711), os.Mkdir(temporary, 0o700), os.Chmod(temporary, 0o711)); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{
		binary: binary, dir: dir, listen: listener.Addr().String(), forced: forced,
		http: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	s.base = "http://" + s.listen
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.log, err = os.Create(filepath.Join(dir, "log"))
	return s, err
}

// makeKey makes a key, in the database that the flags name.
func (s *service) makeKey(ctx context.Context, flags ...string) error {
	//nolint:gosec // the binary under test
	out, err := exec.CommandContext(ctx, s.binary, append([]string{"key", "create", "--json", "--data", s.data()}, flags...)...).Output()
	if err != nil {
		return fmt.Errorf("key create: %w", err)
	}
	var made struct{ Key string }
	if err := json.Unmarshal(out, &made); err != nil {
		return err
	}
	s.key = made.Key
	return nil
}

func (s *service) data() string { return filepath.Join(s.dir, "data") }

// stepFile is where a program that was built for it reads by how much its clock is stepped.
func (s *service) stepFile() string { return filepath.Join(s.dir, "step") }

// begin starts the process of the service.
func (s *service) begin(ctx context.Context) (exited chan struct{}, err error) {
	args := append([]string{
		"serve", "--listen", s.listen, "--data", s.data(), "--egress-allow", "127.0.0.0/8", "--log-format", "json",
		"--webhook-retry-base", "200ms", "--webhook-timeout", "2s",
	}, s.args...)
	if !s.forced {
		args = append(args, "--retention", kept)
	}
	//nolint:gosec // the binary under test
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.binary, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(s.dir, "tmp"), "CHAOS_CLOCK_STEP="+s.stepFile())
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited = make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.exited = cmd, exited
	return exited, nil
}

// start starts the service and returns when it is ready.
func (s *service) start(ctx context.Context) error {
	exited, err := s.begin(ctx)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for pause(limited, 20*time.Millisecond) {
		if status, _, err := s.call(limited, http.MethodGet, "/readyz", nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the service ended at its start: %s", s.cmd.ProcessState)
		default:
		}
	}
	return fmt.Errorf("the service was not ready within %s", startTime)
}

func (s *service) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

// end signals the service, waits for its end and returns how it ended.
func (s *service) end(signal syscall.Signal) *os.ProcessState {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	_ = cmd.Process.Signal(signal)
	<-exited
	return cmd.ProcessState
}

func (s *service) close(keep bool) error {
	var err error
	if s.cmd != nil {
		if state := s.end(syscall.SIGTERM); !state.Success() && !s.forced {
			err = fmt.Errorf("the service ended with %s", state)
		}
	}
	_ = s.log.Close()
	if keep {
		return err
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// call makes a request with the key and returns status and body.
func (s *service) call(ctx context.Context, method, path string, body any, header ...string) (int, []byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, content)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, errors.Join(err, answer.Body.Close())
}
