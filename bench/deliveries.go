package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Sizes of the measurements of deliveries.
const (
	owedFast = 20_000 // to one receiver that answers at once
	owedDead = 10_000 // to one that does not answer at all
	owedLive = 40     // to a live one beside it
	liveStep = 250 * time.Millisecond
	bodySize = 1 << 10 // bytes of an event
)

// deliveries measures callbacks while no capture runs: how many a second reach a receiver that answers at once, and how
// late those to a live receiver are while thousands are owed to dead ones.
func deliveries(ctx context.Context, s settings) (err error) {
	all, stop, err := engines(ctx)
	if err != nil {
		return err
	}
	defer func() { err = first(err, stop()) }()
	fmt.Printf("\n## Deliveries, no capture running, receiver on the same machine\n\n")
	fmt.Println("| database | nodes | owed | receivers | deliveries/s | service CPU ms each | connections |\n|---|---|---|---|---|---|---|")
	for _, e := range all {
		for _, receivers := range []int{1, 8} {
			for nodes := 1; nodes <= e.nodes(); nodes++ {
				if err := e.fastReceivers(ctx, s, receivers, nodes); err != nil {
					return err
				}
			}
		}
	}
	fmt.Printf("\n## %d deliveries to a live receiver while %d are owed to a dead one: late by, ms\n\n", owedLive, owedDead)
	fmt.Println("| database | dead receiver | median | max | attempts at the dead one |\n|---|---|---|---|---|")
	for _, e := range all {
		for _, kind := range []string{"refuses connections", "never answers"} {
			if err := e.besideDead(ctx, s, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// nodes is how many processes may send from one database.
func (e *engine) nodes() int {
	if e.server == nil {
		return 1
	}
	return 2
}

// deliverers starts processes that send from one place.
func (u setup) deliverers(ctx context.Context, nodes int) (all []*service, err error) {
	if u.database != "" {
		u.roles = "deliver"
	}
	for range nodes {
		one, err := start(ctx, u, "")
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

func cpuOfAll(all []*service) (sum time.Duration, err error) {
	for _, one := range all {
		took, err := cpuOf(one.pid())
		if err != nil {
			return 0, err
		}
		sum += took
	}
	return sum, nil
}

func stopAll(all []*service) error {
	for _, one := range all {
		if err := one.stop(); err != nil {
			return err
		}
	}
	return os.RemoveAll(all[0].dir)
}

func (e *engine) fastReceivers(ctx context.Context, s settings, count, nodes int) error {
	hooks := make([]*hook, count)
	for i := range hooks {
		one, err := newHook(ctx)
		if err != nil {
			return err
		}
		defer one.close()
		hooks[i] = one
	}
	u, err := e.fresh(ctx, s.binary)
	if err != nil {
		return err
	}
	due := time.Now().Add(fillTime(owedFast))
	if err := owe(ctx, u, owedFast, func(i int) (string, time.Time) { return hooks[i%count].url, due }); err != nil {
		return err
	}
	ours, err := u.deliverers(ctx, nodes)
	if err != nil {
		return err
	}
	before, err := cpuOfAll(ours)
	if err != nil {
		return err
	}
	var began, ended time.Time
	connections := 0
	for _, one := range hooks {
		if err := one.await(ctx, owedFast/count); err != nil {
			return err
		}
		first, last := one.span()
		if began.IsZero() || first.Before(began) {
			began = first
		}
		if last.After(ended) {
			ended = last
		}
		connections += one.conns
	}
	after, err := cpuOfAll(ours)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %d | %d | %d | %.0f | %.2f | %d |\n", e.name, nodes, owedFast, count,
		owedFast/ended.Sub(began).Seconds(), ms(after-before)/owedFast, connections)
	return stopAll(ours)
}

// besideDead has deliveries to a live receiver fall due one after the other while all those to a dead one are due.
func (e *engine) besideDead(ctx context.Context, s settings, kind string) error {
	live, err := newHook(ctx)
	if err != nil {
		return err
	}
	defer live.close()
	dead, err := newHook(ctx)
	if err != nil {
		return err
	}
	defer dead.close()
	if kind == "refuses connections" {
		dead.close()
	} else {
		dead.hang = make(chan struct{})
	}
	u, err := e.fresh(ctx, s.binary)
	if err != nil {
		return err
	}
	due := time.Now().Add(fillTime(owedDead))
	err = owe(ctx, u, owedDead+owedLive, func(i int) (string, time.Time) {
		if i < owedDead {
			return dead.url, due
		}
		return live.url, due.Add(time.Duration(i-owedDead) * liveStep)
	})
	if err != nil {
		return err
	}
	ours, err := u.deliverers(ctx, 1)
	if err != nil {
		return err
	}
	if err := live.await(ctx, owedLive); err != nil {
		return err
	}
	late := make([]time.Duration, owedLive)
	for i, at := range live.arrivals() {
		late[i] = at.Sub(due.Add(time.Duration(i) * liveStep))
	}
	fmt.Printf("| %s | %s | %.0f | %.0f | %d |\n", e.name, kind, ms(quantile(late, 0.5)), ms(slices.Max(late)), len(dead.arrivals()))
	if dead.hang != nil {
		close(dead.hang)
	}
	return stopAll(ours)
}

// fillTime is longer than it takes to record so many deliveries and to start the service.
func fillTime(n int) time.Duration { return 4*time.Second + time.Duration(n)*500*time.Microsecond }

// owe records n deliveries in a place, each to the address and at the time of its number.
func owe(ctx context.Context, u setup, n int, to func(i int) (string, time.Time)) error {
	records, err := u.open(ctx, ledger.Config{})
	if err != nil {
		return err
	}
	issued, _, err := records.Bootstrap(ctx)
	if err != nil {
		return err
	}
	const each = 500
	work, stop := context.WithCancel(ctx)
	next := 0
	render := func(ctx context.Context, c capture.Claim) error {
		o := capture.Outcome{State: savepage.Success, FinishedAt: time.Now()}
		for range min(each, n-next) {
			url, at := to(next)
			next++
			o.Deliveries = append(o.Deliveries, savepage.Delivery{
				ID: capture.NewID("msg_", o.FinishedAt), CaptureID: c.Capture.ID, Account: issued.Account, URL: url,
				Body: make([]byte, bodySize), State: savepage.Pending, CreatedAt: o.FinishedAt, NextAt: &at,
			})
		}
		defer func() {
			if next == n {
				stop()
			}
		}()
		return records.Finish(context.WithoutCancel(ctx), c, o)
	}
	for i := 0; i < n; i += each {
		now := time.Now()
		c := savepage.Capture{ID: capture.NewID("cap_", now), Account: issued.Account, State: savepage.Queued, CreatedAt: now}
		if _, err := records.Accept(ctx, capture.Submission{Capture: c}); err != nil {
			return err
		}
	}
	err = records.Work(work, ledger.Handlers{Render: render})
	return first(err, records.Close())
}

// hook is a receiver that answers at once.
type hook struct {
	url    string
	server *http.Server
	hang   chan struct{} // if set, nothing is answered until it is closed
	asked  int           // of who counts what is to come

	mu    sync.Mutex
	taken []time.Time
	last  string // id of the delivery that arrived last
	conns int
	more  chan struct{}
}

func newHook(ctx context.Context) (*hook, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hook{url: "http://" + listener.Addr().String() + "/hook", more: make(chan struct{}, 1)}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			h.mu.Lock()
			h.conns++
			h.mu.Unlock()
		}
	}}
	go func() { _ = h.server.Serve(listener) }()
	return h, nil
}

// ServeHTTP takes a delivery.
func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.taken = append(h.taken, time.Now())
	h.last = r.Header.Get(savepage.HeaderWebhookID)
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
	if h.hang != nil {
		select {
		case <-h.hang:
		case <-r.Context().Done():
		}
	}
}

func (h *hook) close() { _ = h.server.Close() }

func (h *hook) arrivals() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.taken)
}

func (h *hook) span() (first, last time.Time) {
	taken := h.arrivals()
	return taken[0], taken[len(taken)-1]
}

// await returns when so many have arrived.
func (h *hook) await(ctx context.Context, n int) error {
	late := time.After(3 * time.Minute)
	for got := 0; got < n; got = len(h.arrivals()) {
		select {
		case <-h.more:
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("only %d of %d deliveries have arrived", got, n)
		}
	}
	return nil
}
