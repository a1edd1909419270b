package capture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage"
)

// MaxBatch is how many captures one batch may have.
const MaxBatch = 1000

// BatchRequest asks for a batch of captures.
type BatchRequest struct {
	Account        string
	KeyID          string // savepage.Principal.KeyID; empty for none
	Captures       []savepage.Options
	CallbackURL    string // for the one event of the batch; empty for none
	Metadata       savepage.Metadata
	IdempotencyKey string // from the header; empty for none
	Fingerprint    string // hex SHA-256 of the request; compared when the key is used again
	MaxTimeout     int    // the account's limit of timeout in milliseconds; 0 for none
}

// BatchSubmission is a batch to be recorded.
type BatchSubmission struct {
	Batch          savepage.Batch
	Captures       []Submission // complete, in state Queued, with the batch's id and without keys of their own; ids ascend
	IdempotencyKey string
	Fingerprint    string
}

// AcceptedBatch is the answer to a batch.
type AcceptedBatch struct {
	Batch      savepage.Batch
	CaptureIDs []string   // in the order of the request
	Captures   []Accepted // the same captures; empty with Replayed
	Replayed   bool       // the Idempotency-Key had been used for the same request: Batch is that first one
}

// Batches is what the flow asks of the record of batches. Each method is one transaction.
type Batches interface {
	// AcceptBatch records a batch and all its captures with their jobs, or none of them, and returns after they are
	// durable. Its refusals are those of Ledger.Accept.
	AcceptBatch(ctx context.Context, s BatchSubmission) (AcceptedBatch, error)
	// ForgetBatches removes at most limit ended batches that were created before the time and have neither captures nor
	// a pending delivery, and returns how many went.
	ForgetBatches(ctx context.Context, before time.Time, limit int) (int, error)
}

// SubmitBatch admits a batch and records it, all or none. When it returns without error every capture is durable and will
// end. The Fields of a *savepage.Error name every wrong field of every capture as "[3].width", those of the batch by
// their bare names.
func (s *Service) SubmitBatch(ctx context.Context, r BatchRequest) (_ AcceptedBatch, err error) {
	ctx, end := s.spans.submit(ctx, "submit batch", r.Account)
	defer func() { end(err) }()
	now := s.clock.Now()
	batch := savepage.Batch{
		ID: NewID("bat_", now), Account: r.Account, Metadata: r.Metadata, CreatedAt: now,
		Counts: savepage.Counts{Total: len(r.Captures), Queued: len(r.Captures)},
		Trace:  s.spans.carried(ctx),
	}
	var faults rowFaults
	if wrong := batch.ValidateFields(); len(wrong) > 0 {
		faults.add("", invalid(wrong))
	}
	batch.CallbackURL = s.admitBatchCallback(r.CallbackURL, &faults)
	rows := s.admitRows(ctx, batch, r, &faults)
	if err := faults.err(); err != nil {
		return AcceptedBatch{}, err
	}
	accepted, err := s.batches.AcceptBatch(ctx, BatchSubmission{
		Batch: batch, Captures: rows, IdempotencyKey: r.IdempotencyKey, Fingerprint: r.Fingerprint,
	})
	if err != nil {
		return AcceptedBatch{}, err
	}
	s.batchAccepted(ctx, accepted)
	return accepted, nil
}

// batchAccepted counts the captures of a batch, and the ends of those that kept pictures ended.
func (s *Service) batchAccepted(ctx context.Context, a AcceptedBatch) {
	if a.Replayed {
		for range a.CaptureIDs {
			s.observer.Accepted(true, ReuseNone)
		}
	}
	for _, one := range a.Captures {
		s.accepted(ctx, one)
	}
}

// admitBatchCallback returns the normal form of the batch's own callback address.
func (s *Service) admitBatchCallback(given string, faults *rowFaults) string {
	if given == "" {
		return ""
	}
	normal, err := s.guard.Admit(given)
	if fault, known := errors.AsType[*savepage.Error](err); known {
		located := savepage.Errorf(fault.Code, "batch_callback_url: %s", fault.Message)
		located.Fields = []savepage.FieldError{{Location: "batch_callback_url", Message: fault.Message, Value: given}}
		err = located
	}
	faults.add("", err)
	return normal
}

// admitRows makes the submissions of a batch's captures.
func (s *Service) admitRows(ctx context.Context, batch savepage.Batch, r BatchRequest, faults *rowFaults) []Submission {
	asked := r.Captures
	ids := make([]string, len(asked))
	for i := range ids {
		ids[i] = NewID("cap_", batch.CreatedAt)
	}
	slices.Sort(ids)
	rows := make([]Submission, 0, len(asked))
	var hashes hasher
	known := knownStores{}
	for i, o := range asked {
		admitted, err := s.admit(o, r.MaxTimeout)
		row := Submission{Capture: savepage.Capture{
			ID: ids[i], Account: batch.Account, KeyID: r.KeyID, BatchID: batch.ID, State: savepage.Queued, Options: admitted,
			CreatedAt: batch.CreatedAt, Trace: batch.Trace,
		}}
		if err == nil {
			err = known.check(ctx, s, batch.Account, admitted.Store)
		}
		if err == nil {
			err = s.mayShare(ctx, &row, &hashes)
		}
		if err != nil {
			faults.add(fmt.Sprintf("[%d].", i), err)
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// rowFaults collects what is wrong with the captures of a batch.
type rowFaults struct {
	shown *savepage.Error
	other error // an internal error
}

func (f *rowFaults) add(row string, err error) {
	if err == nil {
		return
	}
	fault, known := errors.AsType[*savepage.Error](err)
	if !known {
		f.other = err
		return
	}
	if f.shown == nil {
		f.shown = &savepage.Error{Code: fault.Code, Message: row + fault.Message}
	}
	if fault.Code == savepage.CodeInvalidRequest {
		f.shown.Code = fault.Code
	}
	for _, field := range fault.Fields {
		field.Location = row + field.Location
		f.shown.Fields = append(f.shown.Fields, field)
	}
}

func (f *rowFaults) err() error {
	if f.other != nil {
		return f.other
	}
	if f.shown != nil {
		return f.shown
	}
	return nil
}

// BatchStatus says how far a batch has come.
type BatchStatus string

// The states of a batch.
const (
	BatchRunning BatchStatus = "running" // one of its captures has not ended
	BatchEnded   BatchStatus = "ended"
)

// BatchView is a batch as clients see it.
type BatchView struct {
	BatchID   string            `json:"batch_id" doc:"Id of the batch." example:"bat_01jd8x6v3m2k9q4t7w5z0a1b2c"`
	Status    BatchStatus       `json:"status" enum:"running,ended" doc:"ended when every capture has ended."`
	Counts    savepage.Counts   `json:"counts" doc:"Captures by state."`
	CreatedAt string            `json:"created_at" format:"date-time" doc:"When the batch was accepted: UTC, whole seconds."`
	EndedAt   string            `json:"ended_at,omitempty" format:"date-time" doc:"When the last capture ended."`
	Metadata  savepage.Metadata `json:"metadata,omitempty" doc:"The metadata of the request."`
}

// NewBatchView returns what clients may see of b.
func NewBatchView(b savepage.Batch) BatchView {
	v := BatchView{
		BatchID: b.ID, Status: BatchRunning, Counts: b.Counts, Metadata: b.Metadata,
		CreatedAt: b.CreatedAt.UTC().Format(time.RFC3339),
	}
	if !b.EndedAt.IsZero() {
		v.Status, v.EndedAt = BatchEnded, b.EndedAt.UTC().Format(time.RFC3339)
	}
	return v
}

// BatchEvent is the body of the one callback of a batch.
type BatchEvent struct {
	Event string `json:"event" enum:"batch" doc:"Always batch."`
	BatchView
}

// OwedForBatch is the callback for a batch that has ended. A ledger owes it in the commit that ends the last capture.
func OwedForBatch(b savepage.Batch) (savepage.Delivery, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(BatchEvent{Event: "batch", BatchView: NewBatchView(b)}); err != nil {
		return savepage.Delivery{}, fmt.Errorf("write the event of %s: %w", b.ID, err)
	}
	return savepage.Delivery{
		ID: NewID("msg_", b.EndedAt), BatchID: b.ID, Account: b.Account, URL: b.CallbackURL,
		Body: bytes.TrimSuffix(body.Bytes(), []byte("\n")), State: savepage.Pending, CreatedAt: b.EndedAt, NextAt: &b.EndedAt,
	}, nil
}
