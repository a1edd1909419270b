package browser

import (
	"os"
	"syscall"
	"time"
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
