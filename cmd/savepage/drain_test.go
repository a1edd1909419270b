package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// drained is a server that is stopped while one capture renders for a client that waits, one is queued and a callback is
// owed. At each step of its drain it is looked at.
type drained struct {
	t       *testing.T
	node    *node
	server  *server
	key     string
	waits   chan answer // what the client that waits was answered
	renders string      // the page that does not end
	steps   []string
}

// looks are what must hold when a step begins, because the one before it is over.
func (d *drained) looks() map[string]func() {
	return map[string]func(){
		"refuse new captures":            d.serves,
		"start no more work":             d.refusesCaptures,
		"finish requests":                d.answersLookUps,
		"finish running work":            d.acceptsNoConnection,
		"close connections to receivers": d.putBack,
		"close browsers":                 d.hasBrowser,
		"close pictures":                 d.hasNoBrowser,
		"close ledger":                   d.hasOnlyTheLedger,
		"close traces":                   d.hasNothing,
	}
}

func (d *drained) step(name string) {
	d.steps = append(d.steps, name)
	look, known := d.looks()[name]
	if !known {
		d.t.Errorf("nobody looks before %q", name)
		return
	}
	look()
}

func (d *drained) serves() {
	d.answers("a capture before the drain", d.submit(), http.StatusAccepted, `"status":"accepted"`)
	d.depth(2, 1)
	if len(d.waits) != 0 {
		d.t.Error("the client that waits was answered before the drain")
	}
}

func (d *drained) refusesCaptures() {
	d.answers("a new capture", d.submit(), http.StatusServiceUnavailable, `"code":"shutting_down"`)
	select {
	case got := <-d.waits:
		d.answers("the client that waits", got, http.StatusAccepted, `"status":"accepted"`)
	case <-time.After(patience):
		d.t.Error("the client that waits is not answered")
	}
}

// answersLookUps: what is queued is not started although the one that ran has been asked to end.
func (d *drained) answersLookUps() {
	d.answers("a look-up", d.server.ask(http.MethodGet, "/v1/captures", d.key, ""), http.StatusOK, `"status":"queued"`)
	d.depth(2, 1)
}

func (d *drained) acceptsNoConnection() {
	conn, err := new(net.Dialer).DialContext(d.t.Context(), "tcp", d.server.address)
	if err == nil {
		_ = conn.Close()
		d.t.Error("the listener is open")
	}
	d.depth(2, 1)
}

func (d *drained) putBack() {
	d.depth(3, 0)
	if owed, err := d.node.ledger.PendingDeliveries(d.t.Context()); err != nil || owed != 1 {
		d.t.Errorf("%d callbacks are owed, %v", owed, err)
	}
}

func (d *drained) hasBrowser() {
	if n := d.node.pool.Stats().Browsers; n != 1 {
		d.t.Errorf("%d browsers run", n)
	}
}

func (d *drained) hasNoBrowser() {
	if n := d.node.pool.Stats().Browsers; n != 0 {
		d.t.Errorf("%d browsers run", n)
	}
	if err := d.node.blobs.Ready(d.t.Context()); err != nil {
		d.t.Errorf("the pictures are closed: %v", err)
	}
}

func (d *drained) hasOnlyTheLedger() {
	if err := d.node.blobs.Ready(d.t.Context()); err == nil {
		d.t.Error("the pictures are open")
	}
	if err := d.node.ledger.Ready(d.t.Context()); err != nil {
		d.t.Errorf("the ledger is closed: %v", err)
	}
}

func (d *drained) hasNothing() {
	if err := d.node.ledger.Ready(d.t.Context()); err == nil {
		d.t.Error("the ledger is open")
	}
}

func (d *drained) submit() answer {
	return d.server.ask(http.MethodPost, "/v1/capture", d.key, `{"async":true,"url":"`+d.renders+`"}`)
}

// answers checks an answer. The steps run on the server's goroutine, which must not end before the drain does.
func (d *drained) answers(whose string, got answer, status int, part string) {
	d.t.Helper()
	if got.err != nil || got.status != status || !strings.Contains(string(got.body), part) {
		d.t.Errorf("%s is answered %d %s, %v", whose, got.status, got.body, got.err)
	}
}

// depth checks how many captures wait and how many run.
func (d *drained) depth(waiting, running int) {
	d.t.Helper()
	depths, err := d.node.ledger.Depth(d.t.Context())
	for _, one := range depths {
		if one.Queue == ledger.QueueInteractive && (one.Waiting != waiting || one.Running != running) {
			d.t.Errorf("%d captures wait and %d run, not %d and %d", one.Waiting, one.Running, waiting, running)
		}
	}
	if err != nil || len(depths) == 0 {
		d.t.Errorf("no queue: %v", err)
	}
}

func TestDrainStepsInOrder(t *testing.T) {
	verifyNoLeaks(t)
	var open atomic.Bool
	asked := make(chan struct{}, 100)
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stuck" && !open.Load() {
			asked <- struct{}{}
			<-r.Context().Done()
			return
		}
		greenPage(w, r)
	})
	called := make(chan struct{}, 100)
	receiver := servePage(t, func(w http.ResponseWriter, _ *http.Request) {
		if !open.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		called <- struct{}{}
	})
	s := settings(t, t.TempDir(), "--grace", "2s", "--concurrency", "1", "--log-level", "debug", "--log-format", "text")
	d := startDrained(t, s, page+"/stuck")
	order, _ := json.Marshal(map[string]any{"url": page, "callback_url": receiver})
	d.server.view(http.MethodPost, "/v1/capture", d.key, string(order))
	receive(t, called, "the first attempt of the callback")
	go func() { d.waits <- d.server.ask(http.MethodGet, "/v1/?url="+url.QueryEscape(d.renders), d.key, "") }()
	receive(t, asked, "the page")
	d.submit()

	if err := d.server.stop(); err != nil {
		t.Fatalf("stopped with %v\n%s", err, d.server.err)
	}
	var want []string
	for i, step := range d.node.drainSteps() {
		want = append(want, step.name)
		if line := fmt.Sprintf("step=%d name=%q", i+1, step.name); !strings.Contains(d.server.err.String(), line) {
			t.Errorf("the log lacks %s", line)
		}
	}
	if !slices.Equal(d.steps, want) {
		t.Errorf("the steps were %q, not %q", d.steps, want)
	}
	if err := d.node.ledger.Ready(t.Context()); err == nil {
		t.Error("the ledger is open")
	}
	open.Store(true)
	next := start(t, s)
	awaitMetric(next, `savepage_captures_ended_total{code="",state="success"} 3`)
	awaitMetric(next, `savepage_webhook_attempts_total{outcome="delivered"} 1`)
}

func startDrained(t *testing.T, s Settings, page string) *drained {
	t.Helper()
	sv := &server{t: t, out: &output{}, err: &output{}}
	sv.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	d := &drained{t: t, server: sv, renders: page, waits: make(chan answer, 1)}
	d.node = newNode(s, Streams{Out: sv.out, Err: sv.err})
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- d.node.run(ctx, sv.out, hooks{ready: func(address string) { ready <- address }, drains: d.step})
	}()
	sv.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = sv.stop() })
	sv.address = receive(t, ready, "the address")
	d.key = sv.key()
	return d
}

// receive waits for what must come.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}
