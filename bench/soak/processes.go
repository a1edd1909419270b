package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one process of the service: itself, or one of its browsers'.
type process struct {
	pid  int
	kind string // service, browser, network, gpu, zygote, renderer, utility
}

// processes returns the service and all that descends from it.
func processes(root int) []process {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, alive := parentOf(path); alive {
			children[parent] = append(children[parent], pid)
		}
	}
	found := []process{{pid: root, kind: "service"}}
	for i := 0; i < len(found); i++ {
		for _, child := range children[found[i].pid] {
			found = append(found, process{pid: child, kind: kindOf(child)})
		}
	}
	return found
}

func parentOf(stat string) (parent int, alive bool) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, false // it ended
	}
	_, tail, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(tail)
	if len(fields) < 2 || fields[0] == "Z" {
		return 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, err == nil
}

func kindOf(pid int) string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	line := strings.ReplaceAll(string(text), "\x00", " ")
	switch {
	case strings.Contains(line, "network.mojom.NetworkService"):
		return "network"
	case strings.Contains(line, "--type=gpu-process"):
		return "gpu"
	case strings.Contains(line, "--type=zygote"):
		return "zygote"
	case strings.Contains(line, "--type=renderer"):
		return "renderer"
	case strings.Contains(line, "--type="):
		return "utility"
	default:
		return "browser"
	}
}

// memoryOf returns the bytes of memory that a process has, what it shares counted by its part.
func memoryOf(pid int) int64 {
	folder := "/proc/" + strconv.Itoa(pid)
	text, err := os.ReadFile(folder + "/smaps_rollup")
	field := "Pss:"
	if err != nil || len(text) == 0 {
		text, _ = os.ReadFile(folder + "/status")
		field = "VmRSS:"
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, field); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

func filesOf(pid int) int {
	entries, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	return len(entries)
}

// filesBelow counts files and folders below a folder.
func filesBelow(dir string) int {
	count := -1 // the folder itself
	_ = filepath.WalkDir(dir, func(string, os.DirEntry, error) error { count++; return nil })
	return max(count, 0)
}
