package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// quietTime is how long everything may take to go back to the quiet level: idle connections live for 90 seconds.
const quietTime = 4 * time.Minute

// gauge is something that must not grow.
type gauge struct {
	name   string
	unit   float64 // what is printed is divided by it
	bound  float64 // growth in an hour that is not one, in units
	spare  float64 // above the quiet level at the end, in units; 0: not judged there
	reason string
}

// gauges are the columns of the table. Bounds are a twentieth to a tenth of what is there at full load on two cores: growth
// at the bound would need days to matter, and less is lost in what a run of 45 minutes scatters.
func gauges() []gauge {
	return []gauge{
		{"service MB", 1e6, 20, 0, "caches of SQLite grow with the database, which has its size after five minutes"},
		{"browsers MB", 1e6, 80, 0, "a browser is replaced before it grows for long"},
		{"files", 1, 10, 24, "open file descriptors of the service; its pool of connections to the database opens when it is needed"},
		{"goroutines", 1, 20, 12, "of the service"},
		{"temporary", 1, 10, 40, "files and folders, the profile of a browser included"},
		{"processes", 1, 4, 3, "of the service and its browsers"},
	}
}

// reading is a measurement of all gauges, and of what came out.
type reading struct {
	at        time.Duration
	values    []float64 // in units
	ended     int
	latencies []time.Duration
	pending   float64 // captures and deliveries that have not ended
}

// soak runs the load, prints a line for each measurement, and judges.
func soak(ctx context.Context, s settings, v *service, at *site) error {
	pages := slices.Concat(goodPages(), goodPages(), badPages())
	l := newLoad(v, at, pages, true)
	if err := l.warmUp(ctx); err != nil {
		return err
	}
	quiet, err := l.settled(ctx, nil)
	if err != nil {
		return err
	}
	header()
	row("quiet", quiet)
	readings := l.measureFor(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	at.tame.Store(true)
	last, err := l.settled(ctx, &quiet)
	row("end", last)
	return errors.Join(err, judge(readings), l.wrong())
}

// warmUp renders each page once, in both browsers, so that the quiet level is the one of a service that has worked.
func (l *load) warmUp(ctx context.Context) error {
	for i, page := range goodPages() {
		options := map[string]any{"url": l.site.URL + page, "fullpage": true, "callback_url": l.site.hooks["fast"]}
		if i%2 == 0 {
			options["animations"] = "allow"
		}
		if got := l.post(ctx, "/v1/capture", options); got == nil {
			return fmt.Errorf("the page %s was not accepted: %v", page, l.mismatch)
		}
	}
	return nil
}

// measureFor runs the clients and measures until the time is over.
func (l *load) measureFor(ctx context.Context, s settings) []reading {
	working, stop := context.WithTimeout(ctx, s.lasts)
	defer stop()
	var clients sync.WaitGroup
	clients.Go(func() { l.run(working, s.clients) })
	began := time.Now()
	var readings []reading
	for pause(working, min(s.every, s.lasts/6)) { // a short run has some lines too
		r, err := l.read(ctx, time.Since(began))
		if err != nil {
			fmt.Println("not measured:", err)
			continue
		}
		readings = append(readings, r)
		row(r.at.Round(time.Second).String(), r)
	}
	clients.Wait()
	return readings
}

// read measures now.
func (l *load) read(ctx context.Context, at time.Duration) (reading, error) {
	r := reading{at: at}
	metrics, err := l.metrics(ctx)
	if err != nil {
		return r, err
	}
	pid := l.pid()
	all := processes(pid)
	var browsers int64
	for _, p := range all[1:] {
		browsers += memoryOf(p.pid)
	}
	values := []float64{
		float64(memoryOf(pid)), float64(browsers), float64(filesOf(pid)), metrics["go_goroutines"],
		float64(filesBelow(filepath.Join(l.dir, "tmp")) + filesBelow(filepath.Join(l.data(), "pictures", ".tmp"))), float64(len(all)),
	}
	for i, g := range gauges() {
		r.values = append(r.values, values[i]/g.unit)
	}
	r.pending = metrics["savepage_queue_waiting"] + metrics["savepage_queue_running"] + metrics[`savepage_deliveries{state="pending"}`]
	r.ended = int(metrics["savepage_captures_ended_total"])
	l.lock.Lock()
	defer l.lock.Unlock()
	r.latencies, l.latencies = l.latencies, nil
	return r, nil
}

// metrics returns each series, and under each name the sum of its series.
func (l *load) metrics(ctx context.Context) (map[string]float64, error) {
	status, text, err := l.call(ctx, http.MethodGet, "/metrics", nil)
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("metrics: status %d, %w", status, err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		series, number, found := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(number, 64)
		if !found || err != nil || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, labeled := strings.Cut(series, "{")
		values[name] += value
		if labeled {
			values[series] += value
		}
	}
	return values, nil
}

// settled waits until nothing is pending and, with a level, until all gauges are back at it.
func (l *load) settled(ctx context.Context, level *reading) (reading, error) {
	limited, cancel := context.WithTimeout(ctx, l.settleTime())
	defer cancel()
	for {
		l.http.CloseIdleConnections()
		r, err := l.read(ctx, 0)
		if err != nil {
			return r, err
		}
		above := aboveLevel(r, level)
		if r.pending == 0 && len(above) == 0 {
			return r, nil
		}
		if !pause(limited, time.Second) {
			return r, fmt.Errorf("not back at the quiet level: %v captures and callbacks have not ended; above it: %s", r.pending,
				strings.Join(above, ", "))
		}
	}
}

// settleTime allows for what is open to end first.
func (l *load) settleTime() time.Duration { return quietTime + time.Duration(l.opened())*2*time.Second }

func aboveLevel(r reading, level *reading) []string {
	if level == nil {
		return nil
	}
	var above []string
	for i, g := range gauges() {
		if g.spare > 0 && r.values[i] > level.values[i]+g.spare {
			above = append(above, fmt.Sprintf("%s %.0f, was %.0f", g.name, r.values[i], level.values[i]))
		}
	}
	return above
}

func header() {
	fmt.Printf("%-8s", "")
	for _, g := range gauges() {
		fmt.Printf(" %12s", g.name)
	}
	fmt.Printf(" %9s %9s %9s %9s %9s\n", "pending", "ended", "p50 ms", "p95 ms", "max ms")
}

func row(name string, r reading) {
	fmt.Printf("%-8s", name)
	for _, value := range r.values {
		fmt.Printf(" %12.0f", value)
	}
	fmt.Printf(" %9.0f %9d", r.pending, r.ended)
	slices.Sort(r.latencies)
	if n := len(r.latencies); n > 0 {
		for _, at := range []int{n / 2, n * 95 / 100, n - 1} {
			fmt.Printf(" %9d", r.latencies[at].Milliseconds())
		}
	}
	fmt.Println()
}

// judge looks for growth after the first ten minutes.
func judge(readings []reading) error {
	if len(readings) == 0 || readings[len(readings)-1].at < 2*judgedFrom {
		fmt.Println("shorter than 20 minutes: growth is not judged, only what is left at the end")
		return nil
	}
	var faults []error
	for i, g := range gauges() {
		var all []sample
		for _, r := range readings {
			all = append(all, sample{r.at, r.values[i]})
		}
		growth, perHour := grows(all, g.bound)
		fmt.Printf("%-12s %+8.1f in an hour (bound %.0f: %s)\n", g.name, perHour, g.bound, g.reason)
		if growth {
			faults = append(faults, fmt.Errorf("%s grows by %.1f in an hour: more than %.0f", g.name, perHour, g.bound))
		}
	}
	return errors.Join(faults...)
}

// wrong returns what the clients were told that cannot be.
func (b *book) wrong() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	if len(b.mismatch) > 0 {
		return fmt.Errorf("wrong answers: %s", strings.Join(b.mismatch, "; "))
	}
	return nil
}
