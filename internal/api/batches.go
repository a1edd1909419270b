package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Batches is what is known of batches, and their end. An id of another account is as unknown as one that never was:
// *savepage.Error of CodeNotFound.
type Batches interface {
	Batch(ctx context.Context, account, id string) (savepage.Batch, error)
	// ListBatches returns one page and the cursor of the next one, empty at the end. A broken cursor is CodeInvalidRequest.
	ListBatches(ctx context.Context, account string, limit int, cursor string) ([]savepage.Batch, string, error)
	// BatchDeliveries returns the callbacks owed for the batch itself.
	BatchDeliveries(ctx context.Context, account, id string) ([]savepage.Delivery, error)
	// CancelBatch ends every capture of the batch that has not ended. One that has ended stays as it is.
	CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error)
}

// AcceptedBatch is the answer to a batch.
type AcceptedBatch struct {
	Status     string   `json:"status" enum:"accepted" doc:"Always accepted: every capture is durable and will end."`
	BatchID    string   `json:"batch_id" doc:"Id of the batch."`
	CaptureIDs []string `json:"capture_ids" doc:"Ids of the captures, in the order of the request."`
	StatusURL  string   `json:"status_url" doc:"Where to look the batch up."`
}

// BatchRecord is a batch as look-ups show it.
type BatchRecord struct {
	capture.BatchView

	StatusURL   string               `json:"status_url" doc:"Where to look it up."`
	CapturesURL string               `json:"captures_url" doc:"Lists its captures."`
	Deliveries  *[]savepage.Delivery `json:"deliveries,omitempty" doc:"The callbacks owed for the batch itself. Not in lists."`
}

// BatchPage is one page of batches.
type BatchPage struct {
	Batches    []BatchRecord `json:"batches" doc:"Newest first."`
	NextCursor string        `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent at the end."`
}

func (a *API) batchRecord(b savepage.Batch) BatchRecord {
	captures := a.cfg.Links.PublicURL + "/v1/captures?" + url.Values{"batch_id": {b.ID}}.Encode()
	return BatchRecord{BatchView: capture.NewBatchView(b), StatusURL: a.cfg.Links.Batch(b.ID), CapturesURL: captures}
}

// postBatch answers POST /v1/batches.
func (a *API) postBatch(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if r.URL.RawQuery != "" {
		return misplaced(r)
	}
	body, in, err := a.readBatch(w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	if a.stopping() {
		return savepage.Errorf(savepage.CodeShuttingDown, "the server is shutting down; try again")
	}
	request := capture.BatchRequest{
		Account: who.Account.ID, Captures: body.Rows, CallbackURL: body.Callback, Metadata: body.Metadata, IdempotencyKey: key,
	}
	if key != "" {
		if request.Fingerprint, err = batchFingerprint(body); err != nil {
			return err
		}
	}
	accepted, err := a.parts.Captures.SubmitBatch(r.Context(), request)
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
	w.Header().Set("Location", "/v1/batches/"+id)
	a.answer(w, r, http.StatusAccepted, AcceptedBatch{
		Status: "accepted", BatchID: id, CaptureIDs: accepted.CaptureIDs, StatusURL: a.cfg.Links.Batch(id),
	})
	return nil
}

// batchFingerprint never is that of a single capture.
func batchFingerprint(body batchBody) (string, error) {
	canonical, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("write the batch down: %w", err)
	}
	digest := sha256.Sum256(append([]byte("batch\n"), canonical...))
	return hex.EncodeToString(digest[:]), nil
}

// getBatch answers GET /v1/batches/{id}.
func (a *API) getBatch(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	b, err := a.parts.Batches.Batch(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.tellBatch(w, r, b)
}

// tellBatch answers with a batch and what was owed for it.
func (a *API) tellBatch(w http.ResponseWriter, r *http.Request, b savepage.Batch) error {
	deliveries, err := a.parts.Batches.BatchDeliveries(r.Context(), b.Account, b.ID)
	if err != nil {
		return err
	}
	record := a.batchRecord(b)
	owed := shownDeliveries(deliveries)
	record.Deliveries = &owed
	a.answer(w, r, http.StatusOK, record)
	return nil
}

// cancelBatch answers DELETE /v1/batches/{id}.
func (a *API) cancelBatch(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	b, err := a.parts.Batches.CancelBatch(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.tellBatch(w, r, b)
}

// listBatches answers GET /v1/batches.
func (a *API) listBatches(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	in := filterReader{values: values, wrong: fieldsIn(unknownNames(values, []string{"limit", "cursor"}))}
	limit, cursor := in.limit(), in.one("cursor")
	if len(in.wrong) > 0 {
		return invalid(in.wrong)
	}
	found, next, err := a.parts.Batches.ListBatches(r.Context(), who.Account.ID, limit, cursor)
	if err != nil {
		return err
	}
	page := BatchPage{Batches: make([]BatchRecord, 0, len(found)), NextCursor: next}
	for _, b := range found {
		page.Batches = append(page.Batches, a.batchRecord(b))
	}
	a.answer(w, r, http.StatusOK, page)
	return nil
}
