package browser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage/internal/guard"
)

func filter(program []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&p)), 0, 0)
}

// read returns what the system says of a process, and whether it has not ended meanwhile.
func read(t *testing.T, pid int, name string) (text string, alive bool) {
	t.Helper()
	content, err := os.ReadFile(procPath(pid, name))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content), true
}

func renderers(pid int) []int {
	return slices.DeleteFunc(groupMembers(pid), func(pid int) bool { return !isRenderer(pid) })
}

func TestConfinement(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	take(t, p)
	pid := p.current.process.pid
	if got := renderers(pid); len(got) == 0 {
		t.Fatal("there is no renderer")
	}
	for _, renderer := range renderers(pid) {
		eventually(t, "the renderer is under a seccomp filter", func() bool { return filters(renderer) > 0 })
		for _, ns := range []string{"ns/pid", "ns/net", "ns/user"} {
			theirs, err1 := os.Readlink(procPath(renderer, ns))
			ours, err2 := os.Readlink(procPath(os.Getpid(), ns))
			if err1 != nil || err2 != nil || theirs == ours {
				t.Errorf("renderer %d has our %s (%v, %v)", renderer, ns, err1, err2)
			}
		}
	}
	members := groupMembers(pid)
	if len(members) < 4 {
		t.Errorf("only %v belong to the group", members)
	}
	for _, member := range members {
		checkMember(t, member)
	}
	if args := commandLine(pid); strings.Contains(args, "--no-sandbox") || !strings.Contains(args, "<-loopback>") {
		t.Errorf("started as %s", args)
	}
	checkListeners(t, members)
	if cwd, _ := os.Readlink(procPath(pid, "cwd")); cwd != p.current.process.folder.path {
		t.Errorf("its folder is %s", cwd)
	}
}

func checkMember(t *testing.T, pid int) {
	t.Helper()
	status, alive1 := read(t, pid, "status")
	limits, alive2 := read(t, pid, "limits")
	score, alive3 := read(t, pid, "oom_score_adj")
	if !alive1 || !alive2 || !alive3 {
		return
	}
	uid := regexp.MustCompile(`(?m)^Uid:\t(\d+)\t(\d+)\t(\d+)\t`).FindStringSubmatch(status)
	for _, text := range uid[1:] {
		n, _ := strconv.Atoi(text)
		if os.Geteuid() == 0 && (n < firstUID || n > lastUID) || os.Geteuid() != 0 && n != os.Geteuid() {
			t.Errorf("process %d runs as user %d", pid, n)
		}
	}
	limits = strings.Join(strings.Fields(limits), " ")
	for _, want := range []string{
		"Max core file size 0 0", "Max open files 4096 4096", "Max data size 2147483648 2147483648",
		"Max file size 268435456 268435456",
	} {
		if !strings.Contains(limits, want) {
			t.Errorf("process %d has not: %s", pid, want)
		}
	}
	if score = strings.TrimSpace(score); score == "0" || strings.HasPrefix(score, "-") {
		t.Errorf("process %d has oom_score_adj %s", pid, score)
	}
}

func TestNothingIsInherited(t *testing.T) {
	t.Setenv("SAVEPAGE_TEST_SECRET", "must not be inherited")
	// Chromium writes over its own environment, so a stand-in says what it got.
	path := filepath.Join(folderForAll(t), "stand-in")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nenv >&2\nls -l /proc/$$/fd >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	// A file as a careless parent leaves it: open and inheritable.
	const stray = 200
	if err := unix.Dup2(1, stray); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	cfg, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(path, cfg, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	await(t, "its end", p.done)
	p.conn.Close()
	var names []string
	for line := range strings.Lines(p.errors.String()) {
		name, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if !found {
			continue
		}
		names = append(names, name)
		if filepath.IsAbs(value) && !strings.HasPrefix(value, p.folder.path) {
			t.Errorf("%s lies outside of the browser's folder", line)
		}
	}
	slices.Sort(names)
	want := "DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS HOME LANG PWD TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("the environment has %s", got)
	}
	if said := p.errors.String(); !strings.Contains(said, " 3 -> ") || strings.Contains(said, " 200 -> ") {
		t.Errorf("open files are %s", said)
	}
}

// checkListeners looks for listening sockets of the processes.
func checkListeners(t *testing.T, pids []int) {
	t.Helper()
	listening := make(map[string]bool)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" {
				listening["socket:["+f[9]+"]"] = true
			}
		}
	}
	for _, pid := range pids {
		files, _ := filepath.Glob(procPath(pid, "fd/*"))
		for _, file := range files {
			if to, _ := os.Readlink(file); listening[to] {
				t.Errorf("process %d listens on a port", pid)
			}
		}
	}
}

func TestFolderIsClosedToOthers(t *testing.T) {
	p := sharedPool(t)
	info, err := os.Stat(p.current.process.folder.path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// copyOfThisTest puts the test program where the browser's user can run it.
func copyOfThisTest(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(folderForAll(t), name)
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStartWithoutUsableSandbox(t *testing.T) {
	path := copyOfThisTest(t, "chromium")
	_, err := Start(within(t), Config{Path: path, Pages: 1}, guard.New(guard.Config{}), logger(t))
	if !errors.Is(err, ErrSandbox) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{
		"No usable sandbox", "user namespaces", "chrome-sandbox", "sysctl", "apt-get install chromium-sandbox",
		"SAVEPAGE_SANDBOX=off",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	p := pool(t, Config{Path: path, Pages: 1, Sandbox: Off})
	mustEvaluate(t, take(t, p), "1", "1")
	if args := commandLine(p.current.process.pid); !strings.Contains(args, "--no-sandbox") {
		t.Errorf("started as %s", args)
	}
	for _, renderer := range renderers(p.current.process.pid) {
		checkMember(t, renderer)
	}
}

func TestPagesWithoutAFilterAreSeen(t *testing.T) {
	for name, path := range map[string]string{"bare": "", "in a container's filter": copyOfThisTest(t, "chromium")} {
		t.Run(name, func(t *testing.T) {
			p := pool(t, Config{Path: path, Pages: 1, Sandbox: Off})
			take(t, p)
			if err := p.current.checkSandbox(p.path); !errors.Is(err, ErrSandbox) {
				t.Errorf("got %v", err)
			}
		})
	}
	p := sharedPool(t)
	take(t, p)
	if err := p.current.checkSandbox(p.path); err != nil {
		t.Error(err)
	}
}

func TestStartErrorsSayWhatToDo(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(folderForAll(t), "wrapper")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no browser here\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		cfg  Config
		want string
	}{
		"no such file": {Config{Path: "/nowhere/chromium"}, `SAVEPAGE_BROWSER is "/nowhere/chromium"`},
		"no browser":   {Config{Path: "/bin/false"}, "/bin/false did not start"},
		"a script":     {Config{Path: script}, "is a script"},
		"bad sandbox":  {Config{Sandbox: "maybe"}, `sandbox is "maybe": must be "required" or "off"`},
		"bad pages":    {Config{Pages: -1}, "must not be negative"},
		"no folder":    {Config{TempDir: "/nowhere"}, "/nowhere"},
	}
	if os.Geteuid() == 0 {
		cases["closed folder"] = struct {
			cfg  Config
			want string
		}{Config{TempDir: closed}, closed + " is closed to the browser's own user"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := Start(within(t), c.cfg, guard.New(guard.Config{}), logger(t))
			if err == nil {
				p.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestStartIsGivenUp(t *testing.T) {
	dir := folderForAll(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	p, err := Start(ctx, Config{Pages: 1, TempDir: dir}, guard.New(guard.Config{}), logger(t))
	if err == nil {
		p.Close()
		t.Fatal("a start of 20 ms succeeded")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestBrowserDiesWithItsService(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := folderForAll(t)
	service := exec.Command(self)
	service.Env = append(os.Environ(), asService+"="+dir)
	out, err := service.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		service.Process.Kill()
		t.Fatalf("the service says %q", line)
	}
	if len(groupMembers(pid)) < 4 {
		t.Errorf("there is no browser with the id %d", pid)
	}
	service.Process.Kill()
	service.Wait()
	eventually(t, "the browser ends", func() bool { return groupGone(pid) })
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 1 {
		t.Fatalf("left over is %v", left)
	}
	pool(t, Config{Pages: 1, TempDir: dir})
	if _, err := os.Stat(left[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the next start left %s", left[0])
	}
}

// The log says how a browser ended that nobody ended.
func TestEndIsLogged(t *testing.T) {
	var log syncBuffer
	p, err := Start(within(t), Config{Pages: 1}, guard.New(guard.Config{}), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.mu.Lock()
	pid := p.current.process.pid
	p.mu.Unlock()
	if err := unix.Kill(pid, unix.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end is logged", func() bool {
		return strings.Contains(log.String(), fmt.Sprintf(`msg="browser ended" pid=%d exit="signal: segmentation fault`, pid))
	})
}

// syncBuffer keeps what several goroutines write.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	dead := exec.Command("/bin/true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	folderOf := func(name string, age time.Time) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "profile"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, age, age); err != nil {
			t.Fatal(err)
		}
		return path
	}
	live, err := newFolder(dir, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer live.remove()
	if err := os.Chtimes(live.path, old, old); err != nil {
		t.Fatal(err)
	}
	self, gonePID := strconv.Itoa(os.Getpid()), strconv.Itoa(dead.Process.Pid)
	// The folder of a service whose process id means nothing here: it lives in another pid namespace.
	elsewhere := folderOf(folderPrefix+gonePID+"-elsewhere", old)
	held, err := os.Open(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := lock(held); err != nil {
		t.Fatal(err)
	}
	abandonedDir := folderOf(folderPrefix+gonePID+"-1", time.Now())
	want := map[string]bool{
		abandonedDir: false,
		folderOf(folderPrefix+self+"-earlier", old): false, // another life of a container's first process
		elsewhere: true,
		folderOf(unlockedPrefix+"1", time.Now().Add(time.Hour)): true, // about to be locked
		folderOf(unlockedPrefix+"2", old):                       false,
		folderOf(folderPrefix+"x-1", old):                       true,
		folderOf("savepage-browser", old):                       true,
		folderOf("another-"+folderPrefix+gonePID, old):          true,
		live.path: true,
	}
	user := exec.Command("/bin/sh", "-c", "read line", "chromium", "--user-data-dir="+abandonedDir+"/profile")
	if _, err := user.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := user.Start(); err != nil {
		t.Fatal(err)
	}
	sweep(dir, logger(t))
	if err := user.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the folder's user ended with %v", err)
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		_, err := os.Stat(path)
		if left := err == nil; left != want[path] {
			t.Errorf("%s is there: %v, want %v", path, left, want[path])
		}
	}
}

func TestFind(t *testing.T) {
	path, looked, err := Find()
	if err != nil || !isBinary(path) || len(looked) == 0 {
		t.Fatalf("got %s, %v, %v", path, looked, err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	named := write("lib/chromium-headless-shell", "\x7fELF")
	beside := write("opt/chrome", "\x7fELF")
	snap := write("bin/snap", "\x7fELF")
	link := filepath.Join(dir, "bin/snapped")
	if err := os.Symlink(snap, link); err != nil {
		t.Fatal(err)
	}
	for wrapper, want := range map[string]string{
		write("bin/one", "#!/bin/sh -e\n\n"+named+" \"$@\"\n"):                     named,
		write("bin/two", "#!/bin/bash\nLIBDIR="+dir+"/lib\nexec $LIBDIR/$NAME\n"):  named,
		write("opt/google-chrome", "#!/bin/bash\nexec -a \"$0\" \"$HERE/chrome\""): beside,
		write("bin/three", "#!/bin/sh\nexec "+link+" \"$@\"\n"):                    "",
		write("bin/empty", ""): "",
		link:                   "",
		named:                  named,
		dir + "/nowhere":       "",
	} {
		got, err := resolve(wrapper)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s gives %q, %v; want %q", wrapper, got, err, want)
		}
	}
	t.Setenv("PATH", filepath.Join(dir, "bin"))
	if got, err := resolve("one"); err != nil || got != named {
		t.Errorf("the PATH gives %q, %v", got, err)
	}
}

func TestEveryPlaceIsReported(t *testing.T) {
	_, looked, err := Find()
	if err != nil {
		if len(looked) != len(candidates()) {
			t.Errorf("%d paths reported", len(looked))
		}
		return
	}
	for i, line := range looked {
		if !strings.HasPrefix(line, candidates()[i]+": ") {
			t.Errorf("%q does not name %s", line, candidates()[i])
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	tail := &tail{log: quiet()}
	for i := range 1000 {
		fmt.Fprintf(tail, "line %d\n", i)
	}
	if got := tail.String(); len(got) > tailBytes || !strings.HasSuffix(got, "line 999") {
		t.Errorf("%d bytes, the end is %q", len(got), got[len(got)-20:])
	}
}
