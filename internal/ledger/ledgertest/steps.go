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
		"back":           func(t *scene) { testWaitingWhileStepped(t, -13*time.Hour) },
		"forward":        func(t *scene) { testWaitingWhileStepped(t, 13*time.Hour) },
		"there and back": func(t *scene) { testWaitingWhileStepped(t, 13*time.Hour, -26*time.Hour, 13*time.Hour) },
		"under load":     testStepsUnderLoad,
	}
}

// testWaitingWhileStepped sets the clock while a capture, a delivery and an open breaker wait for a time: each has its turn
// when so much time has passed, and a second.
func testWaitingWhileStepped(t *scene, steps ...time.Duration) {
	const wait = 10 * time.Second
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now, ProbeWait: wait})
	later := func() savepage.Verdict {
		return savepage.Verdict{
			State: savepage.Pending, NextAt: now.Now().Add(wait / 2),
			Attempt: savepage.Attempt{At: now.Now(), Outcome: savepage.AttemptRefused},
		}
	}
	var mu sync.Mutex
	attempts := map[string]int{}
	b.work(t, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			if c.Capture.Attempt == 1 && c.Capture.Options.URL == "https://example.com/again" {
				return b.Release(ctx, c, capture.Back{Wait: wait, Free: true})
			}
			return b.finisher(func(c savepage.Capture) (owed []savepage.Delivery) {
				for i := range 6 {
					owed = append(owed, delivery(c, fmt.Sprintf("http://dead.test/%d", i)))
				}
				return append(owed, delivery(c, "http://moody.test"))
			})(ctx, c)
		},
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			mu.Lock()
			defer mu.Unlock()
			attempts[d.Receiver]++
			if d.Receiver == "moody.test" && attempts[d.Receiver] > 1 || attempts[d.Receiver] > 5 {
				return delivered()
			}
			return later()
		},
	})
	owing := b.acceptFor(t, "owing")
	b.await(t, owing)
	waiting := b.acceptFor(t, "again")
	eventually(t, "everything waits", func() bool {
		stats, err := b.DeliveryStats(t.Context())
		must(t, err)
		return stats.OpenReceivers == 1 && len(tried(t, b, owing)) == 6 && b.get(t, waiting).Attempt == 1 &&
			b.get(t, waiting).State == savepage.Queued
	})
	for _, step := range steps {
		now.Step(step)
		now.Now()
	}
	now.Advance(wait + time.Second)
	equal(t, savepage.Success, b.await(t, waiting).State)
	b.settled(t, owing)
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
