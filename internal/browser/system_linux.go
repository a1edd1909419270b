package browser

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The users that browsers run as when the service runs as root. They need no account; each browser takes one that no
// process has.
const (
	firstUID = 61200
	lastUID  = 61299
)

// browserUID returns the user for a new browser, or -1 for the service's own when it is not root.
func browserUID() int {
	if os.Geteuid() != 0 {
		return -1
	}
	used := make(map[uint32]bool)
	for _, pid := range processes() {
		var info unix.Stat_t
		if unix.Stat(procPath(pid, ""), &info) == nil {
			used[info.Uid] = true
		}
	}
	for uid := uint32(firstUID); uid <= lastUID; uid++ {
		if !used[uid] {
			return int(uid)
		}
	}
	return firstUID
}

// command is the browser with a process group, a user, and an end when the thread that starts it ends.
func command(path string, args []string, uid int) *exec.Cmd {
	// Files that the service itself has inherited would be inherited further. An older kernel cannot do this, and leaves them.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	args = append([]string{"-c", confined, path}, args...)
	cmd := exec.Command("/bin/sh", args...) //nolint:noctx,gosec // it lives as long as the pool; the path is the operator's
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if uid >= 0 {
		id := uint32(uid) //nolint:gosec // between firstUID and lastUID
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	}
	return cmd
}

// confined is a shell's text that bounds what the browser and its children may take, whatever a page makes them do, and
// then becomes the browser: a shell, because a service without CAP_SYS_RESOURCE may not set the limits of another user's
// process, and so that they hold from the first moment. A limit that is lower already stays. Units are POSIX's: 512 bytes
// for -c and -f, 1,024 for -d. RLIMIT_AS is not among them: Chromium reserves terabytes of it.
const confined = `
ulimit -c 0                                          # no page on disk
ulimit -n 4096 || :                                  # sockets and files
ulimit -f 524288 || :                                # 256 MiB in one file; memory that processes share counts as a file
trap '' XFSZ                                         # beyond it a write or an allocation fails, and the browser goes on
ulimit -d 2097152 || :                               # 2 GiB: array buffers and canvases, which the heap's limit does not see
ulimit -p 4096 2>/dev/null || ulimit -u 4096 || :    # threads: ends a fork bomb, lets no page starve the others
echo 1000 >/proc/self/oom_score_adj || :             # the kernel ends a page before it ends the service
exec "$0" "$@"
`

// minFiles is how many files the service and a browser must be able to have open: a browser starts with about two hundred, and
// a page adds some.
const minFiles = 512

// checkFiles returns an error when the limit of open files is too low to start a browser. Chromium itself would only crash.
func checkFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if limit.Max < minFiles {
		return fmt.Errorf("the limit of open files is %d, and a browser needs at least %d: raise it with ulimit -n 4096, "+
			"or with LimitNOFILE=4096 in a systemd unit", limit.Max, minFiles)
	}
	return nil
}

// awaitExit returns when the process has exited, and leaves it to be reaped: until then its id stays taken.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func killGroup(group int) { _ = unix.Kill(-group, unix.SIGKILL) }

// groupGone reports whether nothing of a killed process group runs. Members that have become our children, because the
// service is a container's first process, are reaped; others may still wait for that, which takes some inits a second.
func groupGone(group int) bool {
	for {
		pid, err := unix.Wait4(-group, nil, unix.WNOHANG, nil)
		if pid <= 0 && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return !slices.ContainsFunc(groupMembers(group), func(pid int) bool { return !zombie(pid) })
}

func zombie(pid int) bool {
	fields := status(pid)
	return fields == nil || fields[0] == "Z" || fields[0] == "X"
}

// status is what the kernel says of a process, its state first (proc(5), stat from the third field on); nil for none.
func status(pid int) []string { return statusIn(procPath(pid, "")) }

// statusIn is the same for the folder of a process or of a thread.
func statusIn(folder string) []string {
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return nil
	}
	return fields
}

// processorTime is how long a process has run, all its threads together.
func processorTime(pid int) time.Duration {
	fields := status(pid)
	if fields == nil {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every kernel that Go runs on
	return time.Duration(user+system) * tick
}

// setPriority lowers the priority of all threads of a process; 0 is the usual one, and 19 the lowest. One that is lower already
// stays. Threads that are begun later have the same. A service that may not do this leaves it.
func setPriority(pid, nice int) {
	threads, err := os.ReadDir(procPath(pid, "task"))
	if err != nil {
		return // it has ended
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		if now, err := unix.Getpriority(unix.PRIO_PROCESS, id); err == nil && 20-now < nice { // the kernel's answer is turned round
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, nice)
		}
	}
}

func lock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// locked reports whether somebody holds the lock on a folder. A folder that cannot be opened counts as held.
func locked(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil
}

// killUsersOf ends the browsers whose profile lies in the folder.
func killUsersOf(folder string) {
	for _, pid := range processes() {
		if strings.Contains(commandLine(pid), "--user-data-dir="+folder+"/") {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// smallSharedMemory reports whether /dev/shm is too small for pictures.
func smallSharedMemory() bool {
	var s unix.Statfs_t
	if unix.Statfs("/dev/shm", &s) != nil {
		return true
	}
	return s.Blocks*uint64(s.Bsize) < 512<<20 //nolint:gosec // a block size is positive
}

// processes lists the ids of all processes.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func procPath(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

func commandLine(pid int) string {
	text, err := os.ReadFile(procPath(pid, "cmdline"))
	if err != nil {
		return ""
	}
	return string(bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
}

// isRenderer reports whether a process runs pages.
func isRenderer(pid int) bool { return strings.Contains(commandLine(pid), "--type=renderer") }

// filters counts the seccomp filters that a process is under. Kernels before 5.9 do not count: there it is 0 or 1.
func filters(pid int) int {
	status, err := os.ReadFile(procPath(pid, "status"))
	if err != nil {
		return 0
	}
	var mode, count int
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "Seccomp":
			mode, _ = strconv.Atoi(value)
		case "Seccomp_filters":
			count, _ = strconv.Atoi(value)
		}
	}
	if mode != unix.SECCOMP_MODE_FILTER {
		return 0
	}
	return max(count, 1)
}

// groupMembers lists the processes of a group.
func groupMembers(group int) []int {
	return slices.DeleteFunc(processes(), func(pid int) bool {
		of, err := unix.Getpgid(pid)
		return err != nil || of != group
	})
}

// memory returns the bytes that a process holds in memory, and those of them that it shares with no other.
func memory(pid int) (resident, private int64) {
	text, err := os.ReadFile(procPath(pid, "statm"))
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0, 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	shared, _ := strconv.ParseInt(fields[2], 10, 64)
	size := int64(os.Getpagesize())
	return pages * size, (pages - shared) * size
}

// waitsFor is the state of a process, the place in the kernel where its main thread waits, and the number of its system call with the
// first argument, as far as the kernel tells.
func waitsFor(pid int) string {
	var said []string
	if fields := status(pid); len(fields) > 0 {
		said = append(said, fields[0])
	}
	for _, name := range []string{"wchan", "syscall"} {
		text, err := os.ReadFile(procPath(pid, name))
		if fields := strings.Fields(string(text)); err == nil {
			said = append(said, fields[:min(2, len(fields))]...)
		}
	}
	return strings.Join(said, " ")
}

// killProcess ends one process.
func killProcess(pid int) { _ = unix.Kill(pid, unix.SIGKILL) }

// missing explains, as far as the kernel shows it, why Chromium's sandbox cannot work.
func missing(binary string) []string {
	var list []string
	for _, setting := range []struct{ name, bad string }{
		{"user/max_user_namespaces", "0"},
		{"kernel/unprivileged_userns_clone", "0"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1"},
	} {
		value, err := os.ReadFile(filepath.Join("/proc/sys", setting.name))
		if err == nil && strings.TrimSpace(string(value)) == setting.bad {
			list = append(list, strings.ReplaceAll(setting.name, "/", ".")+" is "+setting.bad)
		}
	}
	if len(list) == 0 {
		list = append(list, "user namespaces are refused, most likely by the container's seccomp profile")
	}
	helper := filepath.Join(filepath.Dir(binary), "chrome-sandbox")
	info, err := os.Stat(helper)
	switch {
	case err != nil:
		list = append(list, "the setuid helper is missing: "+helper)
	case info.Mode()&os.ModeSetuid == 0:
		list = append(list, helper+" is not setuid root")
	}
	return list
}

// goneWithin is how long the members of a killed process group may take to end.
const goneWithin = 5 * time.Second
