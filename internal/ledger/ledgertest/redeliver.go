package ledgertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

func redeliverTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"list":             testListDeliveries,
		"one again":        testRedeliver,
		"urgent":           testRedeliverPending,
		"while it fails":   func(t *scene) { testRedeliverOnItsWay(t, tryAgain(time.Hour)) },
		"while it arrives": func(t *scene) { testRedeliverOnItsWay(t, delivered()) },
		"dead again":       testRedeliverDead,
		"ended again":      testRedeliverEnded,
		"breaker":          testBreaker,
		"retention":        testDeadLettersAreKept,
		"without taker":    testNobodyDelivers,
	}
}

// attempts is a Deliver that answers as told and notes whom it was asked for.
type attempts struct {
	mu     sync.Mutex
	answer func(d savepage.Delivery) savepage.Verdict
	seen   []savepage.Delivery
}

func (a *attempts) deliver(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, d)
	return a.answer(d)
}

func (a *attempts) set(answer func(d savepage.Delivery) savepage.Verdict) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

func (a *attempts) all() []savepage.Delivery {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]savepage.Delivery(nil), a.seen...)
}

func ends(state savepage.DeliveryState, status int) func(savepage.Delivery) savepage.Verdict {
	return func(savepage.Delivery) savepage.Verdict {
		a := savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptStatus, Status: status}
		if state == savepage.Delivered {
			a.Outcome = savepage.AttemptDelivered
		}
		return savepage.Verdict{State: state, Attempt: a}
	}
}

func (b *bench) delivery(tb testing.TB, id string) savepage.Delivery {
	tb.Helper()
	d, err := b.Delivery(tb.Context(), b.account, id)
	must(tb, err)
	return d
}

// counts waits until the counts are so: they follow the commits.
func (b *bench) counts(tb testing.TB, want ledger.DeliveryStats) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("the counts are %+v", want), func() bool {
		got, err := b.DeliveryStats(tb.Context())
		must(tb, err)
		return got == want
	})
}

func (b *bench) page(tb testing.TB, f capture.DeliveryFilter) (ids []string, next string) {
	tb.Helper()
	page, next, err := b.ListDeliveries(tb.Context(), b.account, f)
	must(tb, err)
	for _, d := range page {
		ids = append(ids, d.ID)
	}
	return ids, next
}

// end has a capture owe deliveries that end at once in a state, and returns them.
func (b *bench) end(tb testing.TB, state savepage.DeliveryState, urls ...string) []savepage.Delivery {
	tb.Helper()
	a := &attempts{answer: ends(state, 410)}
	stop := b.work(tb, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) (owed []savepage.Delivery) {
			for _, url := range urls {
				owed = append(owed, delivery(c, url))
			}
			return owed
		}),
		Deliver: a.deliver,
	})
	id := b.accept(tb, b.account)
	equal(tb, savepage.Success, b.await(tb, id).State)
	ended := b.settled(tb, id)
	stop()
	return ended
}

func testListDeliveries(t *scene) {
	b := setUp(t, ledger.Config{})
	dead := b.end(t, savepage.Dead, "http://a.test", "http://b.test", "http://c.test")
	done := b.end(t, savepage.Delivered, "http://a.test")
	owing := b.owe(t, "http://a.test", "http://b.test")
	var pending []string
	for _, d := range b.deliveries(t, owing) {
		pending = append(pending, d.ID)
	}
	all := []string{pending[1], pending[0], done[0].ID, dead[2].ID, dead[1].ID, dead[0].ID}
	got, next := b.page(t, capture.DeliveryFilter{Limit: 10})
	equal(t, all, got)
	equal(t, "", next)
	for state, want := range map[savepage.DeliveryState][]string{
		savepage.Pending: all[:2], savepage.Delivered: all[2:3],
		savepage.Dead: all[3:],
	} {
		got, next := b.page(t, capture.DeliveryFilter{State: state, Limit: 3})
		equal(t, want, got)
		equal(t, "", next)
	}
	got, _ = b.page(t, capture.DeliveryFilter{CaptureID: owing, Limit: 10})
	equal(t, all[:2], got)
	got, _ = b.page(t, capture.DeliveryFilter{CaptureID: owing, State: savepage.Dead, Limit: 10})
	equal(t, 0, len(got))
	var walked []string
	for cursor, again := "", true; again; again = cursor != "" {
		got, cursor = b.page(t, capture.DeliveryFilter{Limit: 4, Cursor: cursor})
		walked = append(walked, got...)
	}
	equal(t, all, walked)
	_, _, err := b.ListDeliveries(t.Context(), b.account, capture.DeliveryFilter{Cursor: "!"})
	wantCode(t, savepage.CodeInvalidRequest, err)

	d := b.delivery(t, dead[0].ID)
	equal(t, []any{savepage.Dead, 1, 410, "http://a.test", true},
		[]any{d.State, len(d.Attempts), d.Attempts[0].Status, d.URL, d.Attempts[0].NextAt == nil})
	other := b.other(t)
	_, err = b.Delivery(t.Context(), other, d.ID)
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.Redeliver(t.Context(), other, d.ID)
	wantCode(t, savepage.CodeNotFound, err)
	foreign, _, err := b.ListDeliveries(t.Context(), other, capture.DeliveryFilter{})
	must(t, err)
	equal(t, 0, len(foreign))
	n, _, err := redeliverDead(t, b, other, time.Time{})
	must(t, err)
	equal(t, 0, n)
}

// testRedeliver sends a dead delivery and a delivered one again: each starts a schedule of its own, with its attempts kept.
func testRedeliver(t *scene) {
	b := setUp(t, ledger.Config{})
	dead, done := b.end(t, savepage.Dead, "http://a.test")[0], b.end(t, savepage.Delivered, "http://a.test")[0]
	a := &attempts{answer: ends(savepage.Delivered, 200)}
	stop := b.work(t, ledger.Handlers{Deliver: a.deliver})
	for _, before := range []savepage.Delivery{dead, done} {
		again, err := b.Redeliver(t.Context(), b.account, before.ID)
		must(t, err)
		equal(t, before.ID, again.ID)
		d := b.settled(t, before.CaptureID)[0]
		equal(t, []any{savepage.Delivered, 2, 2, 1}, []any{d.State, len(d.Attempts), d.Attempts[1].Number, d.Earlier})
	}
	for i, seen := range a.all() {
		equal(t, []any{[]savepage.Delivery{dead, done}[i].ID, 1, 1, `{"a":1}`},
			[]any{seen.ID, len(seen.Attempts), seen.Earlier, string(seen.Body)})
	}
	equal(t, 2, len(a.all()))
	stop()
	// What is asked for while nobody delivers is not forgotten.
	again, err := b.Redeliver(t.Context(), b.account, dead.ID)
	must(t, err)
	equal(t, []any{savepage.Pending, true, 2}, []any{again.State, again.EndedAt == nil, again.Earlier})
	must(t, b.Close())
	b.Store = t.open(ledger.Config{})
	b.work(t, ledger.Handlers{Deliver: a.deliver})
	equal(t, 3, len(b.settled(t, dead.CaptureID)[0].Attempts))
	b.counts(t, ledger.DeliveryStats{Delivered: 1}) // since the start
}

// testRedeliverPending makes one that waits for its time due now, in the schedule that it has.
func testRedeliverPending(t *scene) {
	b := setUp(t, ledger.Config{})
	id := b.owe(t, "http://a.test", "http://a.test")
	owed := b.deliveries(t, id)
	a := &attempts{answer: ends(savepage.Delivered, 200)}
	b.work(t, ledger.Handlers{Deliver: a.deliver})
	for range 3 {
		_, err := b.Redeliver(t.Context(), b.account, owed[1].ID)
		must(t, err)
		eventually(t, "it is delivered", func() bool { return b.delivery(t, owed[1].ID).State == savepage.Delivered })
	}
	d := b.delivery(t, owed[1].ID)
	equal(t, 3, len(d.Attempts)) // the first while it was pending, two more because they were asked for
	equal(t, 2, d.Earlier)
	equal(t, []any{savepage.Pending, 0}, []any{b.delivery(t, owed[0].ID).State, len(b.delivery(t, owed[0].ID).Attempts)})
}

// testRedeliverOnItsWay asks for one again while it is being sent: it is sent again, whatever becomes of the first.
func testRedeliverOnItsWay(t *scene, first savepage.Verdict) {
	b := setUp(t, ledger.Config{})
	underWay, open := make(chan bool, 1), make(chan bool)
	b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} }),
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			if len(d.Attempts) > 0 {
				return delivered()
			}
			underWay <- true
			<-open
			return first
		},
	})
	id := b.accept(t, b.account)
	receive(t, "an attempt", underWay)
	_, err := b.Redeliver(t.Context(), b.account, b.deliveries(t, id)[0].ID)
	must(t, err)
	close(open)
	d := b.settledAfter(t, id, 2)
	equal(t, savepage.Delivered, d.State)
}

// settledAfter waits until a capture's one delivery has ended after a number of attempts.
func (b *bench) settledAfter(tb testing.TB, id string, attempts int) (d savepage.Delivery) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("%d attempts", attempts), func() bool {
		d = b.deliveries(tb, id)[0]
		return d.State != savepage.Pending && len(d.Attempts) == attempts
	})
	return d
}

// testRedeliverDead sends all dead ones again: once, one after the other, and only those that died since.
func testRedeliverDead(t *scene) {
	b := setUp(t, ledger.Config{})
	old := b.end(t, savepage.Dead, "http://a.test")[0]
	since := time.Now()
	var urls []string
	for i := range 8 {
		urls = append(urls, fmt.Sprintf("http://host%d.test", i%3))
	}
	dead := b.end(t, savepage.Dead, urls...)
	done := b.end(t, savepage.Delivered, "http://a.test")[0]
	b.counts(t, ledger.DeliveryStats{Dead: 9, Died: 9, Delivered: 1})

	n, last, err := redeliverDead(t, b, b.account, since)
	must(t, err)
	equal(t, 8, n)
	n, _, err = redeliverDead(t, b, b.account, since)
	must(t, err)
	equal(t, 0, n)
	var before time.Time
	for _, d := range dead {
		now := b.delivery(t, d.ID)
		equal(t, savepage.Pending, now.State)
		if !now.NextAt.After(before) || now.NextAt.After(whole(last)) {
			t.Errorf("due at %s, after %s, the last at %s", now.NextAt, before, last)
		}
		before = *now.NextAt
	}
	equal(t, whole(last), before)
	a := &attempts{answer: ends(savepage.Delivered, 200)}
	b.work(t, ledger.Handlers{Deliver: a.deliver})
	for _, d := range b.settled(t, dead[0].CaptureID) {
		equal(t, []any{savepage.Delivered, 2}, []any{d.State, len(d.Attempts)})
	}
	equal(t, 8, len(a.all()))
	equal(t, savepage.Dead, b.delivery(t, old.ID).State)
	equal(t, 1, len(b.delivery(t, done.ID).Attempts))
}

// testBreaker has a receiver fail: its deliveries wait and say so, also after a restart, and none uses an attempt.
func testBreaker(t *scene) {
	const probeWait = 10 * time.Hour
	b := setUp(t, ledger.Config{ProbeWait: probeWait})
	a := &attempts{answer: func(savepage.Delivery) savepage.Verdict {
		v := tryAgain(probeWait / 2)
		v.Attempt.Outcome, v.Attempt.Status = savepage.AttemptRefused, 0
		return v
	}}
	render := b.finisher(func(c savepage.Capture) (owed []savepage.Delivery) {
		for range 20 {
			owed = append(owed, delivery(c, "http://dead.test/a"))
		}
		return append(owed, delivery(c, "http://live.test/"))
	})
	stop := b.work(t, ledger.Handlers{Render: render, Deliver: a.deliver})
	id := b.accept(t, b.account)
	b.await(t, id)
	open := func() bool {
		stats, err := b.DeliveryStats(t.Context())
		must(t, err)
		return stats.OpenReceivers == 1 && stats.Pending == 21
	}
	eventually(t, "the breaker opens", open)
	eventually(t, "the attempts are recorded", func() bool { return len(tried(t, b, id)) == 6 })
	waiting := 0
	for _, d := range b.deliveries(t, id) {
		if d.WaitingFor == savepage.WaitingForReceiver {
			waiting++
			equal(t, true, time.Until(*d.NextAt) > probeWait/2)
		}
	}
	equal(t, 20, waiting)
	stop()
	must(t, b.Close())
	b.Store = t.open(ledger.Config{ProbeWait: probeWait})
	a.set(ends(savepage.Delivered, 200))
	b.work(t, ledger.Handlers{Deliver: a.deliver})
	eventually(t, "the breaker is still open", open)
	equal(t, 6, len(tried(t, b, id)))

	// One that is sent by hand is the probe, and closes it.
	urgent := b.deliveries(t, id)[7]
	_, err := b.Redeliver(t.Context(), b.account, urgent.ID)
	must(t, err)
	eventually(t, "the others are sent that were due", func() bool {
		stats, err := b.DeliveryStats(t.Context())
		must(t, err)
		return stats.OpenReceivers == 0 && stats.Delivered == 15
	})
	equal(t, 6+15, len(tried(t, b, id)))
}

// tried returns all attempts of a capture's deliveries.
func tried(tb testing.TB, b *bench, id string) (all []savepage.Attempt) {
	tb.Helper()
	for _, d := range b.deliveries(tb, id) {
		all = append(all, d.Attempts...)
	}
	return all
}

// testDeadLettersAreKept asks for what can go: a capture stays while a delivery of it is owed, and a dead one counts from its
// death.
func testDeadLettersAreKept(t *scene) {
	b := setUp(t, ledger.Config{})
	before := time.Now()
	done := b.end(t, savepage.Delivered, "http://a.test")[0]
	middle := time.Now()
	dead := b.end(t, savepage.Dead, "http://a.test", "http://b.test")[0]
	expired := func(at time.Time) (ids []string) {
		list, err := b.Expired(t.Context(), at, 10)
		must(t, err)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return ids
	}
	equal(t, 0, len(expired(before)))
	equal(t, []string{done.CaptureID}, expired(middle))
	created := b.get(t, dead.CaptureID).CreatedAt
	equal(t, []string{done.CaptureID}, expired(created.Add(time.Microsecond))) // older than that, but its letters are not
	equal(t, []string{done.CaptureID, dead.CaptureID}, expired(time.Now()))
	_, err := b.Redeliver(t.Context(), b.account, dead.ID)
	must(t, err)
	equal(t, []string{done.CaptureID}, expired(time.Now()))
	_, err = b.Forget(t.Context(), b.account, dead.CaptureID)
	must(t, err)
	_, err = b.Delivery(t.Context(), b.account, dead.ID)
	wantCode(t, savepage.CodeNotFound, err)
	stats, err := b.DeliveryStats(t.Context())
	must(t, err)
	equal(t, []int{0, 0}, []int{stats.Pending, stats.Dead})
}

// testNobodyDelivers works on captures only: what is owed waits for a ledger that delivers.
func testNobodyDelivers(t *scene) {
	b := setUp(t, ledger.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	render := b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} })
	go func() { done <- b.Work(ctx, ledger.Handlers{Render: render}) }()
	id := b.accept(t, b.account)
	b.await(t, id)
	cancel()
	must(t, <-done)
	equal(t, savepage.Pending, b.deliveries(t, id)[0].State)
	b.work(t, ledger.Handlers{})
	equal(t, savepage.Delivered, b.settled(t, id)[0].State)
}
