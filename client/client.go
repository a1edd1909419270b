// Package client calls the HTTP API of a SavePage server. It keeps no state: it does not retry or cache, and has no default
// server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Client calls one server with one key. It is safe for concurrent use.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New returns a client of the server at base ("http://127.0.0.1:8080"). A nil hc is http.DefaultClient. A timeout of hc
// must be longer than the server's wait for a picture; rather bound the context of each call.
func New(base, key string, hc *http.Client) *Client {
	if hc == nil {
		hc = http.DefaultClient
	}
	return &Client{base: strings.TrimSuffix(base, "/"), key: key, http: hc}
}

// Accepted identifies a capture that the server has stored and that will end.
type Accepted struct {
	CaptureID string `json:"capture_id"`
	StatusURL string `json:"status_url"`
	Replayed  bool   `json:"-"` // the key of SubmitOnce was used before, with the same options
}

// Capture is a capture as the server shows it. Status decides which fields are set.
type Capture struct {
	Status     savepage.State      `json:"status"`
	CaptureID  string              `json:"capture_id"`
	BatchID    string              `json:"batch_id"` // empty for none
	URL        string              `json:"url"`
	Image      string              `json:"image"` // URL of the picture
	Width      int                 `json:"width"` // pixels of the picture
	Height     int                 `json:"height"`
	Format     savepage.Format     `json:"format"`
	Size       int64               `json:"size"` // bytes
	Fullpage   bool                `json:"fullpage"`
	CreatedAt  time.Time           `json:"created_at,omitzero"` // zero in the answer of Client.Capture
	CapturedAt time.Time           `json:"captured_at,omitzero"`
	Cached     bool                `json:"cached"`      // the picture was taken for an earlier capture of the same options
	CachedFrom string              `json:"cached_from"` // that capture's id; only from Get, Wait and List
	Key        string              `json:"key"`         // beginning of the key with which it was asked for; as CachedFrom
	FailedAt   time.Time           `json:"failed_at,omitzero"`
	CanceledAt time.Time           `json:"canceled_at,omitzero"`
	Timing     savepage.Timing     `json:"timing"`
	Report     *savepage.Report    `json:"report"`
	Error      *savepage.Error     `json:"error"` // of a failed one
	Metadata   savepage.Metadata   `json:"metadata"`
	Deliveries []savepage.Delivery `json:"deliveries"` // only from Get and Wait
}

// Filter selects captures. The zero value selects all.
type Filter struct {
	States        []savepage.State
	URL           string
	URLContains   string // in any case; a page may then have fewer captures than Limit, or none, and still a Next
	BatchID       string
	CreatedAfter  time.Time
	CreatedBefore time.Time
	Limit         int    // of a page, 1 to 100; 0 is the server's default
	Cursor        string // Next of the previous page
	Count         bool   // Page.Total is wanted; not with URLContains
}

// Page is one page of captures, newest first.
type Page struct {
	Captures []Capture `json:"captures"`
	Next     string    `json:"next_cursor"` // empty at the end
	Total    int       `json:"total"`       // with Filter.Count: on all pages, at most 100,000
}

// Submit requests a capture and returns as soon as the server has stored it. Errors of the server are *savepage.Error.
func (c *Client) Submit(ctx context.Context, o savepage.Options) (Accepted, error) {
	return c.SubmitOnce(ctx, "", o)
}

// SubmitOnce is Submit with an Idempotency-Key: for 24 hours, calls with the same key and options return the same capture,
// so that a call whose answer was lost can be repeated.
func (c *Client) SubmitOnce(ctx context.Context, key string, o savepage.Options) (Accepted, error) {
	o.Async = o.Async || o.CallbackURL == ""
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	var accepted Accepted
	got, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/capture", body: o, header: header}, &accepted)
	accepted.Replayed = got.header.Get("Idempotent-Replayed") == "true"
	return accepted, err
}

// Capture requests a capture and waits for its end, also if that takes longer than the server waits in one request. The
// error of a failed capture is its *savepage.Error.
func (c *Client) Capture(ctx context.Context, o savepage.Options) (Capture, error) {
	var done Capture
	got, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/capture", body: o}, &done)
	if err != nil {
		return Capture{}, err
	}
	if got.status == http.StatusAccepted {
		return c.Wait(ctx, done.CaptureID)
	}
	return done, nil
}

// CaptureOnce requests a capture with an Idempotency-Key, as SubmitOnce does, and has the server wait for its end for at most so
// long, in whole seconds; with 0 the server answers as soon as it has stored the capture. What it returns may not have ended: its
// Status is then Queued, whether it runs or not, and only its CaptureID is set. The error of a failed capture is its
// *savepage.Error.
func CaptureOnce(ctx context.Context, c *Client, key string, o savepage.Options, wait time.Duration) (Capture, error) {
	header := http.Header{}
	header.Set("Prefer", "respond-async")
	if seconds := int(wait / time.Second); seconds > 0 {
		header.Set("Prefer", "wait="+strconv.Itoa(seconds))
	}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	var done Capture
	got, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/capture", body: o, header: header}, &done)
	if err != nil {
		return Capture{}, err
	}
	if got.status == http.StatusAccepted {
		done.Status = savepage.Queued
	}
	return done, nil
}

// Get looks a capture up.
func (c *Client) Get(ctx context.Context, id string) (Capture, error) {
	var found Capture
	_, err := c.call(ctx, call{method: http.MethodGet, path: "/v1/captures/" + url.PathEscape(id)}, &found)
	return found, err
}

// Pauses between two look-ups of Wait.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// Wait looks a capture up until it has ended or ctx ends. It returns a failed capture with its *savepage.Error, and a
// canceled one with an error of CodeConflict.
func (c *Client) Wait(ctx context.Context, id string) (Capture, error) {
	pause := firstPause
	for {
		found, err := c.Get(ctx, id)
		if err != nil {
			return found, err
		}
		if found.Status.Final() {
			return found, outcome(found)
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, lastPause)
		}
	}
}

func outcome(found Capture) error {
	switch {
	case found.Status == savepage.Failed && found.Error != nil:
		return found.Error
	case found.Status == savepage.Canceled:
		return savepage.Errorf(savepage.CodeConflict, "capture %s was canceled", found.CaptureID)
	default:
		return nil
	}
}

// List returns one page of captures, newest first.
func (c *Client) List(ctx context.Context, f Filter) (Page, error) {
	query := url.Values{}
	for _, state := range f.States {
		query.Add("state", string(state))
	}
	if f.Count {
		query.Set("count", "true")
	}
	for name, value := range map[string]string{
		"url": f.URL, "url_contains": f.URLContains, "batch_id": f.BatchID, "cursor": f.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"created_after": f.CreatedAfter, "created_before": f.CreatedBefore} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	path := "/v1/captures"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var page Page
	_, err := c.call(ctx, call{method: http.MethodGet, path: path}, &page)
	return page, err
}

// Cancel cancels a capture that has not ended, and deletes one that has, with its picture.
func (c *Client) Cancel(ctx context.Context, id string) error {
	_, err := c.call(ctx, call{method: http.MethodDelete, path: "/v1/captures/" + url.PathEscape(id)}, nil)
	return err
}

// Image fetches the picture of a successful capture. It does not send the key, which pictures do not need.
func (c *Client) Image(ctx context.Context, done Capture) ([]byte, error) {
	if done.Image == "" {
		return nil, fmt.Errorf("capture %s has no picture: it is %s", done.CaptureID, done.Status)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, done.Image, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch the picture: %w", err)
	}
	got, err := c.send(req)
	if err != nil {
		return nil, fmt.Errorf("fetch the picture: %w", err)
	}
	return got.body, nil
}

// call is one request of the API.
type call struct {
	method string
	path   string
	body   any // sent as JSON, if not nil
	header http.Header
}

// answer is a response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request with the key and reads the JSON of the answer into result.
func (c *Client) call(ctx context.Context, to call, result any) (answer, error) {
	var body io.Reader
	if to.body != nil {
		text, err := json.Marshal(to.body)
		if err != nil {
			return answer{}, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, to.method, c.base+to.path, body)
	if err != nil {
		return answer{}, fmt.Errorf("make the request: %w", err)
	}
	maps.Copy(req.Header, to.header)
	req.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	got, err := c.send(req)
	if err != nil || result == nil || len(got.body) == 0 {
		return got, err
	}
	if err := json.Unmarshal(got.body, result); err != nil {
		return got, fmt.Errorf("read the answer of %s %s: %w", to.method, to.path, err)
	}
	return got, nil
}

// send sends a request and returns every answer other than a 2xx as an error.
func (c *Client) send(req *http.Request) (answer, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	got := answer{status: resp.StatusCode, header: resp.Header, body: body}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return got, refusal(got)
	}
	return got, nil
}

// refusal is the error in an answer.
func refusal(got answer) error {
	var problem struct {
		Code   savepage.Code         `json:"code"`
		Detail string                `json:"detail"`
		Errors []savepage.FieldError `json:"errors"`
	}
	if err := json.Unmarshal(got.body, &problem); err != nil || problem.Code == "" {
		return fmt.Errorf("the server answered %d: %.200q", got.status, got.body)
	}
	fault := &savepage.Error{Code: problem.Code, Message: problem.Detail, Fields: problem.Errors}
	if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); err == nil {
		fault.RetryAfter = time.Duration(seconds) * time.Second
	}
	return fault
}
