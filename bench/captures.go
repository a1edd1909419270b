package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// job is a picture that is asked for.
type job struct {
	url   string
	whole bool // of the whole page, not of the window
}

// driver is what takes turns: the floor, the service, a peer.
type driver interface {
	capture(ctx context.Context, of job) (int, error)
	pid() int
	close() error
}

// contender is a driver under the name of what is measured with it.
type contender struct {
	name string
	driver
}

// asking is the service asked with options of its own.
type asking struct {
	*service
	options map[string]any
}

// capture asks for a picture and reads it from the answer.
func (a asking) capture(ctx context.Context, of job) (int, error) {
	options := map[string]any{}
	maps.Copy(options, a.options)
	if of.whole {
		options["fullpage"] = true
	}
	return a.pictureOf(ctx, of.url, options)
}

// contenders starts all of them. The floor is first: it is what the others are compared with.
func contenders(ctx context.Context, s settings) (all []contender, end func() error, err error) {
	end = func() error {
		var errs []error
		for _, c := range all {
			if _, again := c.driver.(asking); !again {
				errs = append(errs, c.close())
			}
		}
		return errors.Join(errs...)
	}
	ours, err := startService(ctx, setup{binary: s.binary})
	if err != nil {
		return nil, end, err
	}
	stopOthers := end
	end = func() error { return errors.Join(stopOthers(), ours.close()) }
	bare, err := startFloor(ctx, ours.pid(), made)
	if err != nil {
		return all, end, err
	}
	all = append(all,
		contender{"floor", bare},
		contender{"service", asking{ours, nil}},
		contender{"service, `wait_until: load`", asking{ours, map[string]any{"wait_until": "load"}}},
		contender{"service, `png_effort: normal`", asking{ours, map[string]any{"png_effort": "normal"}}},
	)
	if s.peers {
		peer, err := startCluster(ctx, made)
		if err != nil {
			return all, end, err
		}
		all = append(all, contender{"puppeteer-cluster", peer})
	}
	return all, end, nil
}

// cell is what one contender did with one kind of page and so many clients.
type cell struct {
	load
	latencies []time.Duration
	ratios    []float64 // its rate to that of the floor, one for each turn
	memory    []int64   // bytes of its whole tree, one for each turn
}

// throughput measures captures in a closed loop: each client asks for the next picture when it has the last.
func throughput(ctx context.Context, s settings, all []contender, site string) error {
	fmt.Printf("\n## Captures in a closed loop, %d turns of %s each\n\n", s.rounds, s.cell)
	fmt.Println("| page | clients | | /s | to the floor: median (spread) | p50 ms | p95 ms | longest ms | CPU ms | PSS MB |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	pages := strings.Split(s.pages, ",")
	kinds := slices.Clone(pages)
	if len(pages) > 1 {
		kinds = append(kinds, "mix")
	}
	for _, kind := range kinds {
		of := pages
		if kind != "mix" {
			of = []string{kind}
		}
		for _, clients := range []int{1, 2, 4, 8} {
			cells, err := takeTurns(ctx, s, all, clients, next(site, of))
			if err != nil {
				return fmt.Errorf("page %s, %d clients: %w", kind, clients, err)
			}
			for i, c := range cells {
				fmt.Printf("| %s | %d | %s | %s |\n", kind, clients, all[i].name, c.row())
			}
		}
	}
	return nil
}

// next returns a page of the kinds after the other, for all clients together.
func next(site string, kinds []string) func() job {
	var n atomic.Int64
	return func() job { return job{url: site + "/" + kinds[int(n.Add(1))%len(kinds)]} }
}

// takeTurns has every contender work once in each turn; who begins changes with the turn.
func takeTurns(ctx context.Context, s settings, all []contender, clients int, next func() job) ([]cell, error) {
	cells := make([]cell, len(all))
	for turn := range s.rounds {
		rates := make([]float64, len(all))
		for n := range all {
			i := (n + turn) % len(all)
			did, memory, err := all[i].work(ctx, clients, s.cell, next)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].name, err)
			}
			cells[i].add(did.load)
			cells[i].latencies = append(cells[i].latencies, did.latencies...)
			cells[i].memory = append(cells[i].memory, memory)
			rates[i] = did.rate()
			settleDown()
		}
		for i := range all {
			cells[i].ratios = append(cells[i].ratios, rates[i]/rates[0])
		}
	}
	return cells, nil
}

// work lets clients capture one after the other until the time is up, and says how much memory the contender had midway. Captures
// under way are counted with the time they take.
func (c contender) work(ctx context.Context, clients int, while time.Duration, next func() job) (did cell, memory int64, err error) {
	before, err := cpuOf(c.pid())
	if err != nil {
		return cell{}, 0, err
	}
	latencies, faults := make([][]time.Duration, clients), make(chan error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for time.Since(began) < while {
				asked := time.Now()
				if _, err := c.capture(ctx, next()); err != nil {
					faults <- err
					return
				}
				latencies[i] = append(latencies[i], time.Since(asked))
			}
		})
	}
	midway := time.AfterFunc(while/2, func() { memory, _ = pssOf(c.pid()) })
	all.Wait()
	midway.Stop()
	took := time.Since(began)
	after, err := cpuOf(c.pid())
	select {
	case err = <-faults:
	default:
	}
	did.latencies = slices.Concat(latencies...)
	did.load = loaded(len(did.latencies), took, before, after)
	return did, memory, err
}

func (c *cell) row() string {
	return fmt.Sprintf("%.2f | %.2f (%.2f–%.2f) | %.0f | %.0f | %.0f | %.0f | %.0f", c.rate(),
		median(c.ratios), slices.Min(c.ratios), slices.Max(c.ratios), ms(quantile(c.latencies, 0.5)), ms(quantile(c.latencies, 0.95)),
		ms(slices.Max(c.latencies)), c.cpuEach(), math.Round(float64(slices.Max(c.memory))/1e6))
}

// large measures the whole of the long page, one at a time, in turns, and the most memory that it takes.
func large(ctx context.Context, s settings, all []contender, site string) error {
	fmt.Printf("\n## The whole of page d (1440 × 40,000, 100 lazy pictures), one at a time, median of %d, taking turns\n\n", s.rounds)
	fmt.Println("| | ms | picture MB | CPU ms | most PSS MB |\n|---|---|---|---|---|")
	took, used := make([][]time.Duration, len(all)), make([]time.Duration, len(all))
	size, most := make([]int, len(all)), make([]int64, len(all))
	whole := job{url: site + "/d", whole: true}
	for range s.rounds {
		for i, c := range all {
			if c.name == "floor" {
				continue
			}
			before, err := cpuOf(c.pid())
			if err != nil {
				return err
			}
			began := time.Now()
			size[i], err = c.capture(ctx, whole)
			took[i] = append(took[i], time.Since(began))
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			after, err := cpuOf(c.pid())
			if err != nil {
				return err
			}
			used[i] += after - before
			settleDown()
			stop := watch(c.pid(), &most[i]) // in another capture: to look takes time, more for a tree of more processes
			_, err = c.capture(ctx, whole)
			stop()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			settleDown()
		}
	}
	for i, c := range all {
		if len(took[i]) > 0 {
			fmt.Printf("| %s | %.0f | %.1f | %.0f | %.0f |\n", c.name, ms(quantile(took[i], 0.5)), float64(size[i])/1e6,
				ms(used[i])/float64(s.rounds), float64(most[i])/1e6)
		}
	}
	return nil
}

// watch notes the most memory that a tree of processes has, until it is stopped.
func watch(pid int, most *int64) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			if is, err := pssOf(pid); err == nil {
				*most = max(*most, is)
			}
			select {
			case <-tick.C:
			case <-ended:
				tick.Stop()
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}
