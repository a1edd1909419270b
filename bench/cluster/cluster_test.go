package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// screen keeps what is printed and says when something is there.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// running is a cluster that runs in a test.
type running struct {
	*screen
	t     *testing.T
	end   context.CancelFunc
	ended chan error
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "savepage")
	made := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../cmd/savepage")
	made.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// folder is one that everybody may enter, as PostgreSQL's user must.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, s settings) *running {
	t.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{screen: newScreen(), t: t, end: end, ended: make(chan error, 1)}
	go func() { r.ended <- run(ctx, s, r.screen) }()
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Log(r.String())
		}
	})
	return r
}

// awaits returns the first group of what is printed at last.
func (r *running) awaits(pattern string) string {
	r.t.Helper()
	expected := regexp.MustCompile(pattern)
	for {
		if found := expected.FindStringSubmatch(r.String()); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-r.changed:
		case err := <-r.ended:
			r.t.Fatalf("the cluster ended with %v and did not print %s:\n%s", err, pattern, r)
		}
	}
}

// stop ends the cluster as Ctrl-C does.
func (r *running) stop() {
	r.t.Helper()
	r.end()
	if err := <-r.ended; err != nil {
		r.t.Fatal(err)
	}
}

// printed runs the curl line that was printed, and returns the picture.
func (r *running) printed(in string) []byte {
	r.t.Helper()
	line := r.awaits(`(?m)^  (curl .*)$`)
	command := exec.CommandContext(r.t.Context(), "sh", "-c", line)
	command.Dir = in
	if out, err := command.CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	picture, err := os.ReadFile(filepath.Join(in, "page.png"))
	if err != nil {
		r.t.Fatal(err)
	}
	return picture
}

// TestCluster serves, has the printed line work, loses a node, ends, and goes on with what it has when it is started again.
func TestCluster(t *testing.T) {
	s := settings{binary: build(t), data: folder(t), port: taken(t), again: time.Second}
	first := start(t, s)
	if picture := first.printed(t.TempDir()); !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Fatalf("the printed line wrote %d bytes that are no png", len(picture))
	}
	key := first.awaits(`Bearer (sp_\w+)`)
	if err := run(t.Context(), s, newScreen()); err == nil || !strings.Contains(err.Error(), "in use by another cluster") {
		t.Errorf("a second cluster in the folder: %v", err)
	}
	pid, err := strconv.Atoi(first.awaits(`node-2 .* process (\d+)`))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	first.awaits(`node-2 ended \(signal: killed\)[^$]*node-2 .* serving address`)
	nodes := regexp.MustCompile(`http://(127\S+)  \w`).FindAllStringSubmatch(first.String(), -1)
	first.stop()
	if len(nodes) != len(tasks()) {
		t.Errorf("the nodes are %q", nodes)
	}
	for _, node := range nodes {
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", node[1]); err == nil {
			_ = conn.Close()
			t.Errorf("%s listens after the end", node[1])
		}
	}

	second := start(t, s)
	picture := second.printed(t.TempDir())
	if again := second.awaits(`Bearer (sp_\w+)`); again != key {
		t.Errorf("the second start has the key %s, the first %s", again, key)
	}
	if kept := second.pictures(key); len(kept) != 2 || !bytes.Equal(kept[0], picture) || len(kept[1]) != len(picture) {
		t.Errorf("%d pictures are kept", len(kept))
	}
	second.stop()
}

// taken is a port that somebody else listens on.
func taken(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

// pictures are those of all captures, newest first.
func (r *running) pictures(key string) (all [][]byte) {
	r.t.Helper()
	base := r.awaits(`dashboard  (http://\S+)/ui/`)
	list := r.get(base+"/v1/captures", key)
	for _, found := range regexp.MustCompile(`"image":"([^"]+)"`).FindAllSubmatch(list, -1) {
		address := string(found[1])
		_, path, _ := strings.Cut(address, "/captures/") // ports may have changed since
		all = append(all, r.get(base+"/captures/"+path, key))
	}
	return all
}

func (r *running) get(address, key string) []byte {
	r.t.Helper()
	ask, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	ask.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: status %d, %v: %s", address, answer.StatusCode, err, body.Bytes())
	}
	return body.Bytes()
}

// TestStartFails says what is wrong with a folder that PostgreSQL's user cannot enter, and a program that is not there.
func TestStartFails(t *testing.T) {
	fails := func(t *testing.T, data, want string) {
		t.Helper()
		err := run(t.Context(), settings{binary: "/nowhere/savepage", data: data, port: 1}, newScreen())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
	t.Run("a folder that only its owner enters", func(t *testing.T) {
		want := "no such file or directory" // of the program: the owner's PostgreSQL can reach it
		if os.Getuid() == 0 {
			want = "below folders that everybody may enter"
		}
		fails(t, filepath.Join(t.TempDir(), "data"), want)
	})
	t.Run("no program", func(t *testing.T) { fails(t, folder(t), "no such file or directory") })
}
