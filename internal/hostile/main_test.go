package hostile_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/savepage/savepage/internal/browser"
)

var unguarded = flag.Bool("unguarded", false, "render the hostile pages with everything allowed: each must reach its canary")

// A second life of the test program.
const (
	asBrowser = "--remote-debugging-pipe" // an argument: a browser without the flags that keep it off the network
	asInside  = "SAVEPAGE_TEST_INSIDE"    // a variable: the tests, in a network namespace of their own
)

// atOnce is how many pages are rendered at once. Most of them wait.
const atOnce = 8

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, asBrowser) {
		becomeOpenBrowser() // before its flags are read as ours
	}
	flag.Parse()
	if os.Getenv(asInside) == "" {
		if code, ran := runInside(); ran {
			os.Exit(code)
		}
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	rows.print(os.Stdout)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// trusted is a file beside the copy of the test program: the key of a certificate that the browser is to trust.
const trusted = "trusted"

// becomeOpenBrowser runs the real browser without what keeps it from the network by itself: what is left is the proxy of
// each context. One that trusts a certificate keeps its flags.
func becomeOpenBrowser() {
	drop := []string{
		"--host-resolver-rules=", "--force-webrtc-ip-handling-policy=", "--webrtc-ip-handling-policy=", "--disable-quic", "--no-pings",
		"--disable-background-networking", "--block-new-web-contents",
	}
	path, _, err := browser.Find()
	if err == nil {
		args := os.Args[1:]
		if key, none := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), trusted)); none == nil {
			args = append(args, "--ignore-certificate-errors-spki-list="+string(key))
		} else {
			args = slices.DeleteFunc(args, func(arg string) bool {
				return slices.ContainsFunc(drop, func(prefix string) bool { return strings.HasPrefix(arg, prefix) })
			})
		}
		err = unix.Exec(path, append([]string{path}, args...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "exec:", err)
	os.Exit(1)
}

// openBrowser copies the test program to where the browser's own user can reach it.
func openBrowser(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "chromium")
	return path, os.WriteFile(path, program, 0o755)
}

// rows is the table: case, expected, seen.
var rows table

type table struct {
	mu   sync.Mutex
	list []row
}

type row struct{ id, title, want, seen string }

func (t *table) add(id, title, want, seen string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, row{id, title, want, seen})
}

func (t *table) print(to *os.File) {
	if len(t.list) == 0 {
		return
	}
	slices.SortStableFunc(t.list, func(a, b row) int { return strings.Compare(a.id, b.id) })
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nCASE\tWHAT\tEXPECTED\tSEEN")
	for _, r := range t.list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.id, r.title, r.want, r.seen)
	}
	fmt.Fprintf(w, "%d cases\n", len(t.list))
	_ = w.Flush()
}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// folderForAll makes a folder that the browser's own user can reach.
func folderForAll(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "savepage-hostile-") //nolint:usetesting // t.TempDir is for its owner only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func closing(t *testing.T, what string, do func() error) {
	t.Helper()
	t.Cleanup(func() {
		if err := do(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("close %s: %v", what, err)
		}
	})
}
