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

// effort is how long a process has run and has waited for a processor, all its threads together: what has
// stood still in both does not want to run. ok is false when it cannot be told.
func effort(pid int) (total time.Duration, ok bool) {
	all := runs(pid)
	return all.ran + all.waited, all != work{}
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
