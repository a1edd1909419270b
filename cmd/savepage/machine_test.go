package main

import (
	"runtime"
	"testing"
)

func TestPagesAtOnce(t *testing.T) {
	if got := pagesAtOnce(Settings{Concurrency: 7}); got != 7 {
		t.Errorf("got %d, want what the settings say", got)
	}
	if got := pagesAtOnce(Settings{}); got < 1 || got > 2*runtime.GOMAXPROCS(0) {
		t.Errorf("got %d pages on %d cores", got, runtime.GOMAXPROCS(0))
	}
	if machineMemory() < 64<<20 {
		t.Errorf("the machine's memory is read as %d bytes", machineMemory())
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"max": 0, "1073741824": 1 << 30, "-1": 0, "": 0} {
		if got := parseBytes(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestDeliveriesAtOnce(t *testing.T) {
	for files, want := range map[uint64]int{0: 16, 64: 32, 1024: 512, 20_000: 4096, 1<<64 - 1: 4096} {
		if got := deliveriesAtOnce(files); got != want {
			t.Errorf("%d files: %d deliveries, want %d", files, got, want)
		}
	}
	if openFiles() == 0 {
		t.Error("the limit of open files is not known")
	}
}
