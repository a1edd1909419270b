package browser

import (
	"encoding/json"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/target"

	wire "github.com/savepage/savepage/internal/cdp"
)

// broke reports whether a process has ended by a fault of its own: a signal that the processor, the kernel's seccomp filter or
// its own check sends, or an exit status that is not 0. Any other signal was sent by somebody, the kernel included when the
// machine has no memory left.
func broke(state *os.ProcessState) bool {
	status, is := state.Sys().(syscall.WaitStatus)
	switch {
	case !is:
		return false
	case !status.Signaled():
		return state.ExitCode() != 0
	}
	switch status.Signal() {
	case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGILL, syscall.SIGFPE, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS:
		return true
	default:
		return false
	}
}

// guilty is what a page's events cost, at the least, that has its share in a browser's having too much to do.
const guilty = 16 << 20

// Broke reports whether the page's browser is lost and has ended by a fault of its own, or by what this page made it do. It
// waits for the end, which follows at once.
func (t *Tab) Broke() bool {
	select {
	case <-t.browser.lost:
	default:
		return false
	}
	select {
	case <-t.browser.process.done:
		alone := t.pool.cfg.alone || t.session.Spent() >= guilty
		return t.browser.process.broke || alone && t.browser.vitals.isWorn()
	case <-time.After(goneWithin):
		return false
	}
}

// fate is how the process of a page has ended.
type fate struct {
	once   sync.Once
	known  chan struct{} // closed when it is
	killed bool          // by a signal that anybody may have sent
}

func newFate() *fate { return &fate{known: make(chan struct{})} }

func (f *fate) learn(killed bool) {
	f.once.Do(func() {
		f.killed = killed
		close(f.known)
	})
}

// EndedItself reports whether the page, in a browser of its own, has ended its process: by a crash, by closing itself, or because
// the service killed it for the memory that it took. Of a page that shares its browser that is not asked: nothing says whose
// the memory of the browser is, and the next time it has one of its own. It waits for the browser's word, which follows at once.
func (t *Tab) EndedItself() bool {
	switch {
	case !t.pool.cfg.alone || !done(t.crashed):
		return false
	case t.browser.overfull.Load():
		return true
	}
	select {
	case <-t.fate.known:
		return !t.fate.killed
	case <-t.browser.lost:
		return false
	case <-time.After(goneWithin):
		return false
	}
}

// ended handles the event that the process of a page has ended, which comes in a browser that one page has to itself.
func (b *chromium) ended(method string, params json.RawMessage) {
	if method != target.TargetCrashed.Method {
		return
	}
	var e target.EventTargetCrashed
	if err := wire.Decode(params, &e); err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.tabs {
		if t.target == e.TargetID {
			t.fate.learn(e.Status == killedStatus)
		}
	}
}

// killedStatus is the browser's word for a process that a signal from outside has ended.
const killedStatus = "killed"
