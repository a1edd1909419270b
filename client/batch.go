package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/savepage/savepage"
)

// Batch is a request for up to 1,000 captures, which are accepted together or not at all. Give URLs or Captures.
type Batch struct {
	URLs             []string           `json:"urls,omitempty"`
	Captures         []savepage.Options `json:"captures,omitempty"` // each overrides Options
	Options          savepage.Options   `json:"options,omitzero"`   // of all captures
	CallbackURL      string             `json:"callback_url,omitempty"`
	BatchCallbackURL string             `json:"batch_callback_url,omitempty"` // receives one event when all captures have ended
	Metadata         savepage.Metadata  `json:"metadata,omitempty"`           // of the batch
}

// AcceptedBatch identifies a batch whose captures the server has stored and that will end.
type AcceptedBatch struct {
	BatchID    string   `json:"batch_id"`
	CaptureIDs []string `json:"capture_ids"` // in the order of the request
	StatusURL  string   `json:"status_url"`
	Replayed   bool     `json:"-"` // the key was used before, with the same batch
}

// BatchState is a batch as the server shows it.
type BatchState struct {
	BatchID     string              `json:"batch_id"`
	Status      string              `json:"status"` // "running", or "ended" when every capture has ended
	Counts      savepage.Counts     `json:"counts"`
	CreatedAt   time.Time           `json:"created_at"`
	EndedAt     time.Time           `json:"ended_at"`
	Metadata    savepage.Metadata   `json:"metadata"`
	CapturesURL string              `json:"captures_url"`
	Deliveries  []savepage.Delivery `json:"deliveries"` // of the batch's own event; not in lists
}

// Ended reports whether every capture of the batch has ended.
func (b BatchState) Ended() bool { return b.Status == "ended" }

// BatchPage is one page of batches, newest first.
type BatchPage struct {
	Batches []BatchState `json:"batches"`
	Next    string       `json:"next_cursor"` // empty at the end
}

// SubmitBatch requests a batch and returns as soon as the server has stored all of it. With a key, the Idempotency-Key, calls
// with the same batch return the same one for 24 hours; an empty key is none. Errors of the server are *savepage.Error;
// Fields contains every invalid field of every capture.
func (c *Client) SubmitBatch(ctx context.Context, key string, b Batch) (AcceptedBatch, error) {
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	var accepted AcceptedBatch
	got, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/batches", body: b, header: header}, &accepted)
	accepted.Replayed = got.header.Get("Idempotent-Replayed") == "true"
	return accepted, err
}

// Batch looks a batch up. Its captures are listed with Filter.BatchID.
func (c *Client) Batch(ctx context.Context, id string) (BatchState, error) {
	var found BatchState
	_, err := c.call(ctx, call{method: http.MethodGet, path: "/v1/batches/" + url.PathEscape(id)}, &found)
	return found, err
}

// WaitBatch looks a batch up until it has ended or ctx ends.
func (c *Client) WaitBatch(ctx context.Context, id string) (BatchState, error) {
	pause := firstPause
	for {
		found, err := c.Batch(ctx, id)
		if err != nil || found.Ended() {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, lastPause)
		}
	}
}

// ListBatches returns one page of batches, newest first. The cursor is Next of the previous page, empty for the first; a
// limit of 0 is the server's default.
func (c *Client) ListBatches(ctx context.Context, limit int, cursor string) (BatchPage, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	path := "/v1/batches"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var page BatchPage
	_, err := c.call(ctx, call{method: http.MethodGet, path: path}, &page)
	return page, err
}

// CancelBatch cancels every capture of a batch that has not ended.
func (c *Client) CancelBatch(ctx context.Context, id string) (BatchState, error) {
	var found BatchState
	_, err := c.call(ctx, call{method: http.MethodDelete, path: "/v1/batches/" + url.PathEscape(id)}, &found)
	return found, err
}
