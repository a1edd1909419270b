package ledgertest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// patience is how long anything may take that should happen soon.
const patience = 5 * time.Minute

// bench is an open ledger with an account.
type bench struct {
	ledger.Store
	keys    ledger.Keys
	issued  savepage.Issued
	account string
}

// scene is a test with its store.
type scene struct {
	*testing.T
	Fixture
}

// open opens the ledger of the test's fixture; whoever calls it closes it.
func (s *scene) open(cfg ledger.Config) ledger.Store {
	s.Helper()
	l, err := s.Open(s.Context(), cfg, slog.New(slog.NewTextHandler(s.Output(), nil)))
	must(s, err)
	return l
}

// openKeys opens the keys of the test's fixture; the end of the test closes them.
func (s *scene) openKeys(c *clock.Clock) ledger.Keys {
	s.Helper()
	keys, err := s.OpenKeys(s.Context(), ledger.Vault{}, c.Or())
	must(s, err)
	s.Cleanup(func() { must(s, keys.Close()) })
	return keys
}

func setUp(t *scene, cfg ledger.Config) *bench {
	t.Helper()
	b := &bench{Store: t.open(cfg), keys: t.openKeys(cfg.Clock)}
	t.Cleanup(func() { must(t, b.Close()) })
	issued, err := b.keys.Create(t.Context(), "", savepage.KeyTerms{})
	must(t, err)
	b.issued, b.account = issued, issued.Account
	return b
}

// other makes another account.
func (b *bench) other(tb testing.TB) string {
	tb.Helper()
	issued, err := b.keys.Create(tb.Context(), "", savepage.KeyTerms{})
	must(tb, err)
	return issued.Account
}

// submission makes one for the bench's account.
func (b *bench) submission() capture.Submission { return submission(b.account) }

func submission(account string) capture.Submission {
	now := time.Now()
	id := capture.NewID("cap_", now)
	o := savepage.Options{URL: "https://example.com/" + id}.WithDefaults()
	return capture.Submission{
		Capture:     savepage.Capture{ID: id, Account: account, State: savepage.Queued, Options: o, CreatedAt: now},
		Fingerprint: "f", OptionsHash: "h",
	}
}

// accept records a capture of the account and returns its id.
func (b *bench) accept(tb testing.TB, account string) string {
	tb.Helper()
	a, err := b.Accept(tb.Context(), submission(account))
	must(tb, err)
	return a.Capture.ID
}

func (b *bench) get(tb testing.TB, id string) savepage.Capture {
	tb.Helper()
	c, err := b.Get(tb.Context(), b.account, id)
	must(tb, err)
	return c
}

// forget removes a capture and returns the picture that nobody has any more.
func (b *bench) forget(tb testing.TB, account, id string) string {
	tb.Helper()
	picture, err := b.Forget(tb.Context(), account, id)
	must(tb, err)
	return picture
}

// await waits for a capture's end.
func (b *bench) await(tb testing.TB, id string) savepage.Capture {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	c, err := b.Await(ctx, id)
	must(tb, err)
	return c
}

// awaitAdvancing waits for the end of a capture that waits for its time, and lets time pass meanwhile.
func (b *bench) awaitAdvancing(tb testing.TB, id string, c *clock.Clock) savepage.Capture {
	tb.Helper()
	eventually(tb, "the capture's end", func() bool {
		c.Advance(100 * time.Millisecond)
		return b.get(tb, id).State.Final()
	})
	return b.await(tb, id)
}

// work runs the ledger's workers until the function it returns, or the end of the test.
func (b *bench) work(tb testing.TB, h ledger.Handlers) (stop func()) {
	tb.Helper()
	if h.Render == nil {
		h.Render = b.finisher(nil)
	}
	if h.Deliver == nil {
		h.Deliver = func(context.Context, savepage.Delivery, []string) savepage.Verdict { return delivered() }
	}
	if h.Stored.Owe == nil {
		h.Stored = ledger.StoredHandler{Owe: tells, Ended: func(context.Context, savepage.Capture) {}}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Work(ctx, h) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			must(tb, err)
		case <-time.After(patience):
			tb.Error("Work has not returned")
		}
	})
	tb.Cleanup(stop)
	return stop
}

// finisher is a Render that ends captures well and owes what owed says.
func (b *bench) finisher(owed func(c savepage.Capture) []savepage.Delivery) func(context.Context, capture.Claim) error {
	return func(ctx context.Context, c capture.Claim) error {
		o := capture.Outcome{State: savepage.Success, FinishedAt: time.Now()}
		if owed != nil {
			o.Deliveries = owed(c.Capture)
		}
		return b.Finish(ctx, c, o)
	}
}

// delivery makes one that is owed for a capture.
func delivery(c savepage.Capture, url string) savepage.Delivery {
	now := time.Now()
	return savepage.Delivery{
		ID: capture.NewID("msg_", now), CaptureID: c.ID, Account: c.Account, URL: url, Body: []byte(`{"a":1}`),
		State: savepage.Pending, CreatedAt: now,
	}
}

func delivered() savepage.Verdict {
	return savepage.Verdict{
		State:   savepage.Delivered,
		Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200},
	}
}

func tryAgain(after time.Duration) savepage.Verdict {
	now := time.Now()
	return savepage.Verdict{
		State: savepage.Pending, NextAt: now.Add(after),
		Attempt: savepage.Attempt{At: now, Outcome: savepage.AttemptStatus, Status: 500, LatencyMS: 7, Error: "no", Answer: "busy"},
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func equal(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("want -, got +\n%s", diff)
	}
}

// wantCode demands a *savepage.Error.
func wantCode(tb testing.TB, code savepage.Code, err error) {
	tb.Helper()
	var e *savepage.Error
	if !errors.As(err, &e) || e.Code != code {
		tb.Fatalf("want %s, got %v", code, err)
	}
}

// eventually waits until the condition holds.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("has not happened: %s", what)
		}
	}
}

// receive takes the next value of a channel.
func receive[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		tb.Fatalf("has not happened: %s", what)
		panic("unreachable")
	}
}

// whole is t as ledgers keep it.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// recorder notes names in order.
type recorder struct {
	mu    sync.Mutex
	names []string
}

func (r *recorder) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, name)
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.names...)
}

// each runs fn on n goroutines and waits for all.
func each(n int, fn func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { fn(i) })
	}
	group.Wait()
}
