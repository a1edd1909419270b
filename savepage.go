// Package savepage is the vocabulary of the service: the options of a capture, the capture itself, its report, errors and
// callbacks, and how callbacks are signed. Server, command line, client and tests use it. It holds no behaviour beyond
// checking and signing, and depends on the standard library only.
package savepage

import (
	"encoding/json"
	"time"
)

// State is the state of a capture. Queued and Running are not final; the others are, and a capture ends in exactly one of
// them.
type State string

// The states of a capture.
const (
	Queued   State = "queued"
	Running  State = "running"
	Success  State = "success"
	Failed   State = "failed"
	Canceled State = "canceled"
)

// States lists every state, in the order in which a capture may pass through them.
func States() []State { return []State{Queued, Running, Success, Failed, Canceled} }

// Final reports whether a capture in this state has ended.
func (s State) Final() bool { return s == Success || s == Failed || s == Canceled }

// Capture is one request to turn a page into a picture, and its result. It is the service's own record; capture.View is
// the part of it that clients see.
type Capture struct {
	ID      string // "cap_" and 26 characters, sortable by time
	Account string
	BatchID string // of the batch that it belongs to; empty for none
	State   State
	Options Options // complete: defaults are filled in
	// Trace is where the trace of its request goes on, as the service wrote it down; empty without one.
	Trace string
	// Interactive is true while a client waits for the answer.
	Interactive bool
	KeyID       string // names the key with which it was asked for, as Principal.KeyID; empty: none, or not known
	// Attempt counts how often a worker has taken the capture; it fences a late worker's result.
	Attempt int

	CreatedAt  time.Time
	StartedAt  time.Time // of the last attempt; zero while queued
	FinishedAt time.Time // zero until final
	CapturedAt time.Time // when Picture was taken: before CreatedAt when it came from the cache

	Source  string   // id of the capture that was rendered, where this one shares its result; else empty
	Picture *Picture // set when State is Success, and when only its store did not take it
	Stored  *Stored  // where else the picture is, with Options.Store when State is Success
	Report  *Report  // set when a page was loaded
	Error   *Error   // set when State is Failed
	Timing  Timing
}

// Picture describes the stored bytes of a capture.
type Picture struct {
	Name   string `json:"name"`   // file name below /captures/: at least 128 random bits and the format's extension
	Format Format `json:"format"` // never FormatJPG
	Width  int    `json:"width"`  // the picture's own pixels; of a pdf's first page in points of 1/72 inch
	Height int    `json:"height"` // as Width
	Size   int64  `json:"size"`   // bytes
}

// Milliseconds is the duration of a number of milliseconds, in which options and timings are given.
func Milliseconds[T ~int | ~int64](n T) time.Duration { return time.Duration(n) * time.Millisecond }

// Timing is how long the parts of a capture took, in milliseconds.
type Timing struct {
	QueueMS  int64 `json:"queue_ms"`  // from acceptance until a worker takes it
	RenderMS int64 `json:"render_ms"` // from then until the picture is stored
	TotalMS  int64 `json:"total_ms"`  // the sum of both

	Phases Phases `json:"-"`
}

// Phases splits RenderMS, in milliseconds. The Server-Timing header shows them.
type Phases struct {
	Navigate int64 `json:"navigate"`
	Settle   int64 `json:"settle"`
	Shoot    int64 `json:"shoot"`
	Encode   int64 `json:"encode"`
	Store    int64 `json:"store"`
}

// Report says what may be missing from a picture.
type Report struct {
	HTTPStatus int      `json:"http_status"`         // of the main document; 200 for the html option, which the service answers itself
	FinalURL   string   `json:"final_url,omitempty"` // after redirects
	Title      string   `json:"title,omitempty"`
	Blank      bool     `json:"blank"`             // every pixel has one colour
	Partial    bool     `json:"partial"`           // something was missing when the picture was taken
	Reasons    []string `json:"reasons,omitempty"` // why it is partial
	Truncated  bool     `json:"truncated"`         // something of a full page is not in the picture, or a clip reaches beyond the page
	Moving     []string `json:"moving,omitempty"`  // what moved without an end: the first few elements, as "canvas#scene"

	Wall      Wall     `json:"wall,omitempty"`       // what stands in the place of the page; WallNone for nothing
	WallSigns []string `json:"wall_signs,omitempty"` // what it was known by

	Pages int `json:"pages,omitempty"` // of a pdf

	Requests RequestReport `json:"requests"`
	Console  ConsoleReport `json:"console"`
	Dialogs  int           `json:"dialogs"` // dismissed
	Fonts    FontReport    `json:"fonts"`

	CookieBanner *BannerReport `json:"cookie_banner,omitempty"` // with block_cookie_banners
	Backdrop     Backdrop      `json:"backdrop,omitempty"`      // of a full page that has one; empty without
}

// Backdrop is how far down a full page what stands still behind or over it reaches: a fixed background, the shade of a dialog.
type Backdrop string

// The reaches of a backdrop.
const (
	BackdropWholePage   Backdrop = "whole_page"   // as the page is seen wherever it is scrolled to
	BackdropFirstWindow Backdrop = "first_window" // as the page is seen before it is scrolled
)

// FontReport counts the characters of the page that no font has; at most 300 different characters are checked. The
// picture shows a box for each.
type FontReport struct {
	Missing int      `json:"missing"`
	Named   []string `json:"named,omitempty"` // the first few, as "U+A015 Yi"
}

// BannerReport is the outcome of block_cookie_banners.
type BannerReport struct {
	Outcome BannerOutcome `json:"outcome"`
	// Tool is the consent tool, as autoconsent names it, or the library that its banner is made with; empty for the site's own
	// banner and for an unknown tool.
	Tool string `json:"tool,omitempty"`
}

// BannerOutcome is how a cookie banner was treated.
type BannerOutcome string

// The outcomes of a cookie banner. A banner is never accepted.
const (
	BannerRejected BannerOutcome = "rejected" // cookies were rejected in it
	BannerHidden   BannerOutcome = "hidden"   // it offers no rejection and was hidden
	BannerNone     BannerOutcome = "none"     // no banner was found
)

// RequestReport counts the requests of the page.
type RequestReport struct {
	Total   int      `json:"total"`
	Failed  int      `json:"failed"`
	Blocked int      `json:"blocked"`         // by the guard or by an option
	Pending int      `json:"pending"`         // still open when the picture was taken
	Named   []string `json:"named,omitempty"` // the first few that failed, were blocked or are pending
}

// ConsoleReport counts the messages of the page's console.
type ConsoleReport struct {
	Errors   int      `json:"errors"`
	Warnings int      `json:"warnings"`
	Texts    []string `json:"texts,omitempty"`   // the first few
	Dropped  int      `json:"dropped,omitempty"` // messages that were too many or too long, of whatever kind: not counted above
}

// DeliveryState is the state of a callback.
type DeliveryState string

// The states of a delivery. A pending one has attempts left; a dead one has used them all, or its receiver ended it.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Dead      DeliveryState = "dead"
)

// Delivery is one callback that is owed: an event, its receiver and its attempts.
type Delivery struct {
	ID        string         `json:"id"`                   // "msg_…": the webhook-id header of every attempt
	CaptureID string         `json:"capture_id,omitempty"` // empty for the event of a batch
	BatchID   string         `json:"batch_id,omitempty"`   // of a batch's own event
	Account   string         `json:"-"`
	URL       string         `json:"url"`
	Headers   Headers        `json:"-"`               // of the option callback_headers; may be secret
	Body      []byte         `json:"-"`               // the exact bytes that are signed and sent, unless Picture is
	Format    CallbackFormat `json:"-"`               // of the option callback_format
	Method    string         `json:"-"`               // of the option callback_method; empty: POST
	Filename  string         `json:"-"`               // of the option callback_filename
	Picture   *Picture       `json:"-"`               // is sent in place of Body
	Store     string         `json:"store,omitempty"` // name of the store that the picture is put in; empty for a callback
	Upload    *Upload        `json:"-"`               // with Store, unless the account has it no more
	Event     EventKind      `json:"event"`           // what it tells
	State     DeliveryState  `json:"state"`
	CreatedAt time.Time      `json:"created_at"`
	NextAt    *time.Time     `json:"next_attempt_at,omitempty"` // while pending
	EndedAt   *time.Time     `json:"ended_at,omitempty"`
	Attempts  []Attempt      `json:"attempts"`
	// WaitingFor is WaitingForReceiver while a delivery that is due waits for its receiver, else empty.
	WaitingFor string `json:"waiting_for,omitempty"`
	Receiver   string `json:"-"` // host and port of URL
	Earlier    int    `json:"-"` // attempts of earlier schedules: sending again starts a new schedule
	Asked      int    `json:"-"` // how often it was sent again by hand
	Trace      string `json:"-"` // Capture.Trace or Batch.Trace
}

// EventKind is what an event tells.
type EventKind string

// The kinds of events.
const (
	EventSuccess EventKind = "capture.success"
	EventFailed  EventKind = "capture.failed"
	EventBatch   EventKind = "batch.ended"
	EventStore   EventKind = "capture.store" // no event: the picture goes into a store
)

// EventKinds lists every kind of event.
func EventKinds() []EventKind { return []EventKind{EventSuccess, EventFailed, EventBatch, EventStore} }

// WaitingForReceiver says that the receiver has failed several times in a row. It is tried with one delivery at a time,
// next at NextAt; the others wait without using attempts.
const WaitingForReceiver = "receiver"

// DeliveryStates lists every state of a delivery.
func DeliveryStates() []DeliveryState { return []DeliveryState{Pending, Delivered, Dead} }

// AttemptOutcome is how an attempt of a delivery ended.
type AttemptOutcome string

// The outcomes of an attempt.
const (
	AttemptDelivered AttemptOutcome = "delivered" // a 2xx
	AttemptStatus    AttemptOutcome = "status"    // any other status, redirects included
	AttemptTimeout   AttemptOutcome = "timeout"
	AttemptRefused   AttemptOutcome = "connection_failed"
	AttemptTLS       AttemptOutcome = "tls_error"
	AttemptResolve   AttemptOutcome = "name_not_resolved"
	AttemptBlocked   AttemptOutcome = "address_blocked" // by the guard
)

// AttemptOutcomes lists every outcome of an attempt.
func AttemptOutcomes() []AttemptOutcome {
	return []AttemptOutcome{
		AttemptDelivered, AttemptStatus, AttemptTimeout, AttemptRefused, AttemptTLS, AttemptResolve, AttemptBlocked,
	}
}

// Attempt is one POST to a receiver.
type Attempt struct {
	Number    int            `json:"number"` // from 1
	At        time.Time      `json:"at"`
	Outcome   AttemptOutcome `json:"outcome"`
	Status    int            `json:"status,omitempty"` // HTTP status, 0 without an answer
	LatencyMS int64          `json:"latency_ms"`
	Error     string         `json:"error,omitempty"`
	Answer    string         `json:"answer,omitempty"`          // first 1 KiB of the body, as valid UTF-8
	NextAt    *time.Time     `json:"next_attempt_at,omitempty"` // of the next attempt; absent after the last one

	// Request is what was sent; nil when nothing was, and in lists.
	Request *SentRequest `json:"request,omitempty"`
}

// SentRequest is the request of an attempt without its body, which is the same for every attempt of a delivery.
type SentRequest struct {
	Method  string            `json:"method" doc:"POST, PUT or PATCH."`
	Headers map[string]string `json:"headers" doc:"Names and values. Values that the request of the capture gave are replaced by dots."`
}

// Verdict is the result of an attempt: the delivery is delivered, dead, or pending until NextAt.
type Verdict struct {
	Attempt Attempt
	State   DeliveryState // empty: no attempt was made, and the delivery is as it was
	NextAt  time.Time     // when State is Pending
	Stored  *Stored       // when State is Delivered: where the picture is, of a delivery to a store
}

// Metadata is the client's own string or flat object, kept as the JSON that was received and returned unchanged.
type Metadata = json.RawMessage
