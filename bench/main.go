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
	peers  bool
}

func main() {
	var s settings
	flag.StringVar(&s.binary, "binary", "bin/savepage", "the service")
	flag.StringVar(&s.base, "base", "", "another build of the service, to be compared with instead of the floor")
	flag.DurationVar(&s.cell, "cell", 5*time.Second, "time for one measurement")
	flag.IntVar(&s.rounds, "rounds", 2, "how often floor and service, or both builds, take turns in a measurement")
	flag.StringVar(&s.pages, "pages", "a,b,c,d", "kinds of page")
	flag.StringVar(&s.only, "only", "throughput,latency,accepts,callbacks,deliveries,unwanted,settled",
		"what to measure; large, scale, records, notices and nodes are measured only when they are named")
	flag.BoolVar(&s.peers, "peers", false, "measure puppeteer-cluster beside them")
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
		{[]string{"throughput", "latency", "large"}, func() error { return againstFloor(ctx, s, site.URL) }},
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

func againstFloor(ctx context.Context, s settings, site string) (err error) {
	all, end, err := contenders(ctx, s)
	defer func() { err = first(err, end()) }()
	if err != nil {
		return err
	}
	if s.wants("latency") {
		if err := latency(ctx, all, site, strings.Split(s.pages, ",")); err != nil {
			return err
		}
	}
	if s.wants("large") {
		if err := large(ctx, s, all, site); err != nil {
			return err
		}
	}
	if s.wants("throughput") {
		return throughput(ctx, s, all, site)
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

func latency(ctx context.Context, all []contender, site string, pages []string) error {
	fmt.Printf("\n## Latency of one synchronous capture, with its picture, median of %d, taking turns\n\n", samples)
	fmt.Println("| page | | p50 ms | to the floor | p90 ms |\n|---|---|---|---|---|")
	for _, page := range pages {
		took := make([][]time.Duration, len(all))
		for range samples + 1 {
			for i, c := range all {
				began := time.Now()
				if _, err := c.capture(ctx, job{url: site + "/" + page}); err != nil {
					return fmt.Errorf("page %s: %s: %w", page, c.name, err)
				}
				took[i] = append(took[i], time.Since(began))
				settleDown()
			}
		}
		floor := quantile(took[0][1:], 0.5)
		for i, c := range all {
			is := quantile(took[i][1:], 0.5)
			fmt.Printf("| %s | %s | %.0f | %.2f | %.0f |\n", page, c.name, ms(is), ms(is)/ms(floor), ms(quantile(took[i][1:], 0.9)))
		}
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

// load is what a driver did in a measurement.
type load struct {
	done  int64
	took  time.Duration
	cpu   time.Duration
	timed int64 // of those done, the ones whose processor time is known
}

// loaded is a load during which a tree of processes went from one processor time to another. When it has less in the end, a browser
// was replaced, and what it used is not known.
func loaded(done int, took, before, after time.Duration) load {
	l := load{done: int64(done), took: took}
	if after >= before {
		l.cpu, l.timed = after-before, l.done
	}
	return l
}

func (l *load) add(o load) {
	l.done, l.took, l.cpu, l.timed = l.done+o.done, l.took+o.took, l.cpu+o.cpu, l.timed+o.timed
}

func (l *load) rate() float64 { return float64(l.done) / l.took.Seconds() }

func (l *load) cpuEach() float64 { return ms(l.cpu) / float64(max(1, l.timed)) }

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
