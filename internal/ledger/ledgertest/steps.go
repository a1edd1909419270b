package ledgertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func stepTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"back":              func(t *scene) { testWaitingWhileStepped(t, -13*time.Hour) },
		"forward":           func(t *scene) { testWaitingWhileStepped(t, 13*time.Hour) },
		"there and back":    func(t *scene) { testWaitingWhileStepped(t, 13*time.Hour, -26*time.Hour, 13*time.Hour) },
		"while it was down": testSetBackWhileDown,
		"under load":        testStepsUnderLoad,
	}
}

// testWaitingWhileStepped sets the clock while a capture, a delivery and an open breaker wait for a time: each has its turn
// when so much time has passed, and a second.
func testWaitingWhileStepped(t *scene, steps ...time.Duration) {
	w := letWait(t)
	for _, step := range steps {
		w.now.Step(step)
		w.now.Now()
	}
	w.endsInTime()
}

// testSetBackWhileDown sets the clock back while no server runs.
func testSetBackWhileDown(t *scene) {
	w := letWait(t)
	w.stop()
	must(t, w.Close())
	w.now = clock.Manual(w.now.Now().Add(-13 * time.Hour))
	w.Store = t.open(ledger.Config{Clock: w.now, ProbeWait: longestWait})
	w.work(t, w.handlers())
	w.endsInTime()
}

// longestWait is how long everything waits at most.
const longestWait = 10 * time.Second

// waiting is a ledger in which a capture, deliveries and an open breaker wait for a time.
type waiting struct {
	*bench

	t            *scene
	now          *clock.Clock
	stop         func()
	owing, taken string // captures: one that owes deliveries, and one that is to be taken again

	mu       sync.Mutex
	attempts map[string]int
}

func letWait(t *scene) *waiting {
	now := clock.Manual(time.Now())
	w := &waiting{bench: setUp(t, ledger.Config{Clock: now, ProbeWait: longestWait}), t: t, now: now, attempts: map[string]int{}}
	w.stop = w.work(t, w.handlers())
	w.owing = w.acceptFor(t, "owing")
	w.await(t, w.owing)
	w.taken = w.acceptFor(t, "again")
	eventually(t, "everything waits", func() bool {
		stats, err := w.DeliveryStats(t.Context())
		must(t, err)
		again := w.get(t, w.taken)
		return stats.OpenReceivers == 1 && len(tried(t, w.bench, w.owing)) == 6 && again.Attempt == 1 && again.State == savepage.Queued
	})
	return w
}

func (w *waiting) handlers() ledger.Handlers {
	return ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			if c.Capture.Attempt == 1 && c.Capture.Options.URL == "https://example.com/again" {
				return w.Release(ctx, c, capture.Back{Wait: longestWait, Free: true})
			}
			return w.finisher(func(c savepage.Capture) (owed []savepage.Delivery) {
				for i := range 6 {
					owed = append(owed, delivery(c, fmt.Sprintf("http://dead.test/%d", i)))
				}
				return append(owed, delivery(c, "http://moody.test"))
			})(ctx, c)
		},
		Deliver: w.deliver,
	}
}

// deliver is what the receivers answer: one refuses the first, one does not answer the first five.
func (w *waiting) deliver(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts[d.Receiver]++
	if d.Receiver == "moody.test" && w.attempts[d.Receiver] > 1 || w.attempts[d.Receiver] > 5 {
		return delivered()
	}
	return savepage.Verdict{
		State: savepage.Pending, NextAt: w.now.Now().Add(longestWait / 2),
		Attempt: savepage.Attempt{At: w.now.Now(), Outcome: savepage.AttemptRefused},
	}
}

func (w *waiting) endsInTime() {
	w.now.Advance(longestWait + time.Second)
	equal(w.t, savepage.Success, w.await(w.t, w.taken).State)
	w.settled(w.t, w.owing)
}

// testStepsUnderLoad sets the clock back and forth while captures and deliveries come, go and are tried again: all end after
// as much time as they ask for.
func testStepsUnderLoad(t *scene) {
	const rounds, each = 10, 5
	now := clock.System()
	b := setUp(t, ledger.Config{Clock: now, Workers: 4})
	b.work(t, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			if c.Capture.Attempt == 1 {
				return b.Release(ctx, c, capture.Back{Wait: 200 * time.Millisecond, Free: true})
			}
			return b.finisher(func(c savepage.Capture) []savepage.Delivery {
				return []savepage.Delivery{delivery(c, "http://a.test"), delivery(c, "http://b.test")}
			})(ctx, c)
		},
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			if len(d.Attempts) > 0 {
				return delivered()
			}
			v := tryAgain(0)
			v.NextAt = now.Now().Add(200 * time.Millisecond)
			return v
		},
	})
	var ids []string
	for round := range rounds {
		for range each {
			ids = append(ids, b.accept(t, b.account))
		}
		now.Step([]time.Duration{13 * time.Hour, -26 * time.Hour, -time.Hour, 30 * time.Hour, -14 * time.Hour}[round%5])
		equal(t, savepage.Success, b.await(t, ids[len(ids)-1]).State)
	}
	for _, id := range ids {
		equal(t, savepage.Success, b.await(t, id).State)
		for _, d := range b.settled(t, id) {
			equal(t, []any{savepage.Delivered, 2}, []any{d.State, len(d.Attempts)})
		}
	}
}
