package room

import (
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Memory returns the bytes that this process may use: the machine's, or less in a control group with a limit. 0 where neither is
// known.
func Memory() int64 { return machine{"/"}.memory() }

// Machine reads what this machine, or the control group that this process is in, does. It is not safe for concurrent use.
type Machine struct {
	machine
	processors int // that this process may use
	at         time.Time
	before     times
}

// NewMachine returns a Machine whose first reading is of the time from now on.
func NewMachine() *Machine {
	m := &Machine{machine: machine{"/"}, processors: runtime.GOMAXPROCS(0), at: time.Now()}
	m.before = m.times()
	return m
}

// Read returns what was done since the last call.
func (m *Machine) Read() Reading {
	now, at := m.times(), time.Now()
	is := Reading{Idle: now.idleSince(m.before, at.Sub(m.at), m.processors), Free: m.free()}
	m.before, m.at = now, at
	return is
}

// machine is the root of the files in which the system says what it is and does: proc(5), and cgroups(7) in version 2 or 1.
type machine struct{ root string }

// times are what processors have done since they were started.
type times struct {
	idle, all float64       // of all processors, in the system's own unit
	used      time.Duration // by this control group; negative: not known
}

// idleSince is the part of the time that nobody used, of what this process may use: of the machine's or, if that is less, of the
// control group's.
func (t times) idleSince(before times, passed time.Duration, processors int) float64 {
	idle := 0.0
	if all := t.all - before.all; all > 0 {
		idle = (t.idle - before.idle) / all
	}
	if mine := passed * time.Duration(processors); t.used >= 0 && before.used >= 0 && mine > 0 {
		idle = min(idle, 1-float64(t.used-before.used)/float64(mine))
	}
	return max(0, idle)
}

func (m machine) times() times {
	is := times{used: -1}
	words := strings.Fields(firstLine(m.read("proc/stat")))
	for i, word := range words[min(1, len(words)):] {
		ticks, _ := strconv.ParseFloat(word, 64)
		switch {
		case i >= 8: // of guests, which are counted before
		case i == 3 || i == 4: // idle, and waiting for a disk
			is.idle += ticks
			is.all += ticks
		default:
			is.all += ticks
		}
	}
	if used, known := field(m.read("sys/fs/cgroup/cpu.stat"), "usage_usec"); known {
		is.used = time.Duration(used) * time.Microsecond
	}
	return is
}

func (m machine) memory() int64 {
	limit := int64(0)
	total, _ := field(m.read("proc/meminfo"), "MemTotal:")
	for _, known := range []int64{total << 10, m.groupLimit()} {
		if known > 0 && (limit == 0 || known < limit) {
			limit = known
		}
	}
	return limit
}

// free is how many bytes may be taken yet: what files are cached in can be given back. It is negative where that is not known.
func (m machine) free() int64 {
	free := int64(-1)
	if available, known := field(m.read("proc/meminfo"), "MemAvailable:"); known {
		free = available << 10
	}
	limit, used := m.groupLimit(), number(m.read("sys/fs/cgroup/memory.current"))
	if limit > 0 && used > 0 {
		cached, _ := field(m.read("sys/fs/cgroup/memory.stat"), "inactive_file")
		if left := max(0, limit-used+cached); free < 0 || left < free {
			free = left
		}
	}
	return free
}

// groupLimit is the limit of the control group; 0 without one.
func (m machine) groupLimit() int64 {
	for _, name := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text := m.read(name); text != "" {
			return number(text)
		}
	}
	return 0
}

// read returns the text of a file; empty where there is none.
func (m machine) read(name string) string {
	text, _ := os.ReadFile(path.Join(m.root, name))
	return string(text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// field is the number behind a name at the beginning of a line.
func field(text, name string) (n int64, known bool) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == name {
			return number(words[1]), true
		}
	}
	return 0, false
}

// number returns 0 for a text that is no number, such as "max".
func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
