// Command bench measures the service against the bare-driver floor in one run on one machine, so that the ratios mean
// something where the milliseconds do not. It never fails on a slow machine; it prints what it saw.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage/internal/testsite"
)

type settings struct {
	binary string
	base   string
	cell   time.Duration
	rounds int
	pages  string
	only   string
}

func main() {
	var s settings
	flag.StringVar(&s.binary, "binary", "bin/savepage", "the service")
	flag.StringVar(&s.base, "base", "", "another build of the service, to be compared with instead of the floor")
	flag.DurationVar(&s.cell, "cell", 5*time.Second, "time for one measurement")
	flag.IntVar(&s.rounds, "rounds", 2, "how often floor and service, or both builds, take turns in a measurement")
	flag.StringVar(&s.pages, "pages", "a,b,c,d", "kinds of page")
	flag.StringVar(&s.only, "only", "throughput,latency,accepts,callbacks,deliveries,unwanted,settled",
		"what to measure; scale, records, notices and nodes are measured only when they are named")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	site, err := testsite.Start()
	if err != nil {
		return err
	}
	defer site.Close()
	if s.base != "" {
		return compare(ctx, s, site.URL)
	}
	for _, one := range []struct {
		names   []string
		measure func() error
	}{
		{[]string{"accepts"}, func() error { return accepts(ctx, s, site.URL) }},
		{[]string{"deliveries"}, func() error { return deliveries(ctx, s) }},
		{[]string{"scale"}, func() error { return scale(ctx, s, site.URL) }},
		{[]string{"records"}, func() error { return records(ctx, s) }},
		{[]string{"nodes"}, func() error { return nodes(ctx, s, site.URL) }},
		{[]string{"notices"}, func() error { return notices(ctx, s) }},
		{[]string{"unwanted"}, func() error { return unwanted(ctx, s, site.Other) }},
		{[]string{"settled"}, func() error { return settled(ctx, s, site) }},
		{[]string{"throughput", "latency"}, func() error { return againstFloor(ctx, s, site.URL) }},
	} {
		if !slices.ContainsFunc(one.names, s.wants) {
			continue
		}
		if err := one.measure(); err != nil {
			return err
		}
	}
	return nil
}

func (s settings) wants(name string) bool { return slices.Contains(strings.Split(s.only, ","), name) }

// made is how many pages the floor makes ahead, as the service does on two cores.
const made = 4

// driver is what takes turns: the floor or the service.
type driver interface {
	capture(ctx context.Context, url string) (int, error)
	pid() int
	close() error
}

func againstFloor(ctx context.Context, s settings, site string) (err error) {
	ours, err := startService(ctx, setup{binary: s.binary})
	if err != nil {
		return err
	}
	defer func() { err = first(err, ours.close()) }()
	bare, err := startFloor(ctx, ours.pid(), made)
	if err != nil {
		return err
	}
	defer func() { err = first(err, bare.close()) }()
	pages := strings.Split(s.pages, ",")
	both := []driver{bare, ours}
	if strings.Contains(s.only, "latency") {
		if err := latency(ctx, both, site, pages); err != nil {
			return err
		}
	}
	if strings.Contains(s.only, "throughput") {
		return throughput(ctx, s, both, site, pages)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// samples is how many captures a latency is the median of.
const samples = 31

func latency(ctx context.Context, both []driver, site string, pages []string) error {
	fmt.Printf("\n## Latency of one synchronous capture, ms, median of %d, taking turns\n\n", samples)
	fmt.Println("| page | floor | service | ratio | service p90 |\n|---|---|---|---|---|")
	for _, page := range pages {
		var took [2][]time.Duration
		for range samples + 1 {
			for i, d := range both {
				began := time.Now()
				if _, err := d.capture(ctx, site+"/"+page); err != nil {
					return fmt.Errorf("page %s: %w", page, err)
				}
				took[i] = append(took[i], time.Since(began))
				settleDown()
			}
		}
		low, high := quantile(took[0][1:], 0.5), quantile(took[1][1:], 0.5)
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f |\n", page, ms(low), ms(high), ms(high)/ms(low), ms(quantile(took[1][1:], 0.9)))
	}
	return nil
}

// settleDown lets the pages that are made ahead be made before the other driver is measured.
func settleDown() { time.Sleep(150 * time.Millisecond) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func quantile(took []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func throughput(ctx context.Context, s settings, both []driver, site string, pages []string) error {
	fmt.Printf("\n## Captures, %d turns of %s each\n\n", s.rounds, s.cell)
	fmt.Println("| page | at once | floor /s | service /s | ratio | floor CPU ms | service CPU ms |\n|---|---|---|---|---|---|---|")
	for _, page := range pages {
		for _, clients := range []int{1, 2, 4, 8} {
			var sums [2]load
			for round := range s.rounds {
				for i := range 2 {
					which := (i + round) % 2
					one, err := captureFor(ctx, both[which], clients, s.cell, site+"/"+page)
					if err != nil {
						return fmt.Errorf("page %s, %d at once: %w", page, clients, err)
					}
					sums[which].add(one)
					settleDown()
				}
			}
			fmt.Printf("| %s | %d | %.2f | %.2f | %.2f | %.0f | %.0f |\n", page, clients, sums[0].rate(), sums[1].rate(),
				sums[1].rate()/sums[0].rate(), sums[0].cpuEach(), sums[1].cpuEach())
		}
	}
	return nil
}

// load is what a driver did in a measurement.
type load struct {
	done int64
	took time.Duration
	cpu  time.Duration
}

func (l *load) add(o load) { l.done, l.took, l.cpu = l.done+o.done, l.took+o.took, l.cpu+o.cpu }

func (l *load) rate() float64 { return float64(l.done) / l.took.Seconds() }

func (l *load) cpuEach() float64 { return ms(l.cpu) / float64(max(1, l.done)) }

// captureFor lets clients capture one after the other until the time is up; captures under way are counted with the time
// they take.
func captureFor(ctx context.Context, d driver, clients int, cell time.Duration, url string) (load, error) {
	before, err := cpuOf(d.pid())
	if err != nil {
		return load{}, err
	}
	var done atomic.Int64
	faults := make(chan error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Since(began) < cell {
				if _, err := d.capture(ctx, url); err != nil {
					faults <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	after, err := cpuOf(d.pid())
	select {
	case err = <-faults:
	default:
	}
	return load{done: done.Load(), took: took, cpu: after - before}, err
}

// accepts measures durable submissions over HTTP while no capture runs.
func accepts(ctx context.Context, s settings, site string) (err error) {
	ours, err := startStill(ctx, setup{binary: s.binary}, site)
	if err != nil {
		return err
	}
	defer func() { err = first(err, ours.close()) }()
	fmt.Printf("\n## Durable accepts over HTTP, %s each, no capture running, load generator on the same machine\n\n", s.cell)
	fmt.Println("| clients | accepts/s | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|")
	for _, clients := range []int{1, 16, 64} {
		took, elapsed, err := submitAll(ctx, ours, clients, s.cell)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.1f | %.1f | %.1f |\n", clients, float64(len(took))/elapsed.Seconds(),
			ms(quantile(took, 0.5)), ms(quantile(took, 0.99)), ms(slices.Max(took)))
	}
	return nil
}

func submitAll(ctx context.Context, ours *service, clients int, cell time.Duration) ([]time.Duration, time.Duration, error) {
	results := make([][]time.Duration, clients)
	faults := make(chan error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			client, err := ours.newSubmitter(ctx)
			for err == nil && time.Since(began) < cell {
				sent := time.Now()
				err = client.submit()
				results[i] = append(results[i], time.Since(sent))
			}
			if err != nil {
				faults <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-faults:
		return nil, 0, err
	default:
		return slices.Concat(results...), time.Since(began), nil
	}
}
