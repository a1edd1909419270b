package browser

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/jail"
)

// A second life of the test program: these variables and arguments make it another one.
const (
	asService = "SAVEPAGE_TEST_SERVICE" // a service with a browser, to be killed
	asBrowser = "--remote-debugging-pipe"
	asNaked   = "naked"                // the name of the program: a browser without the flags of the network
	asHelper  = "enter-jail"           // an argument: the helper of the network namespace
	asBelted  = "SAVEPAGE_TEST_BELTED" // a service that says which belts it has; the value is its folder
	asJailed  = "SAVEPAGE_TEST_JAIL"   // and which jail it wants
)

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asService) != "":
		serveUntilKilled()
	case len(os.Args) > 1 && os.Args[1] == asHelper:
		fmt.Fprintln(os.Stderr, jail.Enter(os.Args[2:]))
		os.Exit(1)
	case os.Getenv(asBelted) != "":
		sayBelts()
		return
	case filepath.Base(os.Args[0]) == asNaked:
		becomeNakedBrowser()
	case slices.Contains(os.Args, asBrowser):
		becomeBrowserWithoutNamespaces()
	}
	code := m.Run()
	if p := shared.opened; p != nil {
		p.Close()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// serveUntilKilled starts a browser, says its process id and waits for the end.
func serveUntilKilled() {
	p, err := Start(context.Background(), Config{Warm: 1, TempDir: os.Getenv(asService)}, guard.New(guard.Config{}), quiet())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.current.process.pid)
	select {}
}

// becomeBrowserWithoutNamespaces runs the real browser under a filter like that of a container, which refuses new user
// namespaces.
func becomeBrowserWithoutNamespaces() {
	runtime.LockOSThread()
	const refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE3, Jt: 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_UNSHARE, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // its first argument
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_NEWUSER, Jt: 2, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse},
	}
	if err := filter(program); err != nil {
		fmt.Fprintln(os.Stderr, "filter:", err)
		os.Exit(1)
	}
	path, _, err := Find()
	if err == nil {
		err = unix.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "exec:", err)
	os.Exit(1)
}

// becomeNakedBrowser runs the real browser without any flag that keeps it off the network.
func becomeNakedBrowser() {
	ofNetwork := func(arg string) bool {
		return slices.ContainsFunc([]string{
			"--proxy-", "--host-resolver-rules=", "--force-webrtc-ip-handling-policy=", "--webrtc-ip-handling-policy=", "--disable-quic",
		}, func(prefix string) bool { return strings.HasPrefix(arg, prefix) })
	}
	path, _, err := Find()
	if err == nil {
		err = unix.Exec(path, append([]string{path}, slices.DeleteFunc(os.Args[1:], ofNetwork)...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "exec:", err)
	os.Exit(1)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logger writes to the test's log.
func logger(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// pool starts a pool of the test's own, and closes it with the test.
func pool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	return poolWith(t, cfg, guard.New(guard.Config{}))
}

func poolWith(t *testing.T, cfg Config, policy *guard.Policy) *Pool {
	t.Helper()
	p, err := Start(within(t), cfg, policy, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close the pool: %v", err)
		}
	})
	return p
}

// shared is the pool of the tests that leave its browser as it was.
var shared struct {
	start  sync.Once
	opened *Pool
	err    error
}

func sharedPool(t *testing.T) *Pool {
	t.Helper()
	shared.start.Do(func() {
		shared.opened, shared.err = Start(context.Background(), Config{Pages: 4, Warm: 2}, guard.New(guard.Config{}), quiet())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.opened
}

func take(t *testing.T, p *Pool) *Tab {
	t.Helper()
	tab, err := p.Take(within(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	return tab
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
	}
}

func still(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
		t.Errorf("%s", what)
	default:
	}
}

// folderForAll makes a folder that the browser's own user can reach, unlike that of t.TempDir.
func folderForAll(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "savepage-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eventually looks every few milliseconds until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// freeze stops a process, and returns when none of its threads runs: until then, for milliseconds, it goes on answering.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool {
		threads, _ := os.ReadDir(procPath(pid, "task")) // the pool's own watch may have killed it meanwhile
		return !slices.ContainsFunc(threads, func(thread os.DirEntry) bool {
			fields := statusIn(filepath.Join(procPath(pid, "task"), thread.Name()))
			return fields != nil && !slices.Contains([]string{"T", "Z", "X"}, fields[0])
		})
	})
}

// evaluate runs a script in the page and returns its text.
func evaluate(ctx context.Context, tab *Tab, script string) (string, error) {
	res, err := wire.Call(ctx, tab.Session(), cdpruntime.Evaluate, cdpruntime.EvaluateParams{
		Expression: script, AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return "", err
	}
	if res.ExceptionDetails != nil {
		return "", fmt.Errorf("script: %s", res.ExceptionDetails.Text)
	}
	return string(res.Result.Value), nil
}

func mustEvaluate(t *testing.T, tab *Tab, script, want string) {
	t.Helper()
	got, err := evaluate(within(t), tab, script)
	if err != nil || got != want {
		t.Errorf("%s gives %s, %v; want %s", script, got, err, want)
	}
}

// contexts counts the contexts that a browser has.
func contexts(t *testing.T, b *chromium) int {
	t.Helper()
	res, err := wire.Call(within(t), b.conn().Browser(), target.GetBrowserContexts, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	return len(res.BrowserContextIDs)
}
