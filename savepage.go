// Package savepage is the vocabulary of the service: what may be asked of a capture, what a capture is, what is told of
// it, and how that is signed. Server, command line, client and tests speak it. It holds no behaviour beyond checking and
// signing, and depends on the standard library only.
package savepage

import (
	"encoding/json"
	"time"
)

// State says how far a capture has come. Queued and Running are on the way; the others are final, and a capture ends in
// exactly one of them.
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

// Capture is one request to turn a page into a picture, and what became of it. It is the record as the service knows
// it; View turns it into the answer that clients see.
type Capture struct {
	ID      string // "cap_" and 26 characters, sortable by time
	Account string
	BatchID string // of the batch that it came with; empty for none
	State   State
	Options Options // complete: defaults are filled in
	// Interactive is true while a client waits for the answer.
	Interactive bool
	// Attempt counts how often a worker has taken the capture; it fences a late worker's result.
	Attempt int

	CreatedAt  time.Time
	StartedAt  time.Time // of the last attempt; zero while queued
	FinishedAt time.Time // zero until final
	CapturedAt time.Time // when Picture was taken: before CreatedAt when a kept one was given

	Source  string   // id of the capture that was rendered, when this one got its result; empty otherwise
	Picture *Picture // set when State is Success
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

// Timing is where a capture's time went, in milliseconds.
type Timing struct {
	QueueMS  int64 `json:"queue_ms"`  // accepted until taken by a worker
	RenderMS int64 `json:"render_ms"` // taken until stored
	TotalMS  int64 `json:"total_ms"`  // the sum of both

	Phases Phases `json:"-"`
}

// Phases splits RenderMS, in milliseconds. They are shown in the Server-Timing header.
type Phases struct {
	Navigate int64 `json:"navigate"`
	Settle   int64 `json:"settle"`
	Shoot    int64 `json:"shoot"`
	Encode   int64 `json:"encode"`
	Store    int64 `json:"store"`
}

// Report says how far a picture can be trusted.
type Report struct {
	HTTPStatus int      `json:"http_status"`         // of the main document; 0 for the html option
	FinalURL   string   `json:"final_url,omitempty"` // after redirects
	Title      string   `json:"title,omitempty"`
	Blank      bool     `json:"blank"`             // every pixel has one colour
	Partial    bool     `json:"partial"`           // something was missing when the picture was taken
	Reasons    []string `json:"reasons,omitempty"` // why it is partial, in words
	Truncated  bool     `json:"truncated"`         // a full page is taller than the picture, or a clip reaches beyond the page

	Pages int `json:"pages,omitempty"` // of a pdf

	Requests RequestReport `json:"requests"`
	Console  ConsoleReport `json:"console"`
	Dialogs  int           `json:"dialogs"` // dismissed
	Fonts    FontReport    `json:"fonts"`

	CookieBanner *BannerReport `json:"cookie_banner,omitempty"` // with block_cookie_banners
}

// FontReport counts the letters of the page that no font has, at most 300 kinds of letters of the page's text being
// looked at. In the picture a box stands for each.
type FontReport struct {
	Missing int      `json:"missing"`
	Named   []string `json:"named,omitempty"` // the first few, as "U+A015 Yi"
}

// BannerReport says what became of the page's cookie banner.
type BannerReport struct {
	Outcome BannerOutcome `json:"outcome"`
	Tool    string        `json:"tool,omitempty"` // the consent tool, as autoconsent names it; empty when it is the site's own, or was not recognised
}

// BannerOutcome names what became of a cookie banner.
type BannerOutcome string

// The outcomes of a cookie banner. None is ever accepted.
const (
	BannerRejected BannerOutcome = "rejected" // the page was told no
	BannerHidden   BannerOutcome = "hidden"   // it could not be told; the banner is hidden
	BannerNone     BannerOutcome = "none"     // none was found
)

// RequestReport counts what the page asked of the network.
type RequestReport struct {
	Total   int      `json:"total"`
	Failed  int      `json:"failed"`
	Blocked int      `json:"blocked"`         // refused by the guard or by an option
	Pending int      `json:"pending"`         // still open when the picture was taken
	Named   []string `json:"named,omitempty"` // the first few that failed, were blocked or are pending
}

// ConsoleReport counts what the page wrote to its console.
type ConsoleReport struct {
	Errors   int      `json:"errors"`
	Warnings int      `json:"warnings"`
	Texts    []string `json:"texts,omitempty"` // the first few
}

// DeliveryState says how far a callback has come.
type DeliveryState string

// The states of a delivery. Pending has attempts to come; Dead has used them all, or was ended by the receiver.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Dead      DeliveryState = "dead"
)

// Delivery is one callback that is owed: an event, its receiver and every attempt made.
type Delivery struct {
	ID        string        `json:"id"`                   // "msg_…": the webhook-id header of every attempt
	CaptureID string        `json:"capture_id,omitempty"` // empty for the event of a batch
	BatchID   string        `json:"batch_id,omitempty"`   // of a batch's own event
	Account   string        `json:"-"`
	URL       string        `json:"url"`
	Headers   Headers       `json:"-"` // what callback_headers gave; may be secret
	Body      []byte        `json:"-"` // the exact bytes that are signed and sent
	State     DeliveryState `json:"state"`
	CreatedAt time.Time     `json:"created_at"`
	NextAt    *time.Time    `json:"next_attempt_at,omitempty"` // while pending
	EndedAt   *time.Time    `json:"ended_at,omitempty"`
	Attempts  []Attempt     `json:"attempts"`
	// WaitingFor says what holds a delivery back that is due: WaitingForReceiver or nothing.
	WaitingFor string `json:"waiting_for,omitempty"`
	Receiver   string `json:"-"` // host and port of URL
	Earlier    int    `json:"-"` // attempts made before the present schedule began: sending again begins a new one
}

// WaitingForReceiver says that the receiver has failed several times in a row and is tried with one delivery at a time;
// the others wait for it and use no attempts. NextAt is then when the next try is made.
const WaitingForReceiver = "receiver"

// DeliveryStates lists every state of a delivery.
func DeliveryStates() []DeliveryState { return []DeliveryState{Pending, Delivered, Dead} }

// AttemptOutcome names how one attempt of a delivery ended.
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
	NextAt    *time.Time     `json:"next_attempt_at,omitempty"` // what the schedule said after it; absent after the last one
}

// Verdict is what follows from one attempt: the delivery is delivered, dead, or pending until NextAt.
type Verdict struct {
	Attempt Attempt
	State   DeliveryState
	NextAt  time.Time // when State is Pending
}

// Metadata is the client's own text or flat map, kept as the JSON that came in and given back unchanged.
type Metadata = json.RawMessage
