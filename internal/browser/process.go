package browser

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/jail"
)

// ErrSandbox means that Chromium's sandbox does not work on this machine. Its wrapper names what is missing.
var ErrSandbox = errors.New("chromium's sandbox does not work here")

// process is one Chromium with its pipe and its folder.
type process struct {
	pid    int // also the id of its process group
	uid    int // -1: the service's own
	conn   *cdp.Conn
	jail   *jail.Jail // nil when the browser is in the machine's network
	folder *folder
	errors *tail
	done   chan struct{} // closed when the whole group has ended and the folder is removed
	exit   string        // exit status or signal, such as "signal: killed"; read it after done
	broke  bool          // it ended by a fault of its own; read it after done
	log    *slog.Logger

	mu     sync.Mutex
	killed bool // by us
	ended  bool // the id may belong to another process
}

// startProcess starts Chromium. Its end closes done; kill brings that about.
func startProcess(path string, cfg Config, log *slog.Logger) (*process, error) {
	p := &process{uid: browserUID(), done: make(chan struct{}), errors: &tail{log: log}, log: log}
	if err := p.mayEnter(path, cfg.TempDir); err != nil {
		return nil, err
	}
	var err error
	if p.folder, err = newFolder(cfg.TempDir, p.uid); err != nil {
		return nil, err
	}
	if err := p.start(path, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), p.folder.remove())
	}
	return p, nil
}

// mayEnter checks that another user can reach the binary and its folder, because Chromium itself would only exit.
func (p *process) mayEnter(path, tempDir string) error {
	if p.uid < 0 {
		return nil
	}
	if err := reachable(filepath.Dir(path)); err != nil {
		return fmt.Errorf("browser %s: %w", path, err)
	}
	if err := reachable(tempDir); err != nil {
		return fmt.Errorf("folder for browsers %s: %w", tempDir, err)
	}
	return nil
}

// start runs the binary with the debugging pipe on its file descriptors 3 and 4.
func (p *process) start(path string, cfg Config) error {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		return errors.Join(err, theirIn.Close(), ourOut.Close())
	}
	cmd := command(path, flags(cfg, p.folder.path), p.uid)
	cmd.Env = environment(p.folder.path)
	cmd.Dir = p.folder.path
	cmd.Stderr = p.errors
	cmd.WaitDelay = goneWithin
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	started := make(chan error, 1)
	jail.OnThread(func() { p.run(cmd, cfg, started) })
	err = <-started
	_ = theirIn.Close()
	_ = theirOut.Close()
	if err != nil {
		return errors.Join(err, ourIn.Close(), ourOut.Close())
	}
	p.conn = cdp.NewConn(ourOut, ourIn)
	return nil
}

// run starts the command and sees it to its end, on a thread of its own: the kernel ends the browser with the thread that
// started it, not with the process, and the thread may be in the browser's network namespace.
func (p *process) run(cmd *exec.Cmd, cfg Config, started chan<- error) {
	var err error
	if p.jail, err = jail.Start(cmd, cfg.jail, cfg.Helper); err != nil {
		if cfg.jail != jail.None {
			err = fmt.Errorf("%w: %w", ErrJail, err)
		}
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	awaitExit(p.pid)
	p.mu.Lock()
	killGroup(p.pid) // what the browser left behind; its id is still ours
	p.ended = true
	p.mu.Unlock()
	_ = cmd.Wait() // the state says how it ended
	p.exit, p.broke = cmd.ProcessState.String(), broke(cmd.ProcessState)
	p.clear()
	close(p.done)
}

// clear waits for the rest of the group, and removes the folder and what was opened in the network namespace.
func (p *process) clear() {
	if p.jail != nil {
		if err := p.jail.Close(); err != nil {
			p.log.Warn("leave the browser's network namespace", "error", err)
		}
	}
	deadline := time.Now().Add(goneWithin)
	for !groupGone(p.pid) && time.Now().Before(deadline) {
		pause(5 * time.Millisecond)
	}
	if err := p.folder.remove(); err != nil {
		p.log.Warn("remove browser folder", "folder", p.folder.path, "error", err)
	}
}

func pause(d time.Duration) { <-time.After(d) }

// kill ends the whole process group at once. done says when that is over.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if !p.ended {
		killGroup(p.pid)
	}
}

// ending reports that the process is on its way out by our own doing, or has gone.
func (p *process) ending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed || p.ended
}

// explain turns the end of a browser during its start into what the operator can do about it.
func (p *process) explain(path string, cause error) error {
	said := p.errors.String()
	// Chromium has no other way to say it.
	if strings.Contains(said, "No usable sandbox") || strings.Contains(said, "without --no-sandbox is not supported") {
		return noSandbox(path, firstLineWith(said, "sandbox"))
	}
	if said == "" {
		return fmt.Errorf("%s did not start: %w", path, cause)
	}
	return fmt.Errorf("%s did not start: %w; it said: %s", path, cause, said)
}

func noSandbox(path, said string) error {
	return fmt.Errorf("%w: %s. Missing: %s. Do one of these: "+
		"(1) allow user namespaces: sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1 "+
		"kernel.apparmor_restrict_unprivileged_userns=0, as far as these exist, and in a container a seccomp profile that "+
		"allows clone, setns and unshare; "+
		"(2) install the setuid helper: apt-get install chromium-sandbox (it needs CAP_SYS_ADMIN and no NoNewPrivileges); "+
		"(3) set SAVEPAGE_SANDBOX=off and accept that a broken page may do what the browser's user may do",
		ErrSandbox, said, strings.Join(missing(path), "; "))
}

func firstLineWith(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// tail keeps the last of what the browser writes to its standard error, and logs it.
type tail struct {
	log *slog.Logger

	mu   sync.Mutex
	text []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(text []byte) (int, error) {
	t.log.Debug("browser wrote", "text", strings.TrimSpace(string(text)))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if more := len(t.text) - tailBytes; more > 0 {
		t.text = append(t.text[:0], t.text[more:]...)
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
