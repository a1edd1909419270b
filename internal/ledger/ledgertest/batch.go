package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

func batchTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"round trip":       testBatch,
		"a thousand":       testThousand,
		"many":             testBatchOfMany,
		"bad row":          testBatchBadRow,
		"queue full":       testBatchQueueFull,
		"idempotency":      testBatchIdempotency,
		"foreign accounts": testBatchForeign,
		"list":             testBatchList,
		"last two at once": testLastTwo,
		"last canceled":    testLastCanceled,
		"cancel":           testCancelBatch,
		"no callback":      testBatchWithoutCallback,
		"goes last":        testBatchGoesLast,
		"never starves":    testBatchNeverStarves,
		"restart":          testBatchRestart,
		"forgotten":        testBatchForgotten,
	}
}

// batch makes one of n captures for the account, with a callback.
func batch(account string, n int) capture.BatchSubmission {
	now := time.Now()
	b := savepage.Batch{
		ID: capture.NewID("bat_", now), Account: account, CallbackURL: "http://batch.test", CreatedAt: now,
		Counts: savepage.Counts{Total: n, Queued: n},
	}
	s := capture.BatchSubmission{Batch: b, Fingerprint: "f"}
	for range n {
		one := submission(account)
		one.Capture.BatchID = b.ID
		s.Captures = append(s.Captures, one)
	}
	slices.SortFunc(s.Captures, func(x, y capture.Submission) int {
		if x.Capture.ID < y.Capture.ID {
			return -1
		}
		return 1
	})
	return s
}

// acceptBatch records a batch of the bench's account.
func (b *bench) acceptBatch(tb testing.TB, n int) capture.AcceptedBatch {
	tb.Helper()
	a, err := b.AcceptBatch(tb.Context(), batch(b.account, n))
	must(tb, err)
	return a
}

func (b *bench) batch(tb testing.TB, id string) savepage.Batch {
	tb.Helper()
	found, err := b.Batch(tb.Context(), b.account, id)
	must(tb, err)
	return found
}

// counts are those that do not change with time.
func counts(b savepage.Batch) []int {
	c := b.Counts
	return []int{c.Total, c.Queued, c.Running, c.Success, c.Failed, c.Canceled}
}

// events returns what the batch was announced with.
func events(tb testing.TB, b *bench, id string) (told []capture.BatchEvent) {
	tb.Helper()
	list, err := b.BatchDeliveries(tb.Context(), b.account, id)
	must(tb, err)
	for _, d := range list {
		var e capture.BatchEvent
		must(tb, json.Unmarshal(d.Body, &e))
		equal(tb, []string{id, "", "http://batch.test"}, []string{d.BatchID, d.CaptureID, d.URL})
		told = append(told, e)
	}
	return told
}

func testBatch(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	s := batch(b.account, 3)
	s.Batch.Metadata = savepage.Metadata(`{"a":"<b>"}`)
	a, err := b.AcceptBatch(t.Context(), s)
	must(t, err)
	want := s.Batch
	want.CreatedAt = whole(want.CreatedAt)
	equal(t, false, a.Replayed)
	equal(t, want, a.Batch)
	equal(t, want, b.batch(t, want.ID))
	var ids []string
	for _, one := range s.Captures {
		ids = append(ids, one.Capture.ID)
		equal(t, want.ID, b.get(t, one.Capture.ID).BatchID)
	}
	equal(t, ids, a.CaptureIDs)
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 10, BatchID: want.ID})
	must(t, err)
	equal(t, 3, len(page))
	page, _, err = b.List(t.Context(), b.account, capture.Filter{Limit: 10, BatchID: "bat_none"})
	must(t, err)
	equal(t, 0, len(page))

	nth := 0
	delivered := make(chan savepage.Delivery, 4)
	b.work(t, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			equal(t, want.ID, c.Capture.BatchID)
			if meanwhile, err := b.Batch(ctx, b.account, want.ID); err != nil || meanwhile.Counts.Running != 1 {
				t.Errorf("%+v %v", meanwhile, err)
			}
			nth++
			if nth == 2 {
				blank := savepage.Errorf(savepage.CodeBlank, "x")
				return b.Finish(ctx, c, capture.Outcome{State: savepage.Failed, FinishedAt: time.Now(), Error: blank})
			}
			return b.finisher(nil)(ctx, c)
		},
		Deliver: deliverTo(delivered),
	})
	d := receive(t, "the batch's event", delivered)
	equal(t, []string{want.ID, "http://batch.test"}, []string{d.BatchID, d.URL})
	ended := b.batch(t, want.ID)
	equal(t, []int{3, 0, 0, 2, 1, 0}, counts(ended))
	told := events(t, b, want.ID)
	equal(t, 1, len(told))
	equal(t, capture.NewBatchView(ended), told[0].BatchView)
	if ended.EndedAt.IsZero() || ended.EndedAt.Before(b.get(t, ids[0]).CreatedAt) {
		t.Errorf("ended at %s", ended.EndedAt)
	}
}

func testThousand(t *scene) {
	b := setUp(t, ledger.Config{Workers: 8, MaxPending: 1111})
	a := b.acceptBatch(t, 1000)
	equal(t, 1000, len(a.CaptureIDs))
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 8, MaxPending: 1111})
	equal(t, []int{1000, 1000, 0, 0, 0, 0}, counts(b.batch(t, a.Batch.ID)))
	_, err := b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	equal(t, []int{1000, 0, 0, 0, 0, 1000}, counts(b.batch(t, a.Batch.ID)))
	equal(t, 1, len(events(t, b, a.Batch.ID)))
	b.acceptBatch(t, 1000)
}

// testBatchOfMany has many captures of a batch end at once, after a restart.
func testBatchOfMany(t *scene) {
	const many = 200
	b := setUp(t, ledger.Config{Workers: 8, MaxPending: many*10/9 + 1})
	a := b.acceptBatch(t, many)
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 8, MaxPending: many*10/9 + 1})
	b.work(t, ledger.Handlers{})
	for _, id := range a.CaptureIDs {
		equal(t, savepage.Success, b.await(t, id).State)
	}
	equal(t, []int{many, 0, 0, many, 0, 0}, counts(b.batch(t, a.Batch.ID)))
	equal(t, 1, len(events(t, b, a.Batch.ID)))
	b.acceptBatch(t, many)
}

// testBatchBadRow has the last row name an id that is used. Nothing of the batch may stay.
func testBatchBadRow(t *scene) {
	b := setUp(t, ledger.Config{MaxPending: 23})
	used := b.submission()
	_, err := b.Accept(t.Context(), used)
	must(t, err)
	bad := batch(b.account, 20)
	bad.Captures[19].Capture.ID = used.Capture.ID
	_, err = b.AcceptBatch(t.Context(), bad)
	if err == nil {
		t.Fatal("a batch with a used id was accepted")
	}
	_, err = b.Batch(t.Context(), b.account, bad.Batch.ID)
	wantCode(t, savepage.CodeNotFound, err)
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 100})
	must(t, err)
	equal(t, 1, len(page))
	b.acceptBatch(t, 20) // the refused ones do not count as pending
}

func testBatchQueueFull(t *scene) {
	b := setUp(t, ledger.Config{MaxPending: 5})
	b.accept(t, b.account)
	_, err := b.AcceptBatch(t.Context(), batch(b.account, 5))
	wantCode(t, savepage.CodeQueueFull, err)
	a := b.acceptBatch(t, 4)
	_, err = b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeQueueFull, err)
	_, err = b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	b.acceptBatch(t, 4)
}

func testBatchIdempotency(t *scene) {
	b := setUp(t, ledger.Config{})
	first := batch(b.account, 3)
	first.IdempotencyKey = "k"
	a, err := b.AcceptBatch(t.Context(), first)
	must(t, err)
	again := batch(b.account, 3)
	again.IdempotencyKey = "k"
	replay, err := b.AcceptBatch(t.Context(), again)
	must(t, err)
	equal(t, capture.AcceptedBatch{Batch: a.Batch, CaptureIDs: a.CaptureIDs, Replayed: true}, replay)
	again.Fingerprint = "another"
	_, err = b.AcceptBatch(t.Context(), again)
	wantCode(t, savepage.CodeIdempotencyMismatch, err)
	single := b.submission()
	single.IdempotencyKey, single.Fingerprint = "k", "single"
	_, err = b.Accept(t.Context(), single)
	wantCode(t, savepage.CodeIdempotencyMismatch, err)
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 100})
	must(t, err)
	equal(t, 3, len(page))
}

func testBatchForeign(t *scene) {
	b := setUp(t, ledger.Config{})
	a, foreign := b.acceptBatch(t, 2), b.other(t)
	_, err := b.Batch(t.Context(), foreign, a.Batch.ID)
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.CancelBatch(t.Context(), foreign, a.Batch.ID)
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.CancelBatch(t.Context(), b.account, "bat_none")
	wantCode(t, savepage.CodeNotFound, err)
	equal(t, []int{2, 2, 0, 0, 0, 0}, counts(b.batch(t, a.Batch.ID)))
	page, _, err := b.List(t.Context(), foreign, capture.Filter{Limit: 10, BatchID: a.Batch.ID})
	must(t, err)
	equal(t, 0, len(page))
	batches, _, err := b.ListBatches(t.Context(), foreign, 10, "")
	must(t, err)
	equal(t, 0, len(batches))
	_, err = b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	list, err := b.BatchDeliveries(t.Context(), foreign, a.Batch.ID)
	must(t, err)
	equal(t, 0, len(list))
}

func testBatchList(t *scene) {
	b := setUp(t, ledger.Config{})
	var want []string
	base := whole(time.Now().Add(-time.Hour))
	for i := range 5 {
		s := batch(b.account, 1)
		s.Batch.CreatedAt = base.Add(time.Duration(i) * time.Minute)
		_, err := b.AcceptBatch(t.Context(), s)
		must(t, err)
		want = append(want, s.Batch.ID)
	}
	slices.Reverse(want)
	var got []string
	for cursor, first := "", true; first || cursor != ""; first = false {
		page, next, err := b.ListBatches(t.Context(), b.account, 2, cursor)
		must(t, err)
		for _, one := range page {
			got = append(got, one.ID)
			equal(t, 1, one.Counts.Queued)
		}
		cursor = next
	}
	equal(t, want, got)
	_, _, err := b.ListBatches(t.Context(), b.account, 2, "x")
	wantCode(t, savepage.CodeInvalidRequest, err)
}

// testBatchGoesLast has single captures of its own and of another account come after a batch.
func testBatchGoesLast(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	other := b.other(t)
	a := b.acceptBatch(t, 30)
	var singles []string
	for i := range 40 {
		singles = append(singles, b.accept(t, []string{b.account, other}[i%2]))
	}
	var order recorder
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		order.add(c.Capture.ID)
		return b.finisher(nil)(ctx, c)
	}})
	for _, id := range a.CaptureIDs {
		b.await(t, id)
	}
	stop()
	ids := order.all()
	slices.Sort(singles)
	first := ids[:len(singles)]
	slices.Sort(first)
	equal(t, singles, first)
}

// testBatchNeverStarves has captures without an end come after a batch: at most 25 of its account go first.
func testBatchNeverStarves(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	a := b.acceptBatch(t, 1)
	for range 40 {
		b.accept(t, b.account)
	}
	var order recorder
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		order.add(c.Capture.ID)
		_, err := b.Accept(ctx, b.submission())
		return errors.Join(err, b.finisher(nil)(ctx, c))
	}})
	b.await(t, a.CaptureIDs[0])
	stop()
	if place := slices.Index(order.all(), a.CaptureIDs[0]); place < 1 || place > 25 {
		t.Errorf("the capture of a batch was at place %d", place)
	}
}

// testBatchRestart closes in the middle of a batch: the counts go on where they were.
func testBatchRestart(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	a := b.acceptBatch(t, 4)
	_, err := b.Cancel(t.Context(), b.account, a.CaptureIDs[0])
	must(t, err)
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 1})
	equal(t, []int{4, 3, 0, 0, 0, 1}, counts(b.batch(t, a.Batch.ID)))
	b.work(t, ledger.Handlers{})
	for _, id := range a.CaptureIDs[1:] {
		b.await(t, id)
	}
	equal(t, []int{4, 0, 0, 3, 0, 1}, counts(b.batch(t, a.Batch.ID)))
	equal(t, 1, len(events(t, b, a.Batch.ID)))
}

func testBatchForgotten(t *scene) {
	b := setUp(t, ledger.Config{})
	keyed := batch(b.account, 2)
	keyed.IdempotencyKey = "k"
	a, err := b.AcceptBatch(t.Context(), keyed)
	must(t, err)
	forget := func() int {
		n, err := b.ForgetBatches(t.Context(), time.Now().Add(time.Minute), 10)
		must(t, err)
		return n
	}
	equal(t, 0, forget())
	_, err = b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	for _, id := range a.CaptureIDs {
		equal(t, 0, forget())
		b.forget(t, b.account, id)
	}
	equal(t, []int{2, 0, 0, 0, 0, 2}, counts(b.batch(t, a.Batch.ID)))
	equal(t, 0, forget()) // its event is owed
	sent := make(chan savepage.Delivery, 1)
	stop := b.work(t, ledger.Handlers{Deliver: deliverTo(sent)})
	receive(t, "the batch's event", sent)
	eventually(t, "the batch is forgotten", func() bool { return forget() == 1 })
	stop()
	_, err = b.Batch(t.Context(), b.account, a.Batch.ID)
	wantCode(t, savepage.CodeNotFound, err)
	keyed = batch(b.account, 1)
	keyed.IdempotencyKey = "k"
	again, err := b.AcceptBatch(t.Context(), keyed)
	must(t, err)
	equal(t, false, again.Replayed)
	n, err := b.ForgetBatches(t.Context(), again.Batch.CreatedAt.Add(-time.Minute), 10)
	must(t, err)
	equal(t, 0, n)
}
