package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Batches looks batches up and cancels them. An id of another account is as unknown as one that never existed:
// *savepage.Error of CodeNotFound.
type Batches interface {
	Batch(ctx context.Context, account, id string) (savepage.Batch, error)
	// ListBatches returns one page and the cursor of the next one, empty at the end. A broken cursor is CodeInvalidRequest.
	ListBatches(ctx context.Context, account string, limit int, cursor string) ([]savepage.Batch, string, error)
	// BatchDeliveries returns the callbacks of the batch itself.
	BatchDeliveries(ctx context.Context, account, id string) ([]savepage.Delivery, error)
	// CancelBatch ends every capture of the batch that has not ended. A batch that has ended stays as it is.
	CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error)
}

// AcceptedBatch is the answer to a batch.
type AcceptedBatch struct {
	Status     string   `json:"status" enum:"accepted" doc:"Always accepted: every capture is stored and will end."`
	BatchID    string   `json:"batch_id" doc:"Id of the batch."`
	CaptureIDs []string `json:"capture_ids" doc:"Ids of the captures, in the order of the request."`
	StatusURL  string   `json:"status_url" doc:"URL of the batch."`
}

// BatchRecord is a batch as look-ups show it.
type BatchRecord struct {
	capture.BatchView

	StatusURL   string               `json:"status_url" doc:"URL of the batch."`
	CapturesURL string               `json:"captures_url" doc:"URL of the list of its captures."`
	Deliveries  *[]savepage.Delivery `json:"deliveries,omitempty" doc:"The callbacks of the batch itself. Not in lists."`
}

// BatchPage is one page of batches.
type BatchPage struct {
	Batches    []BatchRecord `json:"batches" doc:"Newest first."`
	NextCursor string        `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
}

// batchHandlers answer submissions, look-ups, lists and cancellations of batches.
type batchHandlers struct {
	out      responder
	batches  Batches
	captures Captures
	decoder  *Decoder
	drain    *drain
	links    capture.Links
}

func (h *batchHandlers) record(b savepage.Batch) BatchRecord {
	captures := h.links.PublicURL + "/v1/captures?" + url.Values{"batch_id": {b.ID}}.Encode()
	return BatchRecord{BatchView: capture.NewBatchView(b), StatusURL: h.links.Batch(b.ID), CapturesURL: captures}
}

// post answers POST /v1/batches.
func (h *batchHandlers) post(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if _, err := refuseQuery(r); err != nil {
		return err
	}
	body, in, err := readBatch(h.decoder, h.captures.Check, w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	if err := h.drain.refusal(); err != nil {
		return err
	}
	request := capture.BatchRequest{
		Account: who.Account.ID, KeyID: who.KeyID, Captures: body.Rows, CallbackURL: body.Callback, Metadata: body.Metadata, IdempotencyKey: key,
		MaxTimeout: who.Limits.Timeout,
	}
	if key != "" {
		if request.Fingerprint, err = fingerprint("batch\n", body.brief()); err != nil {
			return err
		}
	}
	accepted, err := h.captures.SubmitBatch(r.Context(), request)
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return in.located(fault)
	}
	if err != nil {
		return err
	}
	if accepted.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	id := accepted.Batch.ID
	h.out.accepted(w, r, "/v1/batches/"+id, AcceptedBatch{
		Status: "accepted", BatchID: id, CaptureIDs: accepted.CaptureIDs, StatusURL: h.links.Batch(id),
	})
	return nil
}

// get answers GET /v1/batches/{id}.
func (h *batchHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	b, err := h.batches.Batch(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.answer(w, r, b)
}

// answer answers with a batch and its callbacks.
func (h *batchHandlers) answer(w http.ResponseWriter, r *http.Request, b savepage.Batch) error {
	deliveries, err := h.batches.BatchDeliveries(r.Context(), b.Account, b.ID)
	if err != nil {
		return err
	}
	record := h.record(b)
	owed := shownDeliveries(deliveries)
	record.Deliveries = &owed
	h.out.json(w, r, http.StatusOK, record)
	return nil
}

// cancel answers DELETE /v1/batches/{id}.
func (h *batchHandlers) cancel(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	b, err := h.batches.CancelBatch(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.answer(w, r, b)
}

// list answers GET /v1/batches.
func (h *batchHandlers) list(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	limit, cursor, err := readPage(r)
	if err != nil {
		return err
	}
	found, next, err := h.batches.ListBatches(r.Context(), who.Account.ID, limit, cursor)
	if err != nil {
		return err
	}
	page := BatchPage{Batches: make([]BatchRecord, 0, len(found)), NextCursor: next}
	for _, b := range found {
		page.Batches = append(page.Batches, h.record(b))
	}
	h.out.json(w, r, http.StatusOK, page)
	return nil
}
