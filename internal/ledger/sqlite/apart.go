package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exitDamaged is the exit code of a process that has found the file to be damaged.
const exitDamaged = 3

// errNotChecked says that no other process has read the file to its end.
var errNotChecked = errors.New("the process that checks the database failed")

// errPutOff says that the file was not read to its end because so much was written meanwhile.
var errPutOff = errors.New("the check of the database is put off")

// How the file is read beside the work. Most are read before the first rest. What is written while it is read stays in the log,
// which is copied into the file only then.
const (
	readsAtFirst = 200 * time.Millisecond
	reads        = 10 * time.Millisecond
	rests        = 90 * time.Millisecond
	longestLog   = 256 << 20 // bytes
	checkAgain   = 10 * time.Minute
)

// checkApart has a process of its own read the whole file, by the command that Config.Checker names: in this one it would take the
// processor from the work, whose threads wait for each other. It returns errDamaged as checkContent does, and errPutOff when the log
// grew longer than limit.
func (f *folder) checkApart(ctx context.Context, limit int64) error {
	// The process ends with the thread that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var said, wrong bytes.Buffer
	cmd := exec.CommandContext(ctx, f.checker[0], append(f.checker[1:len(f.checker):len(f.checker)], f.dir)...) //nolint:gosec // this program
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{}, &said, &wrong
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Start()
	if err == nil {
		err = f.pace(cmd, limit)
	}
	if ended, is := errors.AsType[*exec.ExitError](err); is && ended.ExitCode() == exitDamaged {
		return fmt.Errorf("%w: %s", errDamaged, strings.TrimSpace(said.String()))
	}
	if err != nil && !errors.Is(err, errPutOff) {
		return fmt.Errorf("%w: %w: %s", errNotChecked, err, strings.TrimSpace(wrong.String()))
	}
	return err
}

// pace lets a process work for a tenth of the time until it ends. It ends the process when the log has grown longer than limit.
func (f *folder) pace(cmd *exec.Cmd, limit int64) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(readsAtFirst)
	defer timer.Stop()
	for rested := false; ; rested = !rested {
		select {
		case err := <-ended:
			return err
		case <-timer.C:
		}
		if rested {
			_ = cmd.Process.Signal(syscall.SIGCONT)
			timer.Reset(reads)
			continue
		}
		if log, err := os.Stat(filepath.Join(f.dir, fileDatabase+"-wal")); err == nil && log.Size() > limit {
			_ = cmd.Process.Kill()
			return fmt.Errorf("%w (%w)", errPutOff, <-ended)
		}
		_ = cmd.Process.Signal(syscall.SIGSTOP)
		timer.Reset(rests)
	}
}

// Check is the program's second life in which it reads the whole file of a data folder, while nothing else wants the processor. It
// writes what is wrong to out, and returns the exit code.
func Check(ctx context.Context, dir string, out io.Writer) int {
	yield()
	db, err := openReaders(dir)
	if err == nil {
		err = errors.Join(checkContent(ctx, db), db.Close())
	}
	switch {
	case err == nil:
		return 0
	case isDamage(err):
		_, _ = fmt.Fprintln(out, err)
		return exitDamaged
	default:
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

// yield lets all threads of this process, and those that they will begin, run only while nothing else wants the processor. A machine
// that does not let it is no reason not to check.
func yield() {
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, path := range threads {
		if id, err := strconv.Atoi(filepath.Base(path)); err == nil {
			_ = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
		}
	}
}
