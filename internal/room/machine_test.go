package room

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// files writes what a machine says.
func files(t *testing.T, texts map[string]string) machine {
	t.Helper()
	root := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return machine{root}
}

func TestMemoryOfMachines(t *testing.T) {
	t.Parallel()
	const info = "MemTotal:       8388608 kB\nMemFree:         100000 kB\nMemAvailable:    4194304 kB\n"
	for name, c := range map[string]struct {
		texts       map[string]string
		total, free int64
	}{
		"a machine":                    {map[string]string{"proc/meminfo": info}, 8 << 30, 4 << 30},
		"a container without a limit":  {map[string]string{"proc/meminfo": info, "sys/fs/cgroup/memory.max": "max\n"}, 8 << 30, 4 << 30},
		"nothing is known":             {nil, 0, -1},
		"a group of the first version": {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, 1 << 30, -1},
		"a container with one": {map[string]string{
			"proc/meminfo": info, "sys/fs/cgroup/memory.max": "2147483648\n", "sys/fs/cgroup/memory.current": "1610612736\n",
			"sys/fs/cgroup/memory.stat": "anon 1073741824\ninactive_file 268435456\n",
		}, 2 << 30, 768 << 20},
		"one beyond the machine": {map[string]string{
			"proc/meminfo": info, "sys/fs/cgroup/memory.max": "1099511627776\n", "sys/fs/cgroup/memory.current": "1\n",
		}, 8 << 30, 4 << 30},
	} {
		m := files(t, c.texts)
		if total, free := m.memory(), m.free(); total != c.total || free != c.free {
			t.Errorf("%s: %d bytes, %d free, want %d and %d", name, total, free, c.total, c.free)
		}
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	const before = "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3 4\n"
	for name, c := range map[string]struct {
		stat, group string
		want        float64
	}{
		"a busy machine":              {"cpu  190 0 200 705 105 0 0 0 60 0\n", "", 0.05},
		"one that waits":              {"cpu  110 0 110 880 100 0 0 0 50 0\n", "", 0.9},
		"nothing has passed":          {before, "", 0},
		"nothing is known":            {"", "", 0},
		"a group at its limit":        {"cpu  110 0 110 880 100 0 0 0 50 0\n", "usage_usec 5000000\n", 0},
		"a group with time left":      {"cpu  110 0 110 880 100 0 0 0 50 0\n", "usage_usec 4000000\n", 0.5},
		"a busy machine with a group": {"cpu  190 0 200 705 105 0 0 0 60 0\n", "usage_usec 3200000\n", 0.05},
	} {
		first := map[string]string{"proc/stat": before}
		if c.group != "" {
			first["sys/fs/cgroup/cpu.stat"] = "usage_usec 3000000\nuser_usec 1\n"
		}
		from := files(t, first).times()
		to := files(t, map[string]string{"proc/stat": c.stat, "sys/fs/cgroup/cpu.stat": c.group}).times()
		if got := to.idleSince(from, time.Second, 2); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v idle, want %v", name, got, c.want)
		}
	}
}

// TestThisMachine reads the machine that the test runs on.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	if Memory() < 64<<20 {
		t.Errorf("it has %d bytes of memory", Memory())
	}
	m := NewMachine()
	if is := m.Read(); is.Idle < 0 || is.Idle > 1 || is.Free <= 0 || is.Free > Memory() {
		t.Errorf("it is read as %+v", is)
	}
}
