package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Deliveries at once: each has a file open, and half of the files are for the rest.
const (
	mostDeliveries  = 4096
	leastDeliveries = 16
)

// deliveriesAtOnce is how many deliveries may be on their way in a process that may have so many files open.
func deliveriesAtOnce(files uint64) int {
	return int(min(max(files/2, leastDeliveries), mostDeliveries))
}

// openFiles is how many files this process may have open.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

const (
	pagesPerCore = 2         // more only queue: measured on 2 cores without a GPU
	reservePart  = 4         // one page in reserve for so many usual ones, and at least one
	pageMemory   = 512 << 20 // bytes that a page may need while it is rendered
)

// pagesAtOnce is how many pages this machine renders at once where the settings do not say.
func pagesAtOnce(s Settings) int {
	if s.Concurrency > 0 {
		return s.Concurrency
	}
	pages := pagesPerCore * runtime.GOMAXPROCS(0)
	if memory := memoryLimit(); memory > 0 {
		pages = min(pages, int(memory/pageMemory))
	}
	return max(pages, 1)
}

// reservePages is how many more pages there are for accounts that have none while others hold all usual ones.
func reservePages(s Settings) int { return max(pagesAtOnce(s)/reservePart, 1) }

// memoryLimit returns the bytes that this process may use: the machine's, or less in a control group with a limit. 0 where
// neither is known.
func memoryLimit() int64 {
	limit := int64(0)
	for _, known := range []int64{machineMemory(), groupMemory()} {
		if known > 0 && (limit == 0 || known < limit) {
			limit = known
		}
	}
	return limit
}

// machineMemory reads MemTotal; see proc_meminfo(5).
func machineMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == "MemTotal:" {
			return parseBytes(words[1]) << 10
		}
	}
	return 0
}

// groupMemory reads the limit of the control group, version 2 or 1.
func groupMemory() int64 {
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(name); err == nil {
			return parseBytes(strings.TrimSpace(string(text)))
		}
	}
	return 0
}

// parseBytes returns 0 for a text that is not a number, such as "max".
func parseBytes(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
