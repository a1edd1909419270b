package ledgertest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// testLastTwo has the two captures of many batches end in the same moment, in some by a cancellation.
func testLastTwo(t *scene) {
	const batches = 40
	b := setUp(t, ledger.Config{Workers: 8})
	var accepted []capture.AcceptedBatch
	pairs := map[string]*sync.WaitGroup{}
	for range batches {
		a := b.acceptBatch(t, 2)
		accepted = append(accepted, a)
		pairs[a.Batch.ID] = new(sync.WaitGroup)
		pairs[a.Batch.ID].Add(2)
	}
	canceled := accepted[0].CaptureIDs[1:]
	for i := 3; i < batches; i += 3 {
		canceled = append(canceled, accepted[i].CaptureIDs[1])
	}
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		pair := pairs[c.Capture.BatchID]
		pair.Done()
		pair.Wait()
		if slices.Contains(canceled, c.Capture.ID) {
			_, err := b.Cancel(context.WithoutCancel(ctx), b.account, c.Capture.ID)
			return err
		}
		return b.finisher(nil)(ctx, c)
	}})
	for i, a := range accepted {
		for _, id := range a.CaptureIDs {
			b.await(t, id)
		}
		want := []int{2, 0, 0, 2, 0, 0}
		if i%3 == 0 {
			want = []int{2, 0, 0, 1, 0, 1}
		}
		equal(t, want, counts(b.batch(t, a.Batch.ID)))
		equal(t, 1, len(events(t, b, a.Batch.ID)))
	}
}

func testLastCanceled(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	a := b.acceptBatch(t, 3)
	for i, id := range a.CaptureIDs {
		equal(t, 0, len(events(t, b, a.Batch.ID)))
		equal(t, []int{3, 3 - i, 0, 0, 0, i}, counts(b.batch(t, a.Batch.ID)))
		_, err := b.Cancel(t.Context(), b.account, id)
		must(t, err)
	}
	equal(t, 1, len(events(t, b, a.Batch.ID)))
	sent := make(chan savepage.Delivery, 1)
	b.work(t, ledger.Handlers{Deliver: deliverTo(sent)})
	equal(t, a.Batch.ID, receive(t, "the batch's event", sent).BatchID)
}

// deliverTo is a receiver that takes everything and passes it on.
func deliverTo(sent chan<- savepage.Delivery) func(context.Context, savepage.Delivery, []string) savepage.Verdict {
	return func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
		sent <- d
		return delivered()
	}
}

// testCancelBatch cancels while one has ended, one runs and the others wait.
func testCancelBatch(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	a := b.acceptBatch(t, 5)
	running, results := make(chan string, 5), make(chan error, 5)
	nth := 0
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if nth++; nth == 1 {
			return b.finisher(nil)(ctx, c)
		}
		running <- c.Capture.ID
		<-ctx.Done()
		results <- b.finisher(nil)(context.WithoutCancel(ctx), c)
		return ctx.Err()
	}})
	receive(t, "a running capture", running)
	got, err := b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	equal(t, []int{5, 0, 0, 1, 0, 4}, counts(got))
	equal(t, false, got.EndedAt.IsZero())
	if err := receive(t, "the worker's end", results); !errors.Is(err, capture.ErrLost) {
		t.Errorf("a canceled capture was finished: %v", err)
	}
	again, err := b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	equal(t, got, again)
	equal(t, 1, len(events(t, b, a.Batch.ID)))
	for _, id := range a.CaptureIDs {
		equal(t, true, b.await(t, id).State.Final())
	}
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 0, depth[2].Waiting+depth[2].Running)
}

func testBatchWithoutCallback(t *scene) {
	b := setUp(t, ledger.Config{})
	s := batch(b.account, 2)
	s.Batch.CallbackURL = ""
	_, err := b.AcceptBatch(t.Context(), s)
	must(t, err)
	got, err := b.CancelBatch(t.Context(), b.account, s.Batch.ID)
	must(t, err)
	equal(t, false, got.EndedAt.IsZero())
	list, err := b.BatchDeliveries(t.Context(), b.account, s.Batch.ID)
	must(t, err)
	equal(t, 0, len(list))
}
