package capture

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func (r *records) AcceptBatch(_ context.Context, s BatchSubmission) (AcceptedBatch, error) {
	r.batches = append(r.batches, s)
	a := AcceptedBatch{Batch: s.Batch}
	for _, one := range s.Captures {
		a.CaptureIDs = append(a.CaptureIDs, one.Capture.ID)
	}
	return a, nil
}

func (r *records) ForgetBatches(context.Context, time.Time, int) (int, error) {
	if len(r.oldBatches) == 0 {
		return 0, nil
	}
	n := r.oldBatches[0]
	r.oldBatches = r.oldBatches[1:]
	return n, nil
}

func TestSubmitBatchRecordsEveryRowInOrder(t *testing.T) {
	f := newFlow(t)
	request := BatchRequest{
		Account: "acc_1", CallbackURL: "http://DONE.test", Metadata: savepage.Metadata(`"m"`), IdempotencyKey: "k", Fingerprint: "f",
	}
	for i := range 300 {
		request.Captures = append(request.Captures, savepage.Options{URL: "http://A.test/" + strconv.Itoa(i)})
	}
	accepted, err := f.SubmitBatch(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	s := f.ledger.batches[0]
	if s.Batch.CallbackURL != "http://done.test" || s.IdempotencyKey != "k" || s.Fingerprint != "f" || string(s.Batch.Metadata) != `"m"` ||
		s.Batch.Counts != (savepage.Counts{Total: 300, Queued: 300}) || s.Batch.ID[:4] != "bat_" {
		t.Errorf("%+v", s.Batch)
	}
	if len(s.Captures) != 300 || !slices.IsSorted(accepted.CaptureIDs) {
		t.Fatalf("%d captures, sorted: %t", len(s.Captures), slices.IsSorted(accepted.CaptureIDs))
	}
	for i, one := range s.Captures {
		c := one.Capture
		if c.Options.URL != "http://a.test/"+strconv.Itoa(i) || c.BatchID != s.Batch.ID || c.Interactive || c.State != savepage.Queued ||
			c.Account != "acc_1" || c.Options.Width != 1440 || one.OptionsHash == "" || c.ID != accepted.CaptureIDs[i] {
			t.Fatalf("row %d: %+v", i, one)
		}
	}
}

func TestSubmitBatchNamesEveryWrongRow(t *testing.T) {
	f := newFlow(t)
	_, err := f.SubmitBatch(t.Context(), BatchRequest{
		CallbackURL: "ftp://x", Metadata: savepage.Metadata(`[1]`),
		Captures: []savepage.Options{
			{URL: "http://good.test"}, {URL: "http://10.0.0.1"}, {}, {URL: "http://good.test", Delay: 30000}, {URL: "x", CallbackURL: "y"},
		},
	})
	var fault *savepage.Error
	if !errors.As(err, &fault) || fault.Code != savepage.CodeInvalidRequest {
		t.Fatal(err)
	}
	var got []string
	for _, field := range fault.Fields {
		got = append(got, field.Location)
	}
	want := []string{"metadata", "batch_callback_url", "[1].url", "[2].url", "[3].delay", "[4].url", "[4].callback_url"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(f.ledger.batches) != 0 {
		t.Error("a batch with wrong rows was recorded")
	}
	_, err = f.SubmitBatch(t.Context(), BatchRequest{Captures: []savepage.Options{{URL: "http://good.test"}, {URL: "http://10.0.0.1"}}})
	if !errors.As(err, &fault) || fault.Code != savepage.CodeAddressBlocked || len(fault.Fields) != 1 ||
		fault.Fields[0].Location != "[1].url" {
		t.Errorf("%+v", err)
	}
}

func TestOwedForBatch(t *testing.T) {
	ended := time.Date(2026, 4, 1, 12, 0, 0, 5e8, time.UTC)
	d, err := OwedForBatch(savepage.Batch{
		ID: "bat_1", Account: "acc_1", CallbackURL: "http://done.test", Metadata: savepage.Metadata(`{"a":"<&>"}`),
		Counts: savepage.Counts{Total: 3, Success: 1, Failed: 1, Canceled: 1}, CreatedAt: ended.Add(-time.Minute), EndedAt: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"event":"batch","batch_id":"bat_1","status":"ended","counts":` +
		`{"total":3,"queued":0,"running":0,"success":1,"failed":1,"canceled":1},` +
		`"created_at":"2026-04-01T11:59:00Z","ended_at":"2026-04-01T12:00:00Z","metadata":{"a":"<&>"}}`
	if string(d.Body) != want {
		t.Errorf("%s", d.Body)
	}
	if d.BatchID != "bat_1" || d.CaptureID != "" || d.URL != "http://done.test" || d.Account != "acc_1" || !d.NextAt.Equal(ended) {
		t.Errorf("%+v", d)
	}
	v := NewBatchView(savepage.Batch{ID: "bat_1"})
	if text, _ := json.Marshal(v); v.Status != BatchRunning || v.EndedAt != "" {
		t.Errorf("%s", text)
	}
}

func TestExpireForgetsBatchesUntilNoneIsLeft(t *testing.T) {
	f := newFlow(t)
	f.ledger.oldBatches = []int{expireBatch, expireBatch, 3, 7}
	if _, err := f.Expire(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.ledger.oldBatches, []int{7}) {
		t.Errorf("%v rounds are left", f.ledger.oldBatches)
	}
}
