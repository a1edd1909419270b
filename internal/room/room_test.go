package room_test

import (
	"fmt"
	"testing"

	"github.com/savepage/savepage/internal/room"
)

const gib = 1 << 30

func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		processors int
		memory     int64
		want       room.Bounds
	}{
		{1, gib, room.Bounds{Usual: 2, Most: 2}},
		{2, 24 * gib, room.Bounds{Usual: 4, Most: 16}},
		{2, 2 * gib, room.Bounds{Usual: 4, Most: 4}},
		{2, gib / 4, room.Bounds{Usual: 1, Most: 1}},
		{8, 32 * gib, room.Bounds{Usual: 16, Most: 64}},
		{8, 16 * gib, room.Bounds{Usual: 16, Most: 32}},
		{64, 256 * gib, room.Bounds{Usual: 128, Most: 512}},
		{64, 64 * gib, room.Bounds{Usual: 128, Most: 128}},
		{64, 0, room.Bounds{Usual: 128, Most: 512}},
	} {
		if got := room.Of(c.processors, c.memory); got != c.want {
			t.Errorf("%d processors, %d MiB: %+v, want %+v", c.processors, c.memory>>20, got, c.want)
		}
	}
}

// TestLook has machines of several sizes do one thing for a while, and sees at how many pages they come to rest.
func TestLook(t *testing.T) {
	t.Parallel()
	// A page takes this part of a processor, and memory, while it is rendered.
	type kind struct {
		name      string
		processor float64
		memory    int64
	}
	busy, waiting := kind{"busy pages", 0.6, gib / 8}, kind{"pages that wait for their servers", 0.05, gib / 8}
	heavy := kind{"pages that wait and are heavy", 0.05, 2 * gib}
	for _, c := range []struct {
		processors int
		memory     int64
		of         kind
		wanted     int // pages that callers want at once
		least      int
		most       int
	}{
		{2, 24 * gib, busy, 100, 4, 4},
		{2, 24 * gib, waiting, 100, 16, 16},
		{2, 24 * gib, waiting, 3, 4, 4},
		{2, 24 * gib, heavy, 100, 10, 12},
		{2, 4 * gib, heavy, 100, 1, 2},
		{8, 64 * gib, busy, 100, 16, 18},
		{8, 64 * gib, waiting, 100, 64, 64},
		{64, 256 * gib, busy, 1000, 128, 144},
		{64, 256 * gib, waiting, 1000, 512, 512},
		{64, 256 * gib, waiting, 50, 128, 128},
		{64, 128 * gib, heavy, 1000, 40, 66},
	} {
		t.Run(fmt.Sprintf("%d processors, %d GiB, %s", c.processors, c.memory/gib, c.of.name), func(t *testing.T) {
			t.Parallel()
			r := room.New(room.Of(c.processors, c.memory))
			pages := r.Pages()
			for range 600 {
				inUse := min(pages, c.wanted)
				used := min(1, float64(inUse)*c.of.processor/float64(c.processors))
				pages = r.Look(room.Reading{Idle: 1 - used, Free: max(0, c.memory-int64(inUse)*c.of.memory), InUse: inUse})
			}
			if pages < c.least || pages > c.most {
				t.Errorf("%d pages, want %d to %d", pages, c.least, c.most)
			}
		})
	}
}

// TestLookComesBack has a machine be short of memory, and then busy, for a while.
func TestLookComesBack(t *testing.T) {
	t.Parallel()
	r := room.New(room.Of(2, 24*gib))
	for _, c := range []struct {
		name  string
		is    room.Reading
		times int
		want  int
	}{
		{"nobody wants a page", room.Reading{Idle: 1, Free: 20 * gib}, 10, 4},
		{"its memory is not known", room.Reading{Idle: 1, Free: -1, InUse: 100}, 3, 7},
		{"its processors wait, every page in use", room.Reading{Idle: 0.5, Free: 20 * gib, InUse: 100}, 100, 16},
		{"they are as busy as they should be", room.Reading{Idle: 0.1, Free: 20 * gib, InUse: 16}, 100, 16},
		{"too much", room.Reading{Idle: 0, Free: 20 * gib, InUse: 16}, 3, 13},
		{"for longer", room.Reading{Idle: 0, Free: 20 * gib, InUse: 16}, 100, 4},
		{"no memory is left", room.Reading{Idle: 0.5, Free: gib / 4, InUse: 3}, 1, 2},
		{"for longer", room.Reading{Idle: 0.5, Free: gib / 4, InUse: 1}, 10, 1},
		{"a little", room.Reading{Idle: 0.5, Free: gib * 3 / 4, InUse: 1}, 10, 1},
		{"there is some again", room.Reading{Idle: 0.5, Free: 2 * gib, InUse: 1}, 10, 4},
	} {
		for range c.times {
			r.Look(c.is)
		}
		if r.Pages() != c.want {
			t.Errorf("%s: %d pages, want %d", c.name, r.Pages(), c.want)
		}
	}
}
