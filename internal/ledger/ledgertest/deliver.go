package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func deliverTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"delivered":      testDelivered,
		"again and dead": testAgain,
		"restart":        testRestart,
		"slow receiver":  testSlowReceiver,
		"stop":           testStopDelivering,
		"reconcile":      testReconcile,
		"depth":          testDepth,
	}
}

// owe has a capture end that owes a delivery to each address, and returns its id.
func (b *bench) owe(tb testing.TB, urls ...string) string {
	tb.Helper()
	stop := b.work(tb, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) (owed []savepage.Delivery) {
			for _, url := range urls {
				d := delivery(c, url)
				d.NextAt = new(time.Now().Add(time.Hour)) // so that it is still owed when this returns
				owed = append(owed, d)
			}
			return owed
		}),
	})
	id := b.accept(tb, b.account)
	equal(tb, savepage.Success, b.await(tb, id).State)
	stop()
	return id
}

func (b *bench) deliveries(tb testing.TB, id string) []savepage.Delivery {
	tb.Helper()
	list, err := b.Deliveries(tb.Context(), b.account, id)
	must(tb, err)
	return list
}

// settled waits until every delivery of a capture has ended.
func (b *bench) settled(tb testing.TB, id string) []savepage.Delivery {
	tb.Helper()
	var list []savepage.Delivery
	eventually(tb, "the deliveries end", func() bool {
		list = b.deliveries(tb, id)
		for _, d := range list {
			if d.State == savepage.Pending {
				return false
			}
		}
		return len(list) > 0
	})
	return list
}

func testDelivered(t *scene) {
	b := setUp(t, ledger.Config{})
	got := make(chan savepage.Delivery, 1)
	var owed savepage.Delivery
	b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery {
			owed = delivery(c, "http://a.test/hook")
			return []savepage.Delivery{owed}
		}),
		Deliver: func(_ context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
			if !slices.Equal(secrets, []string{b.issued.WebhookSecret}) {
				t.Errorf("secrets %q", secrets)
			}
			got <- d
			return delivered()
		},
	})
	id := b.accept(t, b.account)
	d := receive(t, "a delivery", got)
	equal(t, []any{owed.ID, id, b.account, owed.URL, string(owed.Body), savepage.Pending, 0},
		[]any{d.ID, d.CaptureID, d.Account, d.URL, string(d.Body), d.State, len(d.Attempts)})
	d = b.settled(t, id)[0]
	equal(t, savepage.Delivered, d.State)
	equal(t, 1, len(d.Attempts))
	equal(t, 1, d.Attempts[0].Number)
	equal(t, true, d.NextAt == nil && d.EndedAt != nil)
	n, err := b.PendingDeliveries(t.Context())
	must(t, err)
	equal(t, 0, n)
}

// testAgain has a receiver refuse: each attempt comes at its time and sees those before it.
func testAgain(t *scene) {
	waits := []time.Duration{300 * time.Millisecond, 40 * time.Millisecond, 500 * time.Millisecond, 100 * time.Millisecond}
	b := setUp(t, ledger.Config{})
	var due time.Time
	var late []time.Duration
	b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} }),
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			n := len(d.Attempts)
			if n > 0 {
				late = append(late, time.Since(due))
			}
			if n == len(waits) {
				return savepage.Verdict{
					State:   savepage.Dead,
					Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptStatus, Status: 410},
				}
			}
			v := tryAgain(waits[n])
			due = v.NextAt
			return v
		},
	})
	id := b.accept(t, b.account)
	d := b.settled(t, id)[0]
	equal(t, savepage.Dead, d.State)
	equal(t, len(waits)+1, len(d.Attempts))
	for i, a := range d.Attempts {
		equal(t, i+1, a.Number)
	}
	a := d.Attempts[1]
	equal(t, savepage.Attempt{
		Number: 2, At: a.At, Outcome: savepage.AttemptStatus, Status: 500, LatencyMS: 7, Error: "no", Answer: "busy",
		NextAt: a.NextAt,
	}, a)
	equal(t, waits[1], a.NextAt.Sub(a.At).Round(10*time.Millisecond))
	if slices.Min(late) < -time.Millisecond {
		t.Errorf("attempts were late by %s", late)
	}
}

// testRestart closes between two attempts: the next one comes at its time.
func testRestart(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	stop := b.work(t, ledger.Handlers{
		Render:  b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} }),
		Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict { return tryAgain(time.Hour) },
	})
	id := b.accept(t, b.account)
	eventually(t, "an attempt is recorded", func() bool {
		list := b.deliveries(t, id)
		return len(list) > 0 && len(list[0].Attempts) > 0
	})
	stop()
	before := b.deliveries(t, id)[0]
	equal(t, before.Attempts[len(before.Attempts)-1].NextAt, before.NextAt)
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Clock: now})
	attempts := make(chan time.Time, 1)
	b.work(t, ledger.Handlers{Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
		attempts <- now.Now()
		return delivered()
	}})
	eventually(t, "the next attempt", func() bool { now.Advance(5 * time.Minute); return len(attempts) > 0 })
	if at := receive(t, "the next attempt", attempts); at.Before(*before.NextAt) {
		t.Errorf("the next attempt came at %s, before %s", at, before.NextAt)
	}
	after := b.settled(t, id)[0]
	equal(t, []any{savepage.Delivered, len(before.Attempts) + 1}, []any{after.State, len(after.Attempts)})
}

// testSlowReceiver has more deliveries to a receiver that has begun to hang than there are places for it.
func testSlowReceiver(t *scene) {
	const slow = 14
	b := setUp(t, ledger.Config{Workers: 4, DeliveryWorkers: 16})
	var busy, most atomic.Int32
	open, fast := make(chan bool), make(chan bool, 1)
	b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery {
			return []savepage.Delivery{delivery(c, "http://"+strings.TrimPrefix(c.Options.URL, "https://example.com/"))}
		}),
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			if !strings.HasPrefix(d.URL, "http://slow.test/") {
				fast <- true
				return delivered()
			}
			n := busy.Add(1)
			defer busy.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			if !strings.HasSuffix(d.URL, "/0") {
				<-open
			}
			return delivered()
		},
	})
	ids := []string{b.acceptFor(t, "slow.test/0")}
	b.settled(t, ids[0])
	for i := 1; i < slow; i++ {
		ids = append(ids, b.acceptFor(t, fmt.Sprintf("slow.test/%d", i)))
	}
	eventually(t, "the slow receiver has its share", func() bool { return busy.Load() == 4 })
	b.acceptFor(t, "fast.test/")
	receive(t, "the fast receiver's delivery", fast)
	equal(t, int32(4), busy.Load())
	close(open)
	for _, id := range ids {
		equal(t, 1, len(b.settled(t, id)[0].Attempts))
	}
	equal(t, int32(4), most.Load())
}

func (b *bench) acceptFor(tb testing.TB, receiver string) string {
	tb.Helper()
	sub := b.submission()
	sub.Capture.Options.URL = "https://example.com/" + receiver
	a, err := b.Accept(tb.Context(), sub)
	must(tb, err)
	return a.Capture.ID
}

// testStopDelivering stops in the middle of an attempt: it does not count.
func testStopDelivering(t *scene) {
	b := setUp(t, ledger.Config{Grace: 20 * time.Millisecond})
	running := make(chan bool, 1)
	stop := b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} }),
		Deliver: func(ctx context.Context, _ savepage.Delivery, _ []string) savepage.Verdict {
			running <- true
			<-ctx.Done()
			return tryAgain(time.Hour)
		},
	})
	id := b.accept(t, b.account)
	receive(t, "an attempt", running)
	stop()
	equal(t, 0, len(b.deliveries(t, id)[0].Attempts))
	b.work(t, ledger.Handlers{})
	equal(t, 1, len(b.settled(t, id)[0].Attempts))
}

// testReconcile takes the jobs of captures and deliveries away.
func testReconcile(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	owing := b.owe(t, "http://a.test", "http://b.test")
	ids := []string{b.accept(t, b.account), b.accept(t, b.account)}
	t.DropJobs(t)
	got := make(chan string, 10)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		got <- c.Capture.ID
		return b.finisher(nil)(ctx, c)
	}})
	eventually(t, "both are taken", func() bool { now.Advance(time.Second); return len(got) == len(ids) })
	for _, id := range ids {
		equal(t, savepage.Success, b.await(t, id).State)
	}
	equal(t, 2, len(got))
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 2, depth[1].Waiting)
	equal(t, 2, len(b.deliveries(t, owing)))
}

func testDepth(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	b.owe(t, "http://a.test", "http://b.test")
	sub := b.submission()
	sub.Capture.CreatedAt = time.Now().Add(-time.Hour)
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	b.accept(t, b.account)
	b.accept(t, b.account)
	b.acceptBatch(t, 4)
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 3, len(depth))
	captures, deliveries := depth[0], depth[1]
	equal(t, []any{"interactive", 3, 0, "webhook", 2, 0, time.Duration(0)},
		[]any{
			captures.Queue, captures.Waiting, captures.Running, deliveries.Queue, deliveries.Waiting, deliveries.Running,
			deliveries.Oldest,
		})
	equal(t, []any{"batch", 4, 0}, []any{depth[2].Queue, depth[2].Waiting, depth[2].Running})
	if captures.Oldest < time.Hour || captures.Oldest > 2*time.Hour {
		t.Errorf("the oldest has waited %s", captures.Oldest)
	}
	n, err := b.PendingDeliveries(t.Context())
	must(t, err)
	equal(t, 2, n)

	running := make(chan bool, 3)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, _ capture.Claim) error {
		running <- true
		<-ctx.Done()
		return ctx.Err()
	}})
	receive(t, "a running capture", running)
	depth, err = b.Depth(t.Context())
	must(t, err)
	equal(t, []int{2, 1}, []int{depth[0].Waiting, depth[0].Running})
}
