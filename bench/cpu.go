package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat on Linux.
const clockTick = 10 * time.Millisecond

// cpuOf returns the processor time that a process and all below it have used, ended children included.
func cpuOf(root int) (time.Duration, error) {
	parents, used, err := processes()
	total := time.Duration(0)
	for pid, spent := range used {
		if below(parents, pid, root) {
			total += spent
		}
	}
	return total, err
}

// pssOf returns the bytes of memory that a process and all below it have, what they share with others in parts.
func pssOf(root int) (total int64, err error) {
	parents, _, err := processes()
	for pid := range parents {
		if !below(parents, pid, root) {
			continue
		}
		text, gone := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if gone != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), "\nPss:")
		if fields := strings.Fields(rest); len(fields) > 0 {
			kilobytes, _ := strconv.ParseInt(fields[0], 10, 64)
			total += kilobytes << 10
		}
	}
	return total, err
}

// processes returns the parent and the processor time of every process of this machine.
func processes() (parents map[int]int, used map[int]time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	parents, used = map[int]int{}, map[int]time.Duration{}
	for _, path := range stats {
		if pid, parent, spent, err := readStat(path); err == nil {
			parents[pid], used[pid] = parent, spent
		}
	}
	return parents, used, err
}

func below(parents map[int]int, pid, root int) bool {
	for ; pid > 1; pid = parents[pid] {
		if pid == root {
			return true
		}
	}
	return false
}

// readStat reads pid, parent and user+system time, those of waited-for children included.
func readStat(path string) (pid, parent int, spent time.Duration, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, err
	}
	head, tail, found := strings.Cut(string(text), ") ")
	fields := strings.Fields(tail)
	if !found || len(fields) < 15 {
		return 0, 0, 0, fmt.Errorf("%s has another form", path)
	}
	if pid, err = strconv.Atoi(strings.Fields(head)[0]); err != nil {
		return 0, 0, 0, err
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, 0, 0, err
	}
	for _, field := range fields[11:15] {
		ticks, err := strconv.Atoi(field)
		if err != nil {
			return 0, 0, 0, err
		}
		spent += time.Duration(ticks) * clockTick
	}
	return pid, parent, spent, nil
}
