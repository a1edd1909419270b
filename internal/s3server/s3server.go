// Package s3server starts an S3-compatible server on this machine for tests and trials: versitygw over a folder, as
// scripts/install-test-tools has built it. It refuses to serve anybody but loopback.
package s3server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// program is the server below the user's cache folder; scripts/install-test-tools names it too.
const program = "savepage/versitygw-1.8.0/versitygw"

// The credentials that every server takes, for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
const (
	AccessKey = "savepage-test"
	SecretKey = "not-a-secret"
)

// Bounds of a start.
const (
	startWithin = 30 * time.Second
	lookEvery   = 20 * time.Millisecond
	ports       = 5 // how many are tried: another process may take one first
)

// Server is one running server. Whoever starts it stops it.
type Server struct {
	dir     string
	address string
	process *exec.Cmd
	ended   chan struct{}
	output  *bytes.Buffer // complete when ended is closed
}

// Start starts a server whose buckets are folders of dir.
func Start(ctx context.Context, dir string) (*Server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find versitygw: %w", err)
	}
	path := filepath.Join(cache, program)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("find versitygw, which scripts/install-test-tools builds: %w", err)
	}
	for range ports {
		var s *Server
		if s, err = start(ctx, path, dir); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func start(ctx context.Context, path, dir string) (*Server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, address: address, ended: make(chan struct{}), output: new(bytes.Buffer)}
	//nolint:noctx,gosec // Stop ends it; the path is of the user's own cache
	s.process = exec.Command(path, "--port", address, "--quiet", "posix", dir)
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+AccessKey, "ROOT_SECRET_ACCESS_KEY="+SecretKey)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	// An interrupt of whoever started it does not reach it: those who use it may still have to end.
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start versitygw: %w", err)
	}
	go func() {
		_ = s.process.Wait() // how it ended, its output says
		close(s.ended)
	}()
	if err := s.answers(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// answers waits until the server takes connections.
func (s *Server) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address); err == nil {
			return conn.Close()
		}
		select {
		case <-look.C:
		case <-s.ended:
			return errors.New("versitygw ended at its start: " + strings.TrimSpace(s.output.String()))
		case <-ctx.Done():
			return fmt.Errorf("versitygw does not answer: %w", ctx.Err())
		}
	}
}

// Bucket makes a bucket, if it is not there, and returns the setting that names a prefix of it.
func (s *Server) Bucket(bucket, prefix string) (string, error) {
	if err := os.MkdirAll(filepath.Join(s.dir, bucket), 0o700); err != nil {
		return "", fmt.Errorf("make a bucket: %w", err)
	}
	return "s3://" + bucket + "/" + prefix + "?" + url.Values{"endpoint": {s.Endpoint()}, "region": {"us-east-1"}}.Encode(), nil
}

// Endpoint is where the server is, without a slash at its end.
func (s *Server) Endpoint() string { return "http://" + s.address }

// Signal sends a signal to the server. One that SIGSTOP has stopped answers nothing: Signal returns when every thread has, which
// takes milliseconds.
func (s *Server) Signal(signal syscall.Signal) error {
	err := s.process.Process.Signal(signal)
	if err != nil || signal != syscall.SIGSTOP {
		return err
	}
	for {
		err := unix.Waitid(unix.P_PID, s.process.Process.Pid, nil, unix.WSTOPPED, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Stop ends the server and waits for its end.
func (s *Server) Stop() error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	err := s.process.Process.Kill()
	<-s.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
