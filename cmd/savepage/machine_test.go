package main

import (
	"runtime"
	"testing"
)

func TestBounds(t *testing.T) {
	if got := bounds(Settings{Concurrency: 7}); got.Usual != 7 || got.Most != 7 {
		t.Errorf("got %+v, want what the settings say", got)
	}
	if got := bounds(Settings{}); got.Usual < 1 || got.Usual > 2*runtime.GOMAXPROCS(0) || got.Most < got.Usual {
		t.Errorf("got %+v pages on %d cores", got, runtime.GOMAXPROCS(0))
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
