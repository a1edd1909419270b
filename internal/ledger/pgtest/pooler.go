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
	"time"
)

// Pooler is a running pgbouncer in front of a server.
type Pooler struct {
	dir  string
	life io.WriteCloser
	cmd  *exec.Cmd
}

// pooler is its program.
const pooler = "/usr/sbin/pgbouncer"

// while runs a program until its own standard input ends.
const while = `"$@" & program=$!; cat >/dev/null; kill -TERM $program; wait $program`

// Pool starts a pgbouncer in front of the server, in a pool_mode. Stop ends it, before the server's end.
func (s *Server) Pool(ctx context.Context, mode string) (*Pooler, error) {
	if _, err := os.Stat(pooler); err != nil {
		return nil, fmt.Errorf("run scripts/install-test-tools: %w", err)
	}
	p := &Pooler{dir: filepath.Join(s.dir, mode)}
	config := fmt.Sprintf("[databases]\n* = host=%s user=%s\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\n"+
		"pool_mode = %s\ndefault_pool_size = 60\nserver_login_retry = 1\nlogfile = %s\n", s.dir, user, p.dir, mode, filepath.Join(p.dir, "log"))
	file := filepath.Join(p.dir, "pgbouncer.ini")
	err := errors.Join(os.Mkdir(p.dir, 0o700), os.WriteFile(file, []byte(config), 0o600))
	if err == nil && os.Getuid() == 0 {
		err = errors.Join(os.Chown(p.dir, nobody, nobody), os.Chown(file, nobody, nobody))
	}
	if err != nil {
		return nil, err
	}
	p.cmd = s.command(context.WithoutCancel(ctx), "sh", "-c", while, "sh", pooler, "--quiet", file)
	p.cmd.SysProcAttr.Setpgid = true
	if p.life, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, p.answers(ctx)
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

// Stop ends it.
func (p *Pooler) Stop() error {
	err := p.life.Close()
	_ = p.cmd.Wait() // what matters is that it has ended
	return err
}
