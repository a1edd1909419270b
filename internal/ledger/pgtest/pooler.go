package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Pooler is a pgbouncer in front of a server. It is started again whenever it ends, as an operator's is.
type Pooler struct {
	dir   string
	make  func() *exec.Cmd
	ended chan struct{} // closed when none is running any more

	mu      sync.Mutex
	stopped bool
	life    io.WriteCloser
	cmd     *exec.Cmd
}

// pooler is its program.
const pooler = "/usr/sbin/pgbouncer"

// while runs a program until that ends, or its own standard input.
const while = `exec 3<&0; "$@" 3<&- & program=$!; { cat <&3 >/dev/null; kill -TERM $program; } & wait $program`

// Pool starts a pgbouncer in front of the server, in a pool_mode. Stop ends it, before the server's end.
func (s *Server) Pool(ctx context.Context, mode string) (*Pooler, error) {
	if _, err := os.Stat(pooler); err != nil {
		return nil, fmt.Errorf("run scripts/install-test-tools: %w", err)
	}
	dir, err := os.MkdirTemp(s.dir, "pool-")
	if err != nil {
		return nil, err
	}
	p := &Pooler{dir: dir, ended: make(chan struct{})}
	config := fmt.Sprintf("[databases]\n* = host=%s user=%s\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\n"+
		"pool_mode = %s\ndefault_pool_size = 60\nserver_login_retry = 1\nlogfile = %s\n", s.dir, user, p.dir, mode, filepath.Join(p.dir, "log"))
	file := filepath.Join(p.dir, "pgbouncer.ini")
	err = os.WriteFile(file, []byte(config), 0o600)
	if err == nil && os.Getuid() == 0 {
		err = errors.Join(os.Chown(p.dir, nobody, nobody), os.Chown(file, nobody, nobody))
	}
	if err != nil {
		return nil, err
	}
	p.make = func() *exec.Cmd {
		cmd := s.command(context.WithoutCancel(ctx), "sh", "-c", while, "sh", pooler, "--quiet", file)
		cmd.SysProcAttr.Setpgid = true
		return cmd
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	go p.keep()
	return p, p.answers(ctx)
}

// begin starts it, unless it has been stopped.
func (p *Pooler) begin() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return errStopped
	}
	p.cmd = p.make()
	if p.life, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	return p.cmd.Start()
}

var errStopped = errors.New("the pool was stopped")

// keep starts it again whenever it has ended.
func (p *Pooler) keep() {
	defer close(p.ended)
	for {
		_ = p.running().Wait() // what matters is that it has ended
		if err := p.begin(); err != nil {
			return
		}
	}
}

func (p *Pooler) running() *exec.Cmd {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd
}

// answers waits until it listens.
func (p *Pooler) answers(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(p.dir, ".s.PGSQL.6432"))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// Address is the address of a database of the server, by way of the pool.
func (p *Pooler) Address(database string) string {
	return "postgres://" + user + "@/" + database + "?port=6432&host=" + url.QueryEscape(p.dir)
}

// Kill kills it. Another takes its place.
func (p *Pooler) Kill() error { return syscall.Kill(-p.running().Process.Pid, syscall.SIGKILL) }

// Stop ends it.
func (p *Pooler) Stop() error {
	p.mu.Lock()
	p.stopped = true
	err := p.life.Close()
	p.mu.Unlock()
	<-p.ended
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
