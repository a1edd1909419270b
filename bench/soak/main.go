// Command soak runs the real service under full load and judges what becomes of it. By default it measures memory, file
// descriptors, goroutines, temporary files, processes and latencies, and fails when one of them grows. With -kill it is a
// campaign: it kills and freezes processes of the service and of its browsers, and fails when a capture was lost, got
// stuck or failed, or a callback was not delivered. With -chaos it is a cluster to which faults of every kind happen. It decides
// what is growth; everything else is the service's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the command line.
type settings struct {
	binary   string
	lasts    time.Duration
	every    time.Duration
	clients  int
	kills    int
	captures int
	pause    time.Duration
	grace    time.Duration
	victims  string
	keep     bool
	engine   string
	faults   int
	seed     uint64
}

// errFailed ends the program with code 1 when it has printed why.
var errFailed = errors.New("failed")

func main() {
	var s settings
	flag.StringVar(&s.binary, "binary", "bin/savepage", "the program")
	flag.DurationVar(&s.lasts, "for", 45*time.Minute, "how long the load lasts, without -kill")
	flag.DurationVar(&s.every, "every", time.Minute, "how often it is measured")
	flag.IntVar(&s.clients, "clients", 8, "clients at once")
	flag.IntVar(&s.kills, "kill", 0, "kill or freeze this many processes, instead of measuring")
	flag.IntVar(&s.captures, "captures", 0, "with -kill: so many captures are accepted by the last kill, at least")
	flag.DurationVar(&s.pause, "pause", 3*time.Second, "with -kill: between two kills, on average, at least")
	flag.DurationVar(&s.grace, "grace", 10*time.Minute, "with -kill: how long all may take to end after the last kill")
	flag.StringVar(&s.victims, "victims", "", "with -kill: only victims whose names begin so, such as browser or service")
	flag.StringVar(&s.engine, "engine", "postgres", "with -chaos: postgres, for three nodes with a bucket, or sqlite, for one with a folder")
	flag.IntVar(&s.faults, "chaos", 0, "let so many faults happen to a cluster, instead of measuring; -captures and -pause are as with -kill")
	flag.Uint64Var(&s.seed, "seed", 0, "with -chaos: which faults; 0 draws one")
	flag.BoolVar(&s.keep, "keep", false, "keep the folder with data and log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	site, err := newSite()
	if err != nil {
		return err
	}
	defer site.close()
	if s.faults > 0 {
		if s.seed == 0 {
			s.seed = rand.Uint64N(1 << 32) //nolint:gosec // it is not for secrets
		}
		return runChaos(ctx, s, site)
	}
	v, err := newService(ctx, s.binary, s.kills > 0)
	if err != nil {
		return err
	}
	defer func() {
		keep := s.keep || err != nil
		err = errors.Join(err, v.close(keep))
		if keep {
			fmt.Fprintln(os.Stderr, "soak: data and log are in", v.dir)
		}
	}()
	if err := v.start(ctx); err != nil {
		return err
	}
	if s.kills > 0 {
		return campaign(ctx, s, v, site)
	}
	return soak(ctx, s, v, site)
}

// pause waits, and returns false when ctx has ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
