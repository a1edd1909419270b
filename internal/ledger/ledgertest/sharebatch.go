package ledgertest

import (
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// equalBatch makes a batch of n equal captures.
func (b *bench) equalBatch(n int) capture.BatchSubmission {
	s := batch(b.account, n)
	for i := range s.Captures {
		one := &s.Captures[i]
		one.Capture.Options.CacheTTL = 60
		one.OptionsHash, one.Flight, one.KeptSince = "x", "x", time.Now().Add(-time.Hour)
	}
	return s
}

// testSharedBatch has a batch render once, and the next one not at all.
func testSharedBatch(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4, MaxPending: 5})
	s := b.studio()
	b.work(t, ledger.Handlers{Render: s.render})
	first, err := b.AcceptBatch(t.Context(), b.equalBatch(5))
	must(t, err)
	for i, one := range first.Captures {
		want := capture.ReuseJoined
		if i == 0 {
			want = capture.ReuseMiss
		}
		equal(t, want, one.Reuse)
		equal(t, savepage.Success, b.await(t, one.Capture.ID).State)
	}
	equal(t, []int{5, 0, 0, 5, 0, 0}, counts(b.batch(t, first.Batch.ID)))
	equal(t, 1, len(events(t, b, first.Batch.ID)))
	second, err := b.AcceptBatch(t.Context(), b.equalBatch(5))
	must(t, err)
	for _, one := range second.Captures {
		equal(t, capture.ReuseHit, one.Reuse)
		equal(t, first.CaptureIDs[0], one.Capture.Source)
		equal(t, one.Capture, b.get(t, one.Capture.ID))
	}
	equal(t, []int{5, 0, 0, 5, 0, 0}, counts(b.batch(t, second.Batch.ID)))
	equal(t, 1, len(events(t, b, second.Batch.ID)))
	equal(t, 1, s.renders())
	quiet(b, t)
	for range 5 {
		b.take(t, b.submission(), capture.ReuseNone) // every place is free again
	}
}

// testCanceledSharedBatch cancels a batch that has the lead of a capture which is no part of it.
func testCanceledSharedBatch(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	other := batch(b.account, 1)
	other.Captures[0] = b.equalBatch(1).Captures[0]
	other.Captures[0].Capture.BatchID = other.Batch.ID
	canceled, err := b.AcceptBatch(t.Context(), b.equalBatch(3))
	must(t, err)
	waiting, err := b.AcceptBatch(t.Context(), other)
	must(t, err)
	equal(t, capture.ReuseJoined, waiting.Captures[0].Reuse)
	_, err = b.CancelBatch(t.Context(), b.account, canceled.Batch.ID)
	must(t, err)
	equal(t, []int{3, 0, 0, 0, 0, 3}, counts(b.batch(t, canceled.Batch.ID)))
	s := b.studio()
	b.work(t, ledger.Handlers{Render: s.render})
	equal(t, savepage.Success, b.await(t, waiting.CaptureIDs[0]).State)
	equal(t, 1, s.renders())
	quiet(b, t)
}
