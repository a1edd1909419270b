package ledgertest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func acceptTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"round trip":             testRoundTrip,
		"foreign accounts":       testForeign,
		"idempotency":            testIdempotency,
		"idempotency at once":    testIdempotencyAtOnce,
		"idempotency, forgotten": testIdempotencyForgotten,
		"bad rows":               testBadRows,
		"many at once":           testManyAtOnce,
		"queue full":             testQueueFull,
		"fairness":               testFairness,
		"own interactive":        testOwnInteractive,
		"list":                   testList,
		"search":                 testSearch,
		"closed":                 testClosed,
	}
}

func testRoundTrip(t *scene) {
	b := setUp(t, ledger.Config{})
	sub := b.submission()
	sub.Capture.Interactive = true
	sub.Capture.Options = savepage.Options{
		HTML: "<p>a & b</p>", Width: 800, Height: 600, Scale: 2, Fullpage: true, Format: savepage.FormatWebP, Quality: 55,
		Headers: savepage.Headers{"X-A": "<1>"}, Cookies: savepage.Cookies{{Name: "c", Value: "v"}}, WaitUntil: savepage.WaitLoad,
		Timeout: 5000, Metadata: json.RawMessage(`{"a":"<b>&"}`),
	}
	a, err := b.Accept(t.Context(), sub)
	must(t, err)
	want := sub.Capture
	want.CreatedAt = whole(want.CreatedAt)
	equal(t, capture.Accepted{Capture: want}, a)
	equal(t, want, b.get(t, want.ID))
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 1})
	must(t, err)
	want.Options.HTML = ""
	equal(t, []savepage.Capture{want}, page)
	must(t, b.Ready(t.Context()))
}

func testForeign(t *scene) {
	b := setUp(t, ledger.Config{})
	id, foreign := b.accept(t, b.account), b.other(t)
	_, err := b.Get(t.Context(), foreign, id)
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.Cancel(t.Context(), foreign, id)
	wantCode(t, savepage.CodeNotFound, err)
	b.forget(t, foreign, id)
	page, _, err := b.List(t.Context(), foreign, capture.Filter{Limit: 10})
	must(t, err)
	equal(t, 0, len(page))
	b.work(t, ledger.Handlers{Render: b.finisher(func(c savepage.Capture) []savepage.Delivery {
		return []savepage.Delivery{delivery(c, "http://a.test")}
	})})
	equal(t, savepage.Success, b.await(t, id).State)
	list, err := b.Deliveries(t.Context(), foreign, id)
	must(t, err)
	equal(t, 0, len(list))
	b.forget(t, foreign, id)
	equal(t, savepage.Success, b.get(t, id).State)
}

func testIdempotency(t *scene) {
	c := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: c})
	first := b.submission()
	first.IdempotencyKey = "k"
	a, err := b.Accept(t.Context(), first)
	must(t, err)
	equal(t, false, a.Replayed)

	again := b.submission()
	again.IdempotencyKey = "k"
	c.Advance(24*time.Hour - time.Second)
	a, err = b.Accept(t.Context(), again)
	must(t, err)
	equal(t, true, a.Replayed)
	equal(t, first.Capture.ID, a.Capture.ID)
	_, err = b.Get(t.Context(), b.account, again.Capture.ID)
	wantCode(t, savepage.CodeNotFound, err)

	again.Fingerprint = "another"
	_, err = b.Accept(t.Context(), again)
	wantCode(t, savepage.CodeIdempotencyMismatch, err)

	foreign := submission(b.other(t))
	foreign.IdempotencyKey, foreign.Fingerprint = "k", "third"
	a, err = b.Accept(t.Context(), foreign)
	must(t, err)
	equal(t, false, a.Replayed)

	c.Advance(2 * time.Second)
	a, err = b.Accept(t.Context(), again)
	must(t, err)
	equal(t, false, a.Replayed)
	equal(t, again.Capture.ID, a.Capture.ID)
}

func testIdempotencyAtOnce(t *scene) {
	b := setUp(t, ledger.Config{})
	var fresh atomic.Int32
	each(40, func(int) {
		sub := b.submission()
		sub.IdempotencyKey = "k"
		a, err := b.Accept(t.Context(), sub)
		if err != nil {
			t.Error(err)
		} else if !a.Replayed {
			fresh.Add(1)
		}
	})
	equal(t, int32(1), fresh.Load())
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 100})
	must(t, err)
	equal(t, 1, len(page))
}

func testIdempotencyForgotten(t *scene) {
	b := setUp(t, ledger.Config{})
	sub := b.submission()
	sub.IdempotencyKey = "k"
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	_, err = b.Cancel(t.Context(), b.account, sub.Capture.ID)
	must(t, err)
	b.forget(t, b.account, sub.Capture.ID)
	again := b.submission()
	again.IdempotencyKey = "k"
	a, err := b.Accept(t.Context(), again)
	must(t, err)
	equal(t, false, a.Replayed)
}

// testBadRows hands in wrong submissions among right ones: a used id, and an account that does not exist.
func testBadRows(t *scene) {
	b := setUp(t, ledger.Config{MaxPending: 133})
	used := b.submission()
	_, err := b.Accept(t.Context(), used)
	must(t, err)
	each(90, func(i int) {
		sub, bad := b.submission(), true
		switch i % 3 {
		case 0:
			sub.Capture.ID = used.Capture.ID
		case 1:
			sub.Capture.Account = "acc_none"
		default:
			bad = false
		}
		if _, err := b.Accept(t.Context(), sub); (err != nil) != bad {
			t.Errorf("row %d: %v", i, err)
		}
	})
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 100})
	must(t, err)
	equal(t, 31, len(page))
	for range 120 - 31 {
		b.accept(t, b.account)
	}
	_, err = b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeTooManyPending, err)
	b.accept(t, b.other(t)) // there is always room for another
}

func testManyAtOnce(t *scene) {
	b := setUp(t, ledger.Config{Workers: 8})
	var accepted, rendered recorder
	each(64, func(int) {
		for range 3 {
			a, err := b.Accept(t.Context(), b.submission())
			if err != nil {
				t.Error(err)
				return
			}
			accepted.add(a.Capture.ID)
		}
	})
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		rendered.add(c.Capture.ID)
		return b.finisher(nil)(ctx, c)
	}})
	ids := accepted.all()
	for _, id := range ids {
		equal(t, savepage.Success, b.await(t, id).State)
	}
	done := rendered.all()
	slices.Sort(ids)
	slices.Sort(done)
	equal(t, ids, done)
}

func testQueueFull(t *scene) {
	b := setUp(t, ledger.Config{MaxPending: 3})
	ids := []string{b.accept(t, b.account), b.accept(t, b.account), b.accept(t, b.account)}
	_, err := b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeQueueFull, err)
	_, err = b.Cancel(t.Context(), b.account, ids[0])
	must(t, err)
	ids = append(ids, b.accept(t, b.account))
	_, err = b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeQueueFull, err)

	must(t, b.Close())
	b.Store = t.open(ledger.Config{MaxPending: 3})
	_, err = b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeQueueFull, err)
	stop := b.work(t, ledger.Handlers{})
	equal(t, savepage.Success, b.await(t, ids[3]).State)
	equal(t, savepage.Success, b.await(t, ids[2]).State)
	stop()
	b.accept(t, b.account)
}

// testFairness has a second account come after 400 captures of the first, in the same moment.
func testFairness(t *scene) {
	c := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Workers: 1, Clock: c})
	second := b.other(t)
	each(40, func(int) {
		for range 10 {
			b.accept(t, b.account)
		}
	})
	var seconds []string
	for range 20 {
		seconds = append(seconds, b.accept(t, second))
	}
	interactive := submission(second)
	interactive.Capture.Interactive = true
	_, err := b.Accept(t.Context(), interactive)
	must(t, err)

	var order recorder
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		order.add(c.Capture.ID)
		return b.finisher(nil)(ctx, c)
	}})
	for _, id := range seconds {
		b.await(t, id)
	}
	stop()
	ids := order.all()
	equal(t, 0, slices.Index(ids, interactive.Capture.ID))
	for i, id := range seconds {
		if place := slices.Index(ids, id); place > 2*i+4 {
			t.Errorf("capture %d of the second account was at place %d", i, place)
		}
	}
}

// testOwnInteractive has an account ask at once while its own batch waits.
func testOwnInteractive(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	for range 50 {
		b.accept(t, b.account)
	}
	sub := b.submission()
	sub.Capture.Interactive = true
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	first := make(chan string, 100)
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		first <- c.Capture.ID
		return b.finisher(nil)(ctx, c)
	}})
	equal(t, sub.Capture.ID, receive(t, "a first capture", first))
	stop()
}

func testList(t *scene) {
	b := setUp(t, ledger.Config{})
	var ids []string
	base := whole(time.Now().Add(-time.Hour))
	for i := range 7 {
		sub := b.submission()
		sub.Capture.CreatedAt = base.Add(time.Duration(i/2) * time.Minute) // two share each moment
		a, err := b.Accept(t.Context(), sub)
		must(t, err)
		ids = append(ids, a.Capture.ID)
	}
	pages := func(f capture.Filter) (got []string) {
		for {
			page, next, err := b.List(t.Context(), b.account, f)
			must(t, err)
			if len(page) > f.Limit || (len(page) == 0 && f.Cursor != "") {
				t.Fatalf("a page of %d with limit %d", len(page), f.Limit)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			if f.Cursor = next; next == "" {
				return got
			}
		}
	}
	all := pages(capture.Filter{Limit: 2})
	equal(t, 7, len(all))
	sorted := slices.Clone(ids)
	slices.SortStableFunc(sorted, func(x, y string) int {
		cx, cy := b.get(t, x), b.get(t, y)
		if d := cy.CreatedAt.Compare(cx.CreatedAt); d != 0 {
			return d
		}
		return cmp.Compare(y, x)
	})
	equal(t, sorted, all)
	equal(t, sorted, pages(capture.Filter{Limit: 7}))

	_, err := b.Cancel(t.Context(), b.account, ids[3])
	must(t, err)
	equal(t, []string{ids[3]}, pages(capture.Filter{Limit: 5, States: []savepage.State{savepage.Canceled, savepage.Failed}}))
	both := []savepage.State{savepage.Queued, savepage.Canceled, savepage.Queued} // one twice is one
	equal(t, sorted, pages(capture.Filter{Limit: 2, States: both}))
	equal(t, []string{ids[4]}, pages(capture.Filter{Limit: 5, URL: b.get(t, ids[4]).Options.URL}))
	equal(t, []string{ids[6]}, pages(capture.Filter{Limit: 5, CreatedAfter: base.Add(2 * time.Minute)}))
	equal(t, 2, len(pages(capture.Filter{Limit: 5, CreatedBefore: base.Add(time.Minute)})))
	_, _, err = b.List(t.Context(), b.account, capture.Filter{Limit: 5, Cursor: "x"})
	wantCode(t, savepage.CodeInvalidRequest, err)
}

func testClosed(t *scene) {
	b := setUp(t, ledger.Config{})
	must(t, b.Close())
	_, err := b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeShuttingDown, err)
	b.Store = t.open(ledger.Config{})
}
