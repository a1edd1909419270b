package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/capture"
)

func (f *flow) SubmitBatch(_ context.Context, r capture.BatchRequest) (capture.AcceptedBatch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	replayed := r.IdempotencyKey != "" && r.IdempotencyKey == f.asked.IdempotencyKey
	f.asked = r
	counts := savepage.Counts{Total: len(r.Captures), Queued: len(r.Captures)}
	f.batch = savepage.Batch{ID: "bat_1", Account: r.Account, Metadata: r.Metadata, Counts: counts}
	return capture.AcceptedBatch{Batch: f.batch, CaptureIDs: make([]string, len(r.Captures)), Replayed: replayed}, nil
}

func (f *flow) Batch(_ context.Context, _, id string) (savepage.Batch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != f.batch.ID {
		return savepage.Batch{}, savepage.Errorf(savepage.CodeNotFound, "none")
	}
	return f.batch, nil
}

func (f *flow) ListBatches(context.Context, string, int, string) ([]savepage.Batch, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []savepage.Batch{f.batch}, "next", nil
}

func (f *flow) BatchDeliveries(context.Context, string, string) ([]savepage.Delivery, error) {
	return []savepage.Delivery{{ID: "msg_2", BatchID: "bat_1", State: savepage.Pending}}, nil
}

func (f *flow) CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error) {
	f.mu.Lock()
	f.batch.EndedAt = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	f.batch.Counts = savepage.Counts{Total: 2, Canceled: 2}
	f.mu.Unlock()
	return f.Batch(ctx, account, id)
}

func (f *flow) Check(savepage.Options) error { return nil }

func TestBatches(t *testing.T) {
	f, c := start(t)
	asked := client.Batch{
		URLs: []string{"http://a.test", "http://b.test"}, Options: savepage.Options{Width: 800}, CallbackURL: "http://hook.test",
		BatchCallbackURL: "http://done.test", Metadata: savepage.Metadata(`{"a":1}`),
	}
	for _, replayed := range []bool{false, true} {
		accepted, err := c.SubmitBatch(t.Context(), "k", asked)
		if err != nil || accepted.BatchID != "bat_1" || len(accepted.CaptureIDs) != 2 || accepted.Replayed != replayed {
			t.Fatalf("%+v %v", accepted, err)
		}
	}
	second := f.asked.Captures[1]
	if second.URL != "http://b.test" || second.Width != 800 || second.CallbackURL != "http://hook.test" ||
		f.asked.CallbackURL != "http://done.test" {
		t.Errorf("%+v", f.asked)
	}
	found, err := c.Batch(t.Context(), "bat_1")
	if err != nil || found.Ended() || found.Counts.Queued != 2 || string(found.Metadata) != `{"a":1}` || len(found.Deliveries) != 1 {
		t.Errorf("%+v %v", found, err)
	}
	page, err := c.ListBatches(t.Context(), 5, "x")
	if err != nil || len(page.Batches) != 1 || page.Next != "next" {
		t.Errorf("%+v %v", page, err)
	}
	ended, err := c.CancelBatch(t.Context(), "bat_1")
	if err != nil || !ended.Ended() || ended.Counts.Canceled != 2 || ended.EndedAt.Year() != 2026 {
		t.Errorf("%+v %v", ended, err)
	}
	if waited, err := c.WaitBatch(t.Context(), "bat_1"); err != nil || !waited.Ended() {
		t.Errorf("%+v %v", waited, err)
	}
	if _, err := c.List(t.Context(), client.Filter{BatchID: "bat_1"}); err != nil || f.filter.BatchID != "bat_1" {
		t.Errorf("%+v %v", f.filter, err)
	}
	var refused *savepage.Error
	_, err = c.SubmitBatch(t.Context(), "", client.Batch{URLs: []string{"x"}})
	if !errors.As(err, &refused) || refused.Fields[0].Location != "body.urls[0]" {
		t.Errorf("%v", err)
	}
	if _, err := c.Batch(t.Context(), "bat_2"); !errors.As(err, &refused) || refused.Code != savepage.CodeNotFound {
		t.Errorf("%v", err)
	}
}
