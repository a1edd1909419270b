package browser

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// member is one process of a browser.
type member struct {
	parent  int
	state   string // the kernel's letter
	command string // empty for a zombie
}

// family reads the processes of a browser's group.
func family(group int) map[int]member {
	all := map[int]member{}
	for _, pid := range groupMembers(group) {
		fields := status(pid)
		if fields == nil {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		all[pid] = member{parent: parent, state: fields[0], command: commandLine(pid)}
	}
	return all
}

func (m member) ended() bool { return m.state == "Z" || m.state == "X" || m.state == "" }

// stopped reports that a signal keeps the process from running.
func (m member) stopped() bool { return m.state == "T" || m.state == "t" }

func (m member) idle() bool { return m.ended() || m.stopped() }

func (m member) fate() string {
	if m.stopped() {
		return "is stopped"
	}
	return "has ended"
}

// shared names a process on which every page depends, empty for any other. Pages are forked from a zygote, which is the child
// of another, the browser's own; a page that has just begun still has its parent's command line, and without a sandbox it may
// have the same parent as well: sure is false for what may be one.
func (m member) shared(all map[int]member, browser int) (name string, sure bool) {
	switch {
	case strings.Contains(m.command, "--type=gpu-process"):
		return "GPU", true
	case strings.Contains(m.command, "--utility-sub-type=network.mojom.NetworkService"):
		return "network", true
	case !strings.Contains(m.command, "--type=zygote"):
		return "", false
	case m.parent == browser:
		return "zygote", true
	}
	above := all[m.parent]
	if above.parent == browser && strings.Contains(above.command, "--type=zygote") && !strings.Contains(above.command, "--no-zygote-sandbox") {
		return "zygote", false
	}
	return "", false
}

// mainThread is what the main thread of a process has done.
func mainThread(pid int) work {
	return schedule(filepath.Join(procPath(pid, "task"), strconv.Itoa(pid)))
}

// schedule is what a thread has done by the kernel's scheduler statistics; zero when it cannot be told.
func schedule(thread string) work {
	text, err := os.ReadFile(filepath.Join(thread, "schedstat"))
	if err != nil {
		return work{}
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return work{}
	}
	ran, _ := strconv.ParseInt(fields[0], 10, 64)
	waited, _ := strconv.ParseInt(fields[1], 10, 64)
	return work{time.Duration(ran), time.Duration(waited)}
}

// threads are those of a process, by their ids.
type threads map[int]effort

// effort is how long a thread has run and has waited for a processor, and whether it waits right now for one, or for a disk.
type effort struct {
	total time.Duration
	waits bool
}

// threadsOf is empty when they cannot be told.
func threadsOf(pid int) threads {
	entries, err := os.ReadDir(procPath(pid, "task"))
	if err != nil {
		return nil
	}
	all := make(threads, len(entries))
	for _, entry := range entries {
		folder := filepath.Join(procPath(pid, "task"), entry.Name())
		id, _ := strconv.Atoi(entry.Name())
		did := schedule(folder)
		if fields := statusIn(folder); did != (work{}) && fields != nil {
			all[id] = effort{total: did.ran + did.waited, waits: fields[0] == "R" || fields[0] == "D"}
		}
	}
	return all
}

// still reports that no thread has run since, or has wanted to, but for so long. The kernel counts a wait when it is over, and
// forgets a thread with its end.
func (t threads) still(before threads, allowed time.Duration) bool {
	for id := range before {
		if _, lives := t[id]; !lives {
			return false
		}
	}
	var sum time.Duration
	for id, is := range t {
		sum += is.total - before[id].total
		if is.waits || sum > allowed {
			return false
		}
	}
	return true
}

// runs is what the threads of a process have done.
func runs(pid int) (all work) {
	threads, err := os.ReadDir(procPath(pid, "task"))
	if err != nil {
		return work{}
	}
	for _, thread := range threads {
		one := schedule(filepath.Join(procPath(pid, "task"), thread.Name()))
		all = work{all.ran + one.ran, all.waited + one.waited}
	}
	return all
}
