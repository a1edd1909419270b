package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// chaos is a cluster to which faults happen while clients submit.
type chaos struct {
	*cluster
	*load

	list   []fault
	done   map[string]int
	absent map[string]int
	ends   sync.WaitGroup
	still  stillness
}

// planned is one fault of a run: all of it comes from the seed.
type planned struct {
	after time.Duration // the one before began
	fault int           // of the list
	node  int
	lasts time.Duration
	seed  uint64 // of what it draws itself
}

// plan draws the faults of a run.
func plan(s settings, list []fault, nodes int) []planned {
	draw := rand.New(rand.NewPCG(s.seed, 0)) //nolint:gosec // it is not for secrets
	total := 0
	for _, f := range list {
		total += f.weight
	}
	all := make([]planned, s.faults)
	for i := range all {
		// Each kind happens once before chance decides.
		which, at := i, draw.IntN(total)
		if i >= len(list) {
			for which = 0; at >= list[which].weight; which++ {
				at -= list[which].weight
			}
		}
		f := list[which]
		all[i] = planned{
			after: s.pause/2 + time.Duration(draw.Int64N(int64(s.pause))), fault: which, node: draw.IntN(nodes),
			lasts: f.least + time.Duration(draw.Int64N(int64(f.most-f.least)+1)), seed: draw.Uint64(),
		}
	}
	first := all[:min(len(all), len(list))]
	draw.Shuffle(len(first), func(i, j int) { first[i], first[j] = first[j], first[i] })
	return all
}

// runChaos lets the faults of a seed happen, lets everything end, and looks at what became of it.
func runChaos(ctx context.Context, s settings, at *site) (err error) {
	fmt.Printf("seed %d, %s\n", s.seed, s.engine)
	c := &chaos{done: map[string]int{}, absent: map[string]int{}}
	if c.cluster, err = newCluster(ctx, s); err != nil {
		return err
	}
	keeping, release := context.WithCancel(ctx)
	defer func() {
		release()
		c.ended.Wait()
		if closed := c.close(s.keep || err != nil); err == nil {
			err = closed
		}
	}()
	c.load = newLoad(nil, at, goodPages(), false)
	c.ask = c.cluster
	for _, f := range faults() {
		if c.server != nil || !f.shared {
			c.list = append(c.list, f)
		}
	}
	if err := c.start(keeping); err != nil {
		return err
	}
	return c.run(ctx, s)
}

func (c *chaos) run(ctx context.Context, s settings) error {
	working, stop := context.WithCancel(ctx)
	var clients, watch sync.WaitGroup
	clients.Go(func() { c.load.run(working, s.clients) })
	watching, unwatch := context.WithCancel(ctx)
	watch.Go(func() { c.still.watch(watching, c) })
	defer watch.Wait()
	defer unwatch()
	began := time.Now()
	for i, p := range plan(s, c.list, len(c.nodes)) {
		for again := true; again; again = c.count() < (i+1)*s.captures/s.faults {
			if !pause(ctx, p.after) {
				break
			}
		}
		c.happen(ctx, p, time.Since(began))
	}
	stop()
	clients.Wait()
	c.ends.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Printf("%d faults in %s; all may now end\n", s.faults, time.Since(began).Round(time.Second))
	c.site.tame.Store(true)
	return c.audit(ctx, s.grace)
}

// beginWithin is how long a fault may take to begin: another one may be in its way.
const beginWithin = 10 * time.Second

// happen begins a fault, and ends it after its time.
func (c *chaos) happen(ctx context.Context, p planned, at time.Duration) {
	f := c.list[p.fault]
	beginning, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	draw := rand.New(rand.NewPCG(p.seed, 1)) //nolint:gosec // it is not for secrets
	end, err := f.begin(beginning, c, c.nodes[p.node], draw)
	for tries := 1; tries < len(c.nodes) && (errors.Is(err, errAbsent) || errors.Is(err, syscall.ESRCH)); tries++ {
		p.node = (p.node + 1) % len(c.nodes) // the one that was drawn is down
		end, err = f.begin(beginning, c, c.nodes[p.node], draw)
	}
	if err != nil {
		if end != nil {
			end()
		}
		fmt.Printf("%7.1f s  %-24s node %d  not possible: %v\n", at.Seconds(), f.name, p.node, err)
		c.absent[f.name]++
		return
	}
	c.done[f.name]++
	fmt.Printf("%7.1f s  %-24s node %d  %5.1f s  %5d accepted, %3d open\n", at.Seconds(), f.name, p.node, p.lasts.Seconds(), c.count(),
		c.opened())
	if end != nil {
		c.ends.Go(func() {
			pause(ctx, p.lasts)
			end()
		})
	}
}

// stillness is how long nothing ended at most while something was open.
type stillness struct {
	mu      sync.Mutex
	longest time.Duration
}

// watch asks again and again how much has ended.
func (s *stillness) watch(ctx context.Context, c *chaos) {
	var ended int64
	since := time.Now()
	for pause(ctx, 250*time.Millisecond) {
		now, answered := c.endedYet(ctx)
		if answered && now != ended || c.opened() == 0 {
			ended, since = now, time.Now()
			continue
		}
		s.mu.Lock()
		s.longest = max(s.longest, time.Since(since))
		s.mu.Unlock()
	}
}

// endedYet counts what has ended: captures and callbacks.
func (c *chaos) endedYet(ctx context.Context) (int64, bool) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	status, text, err := c.ask.call(ctx, http.MethodGet, "/v1/usage/history", nil)
	var got struct {
		Total struct{ Success, Shared, Failed, Canceled, Delivered, Dead int64 }
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(text, &got) != nil {
		return 0, false
	}
	t := got.Total
	return t.Success + t.Shared + t.Failed + t.Canceled + t.Delivered + t.Dead, true
}
