package main

import (
	"context"
	"log/slog"
	"runtime"
	"syscall"
	"time"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/room"
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

const reservePart = 4 // one page in reserve for so many usual ones, and at least one

// bounds are how many pages this machine renders at once: as many as the settings say, or as it has room for.
func bounds(s Settings) room.Bounds {
	if s.Concurrency > 0 {
		return room.Bounds{Usual: s.Concurrency, Most: s.Concurrency}
	}
	return room.Of(runtime.GOMAXPROCS(0), room.Memory())
}

// reservePages is how many more pages there are for accounts that have none while others hold all usual ones.
func reservePages(b room.Bounds) int { return max(b.Usual/reservePart, 1) }

// lookEvery is the time between two looks at the room that the machine has, and restEvery while nothing is rendered.
const (
	lookEvery = time.Second
	restEvery = 5 * time.Second
)

// keepRoom has the ledger run as many captures as the machine has room for, until ctx ends. inUse says how many pages are in use.
func keepRoom(ctx context.Context, b room.Bounds, inUse func() int, l ledger.Life, log *slog.Logger) {
	pages, now, pause := b.Usual, room.New(b), lookEvery
	for machine := room.NewMachine(); clock.System().Pause(ctx, pause); {
		is := machine.Read()
		is.InUse = inUse()
		if pause = lookEvery; is.InUse == 0 {
			pause = restEvery
		}
		before := pages
		if pages = now.Look(is); pages == before {
			continue
		}
		if err := l.SetPages(ctx, pages); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the number of pages at once was not told to other nodes", "pages", pages, "error", err)
		}
		log.DebugContext(ctx, "pages at once", "pages", pages, "in_use", is.InUse, "idle", is.Idle, "free_bytes", is.Free)
	}
}
