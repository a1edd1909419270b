package savepage

import (
	"net/url"
	"time"
)

// InboxHost is the host of every inbox. No name server knows it: .invalid is reserved for names that never exist (RFC 2606).
const InboxHost = "inbox.savepage.invalid"

// InboxURL is a receiver that every account has of its own: a callback that goes there is kept by the service and shown, and
// leaves it for nowhere. What stands behind the host, a path or a query, is for the account to tell its callbacks apart.
const InboxURL = "https://" + InboxHost + "/"

// Bounds of an inbox.
const (
	MaxInboxEvents    = 100
	MaxInboxBytes     = 2 << 20            // of all its events; older ones go first
	MaxInboxBodyBytes = 64 << 10           // that are kept of one body
	InboxRetention    = 7 * 24 * time.Hour // of an event
)

// IsInbox reports whether a callback that goes to an address goes to the inbox of its account. Only the one spelling does.
func IsInbox(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host == InboxHost && u.User == nil
}

// InboxAnswer is how an inbox answers what arrives.
type InboxAnswer string

// The answers of an inbox.
const (
	InboxOK    InboxAnswer = "200"  // delivered
	InboxError InboxAnswer = "500"  // tried again later
	InboxGone  InboxAnswer = "410"  // ends the delivery
	InboxSlow  InboxAnswer = "slow" // none within the timeout of an attempt: tried again later
)

// InboxAnswers lists every answer of an inbox, the usual one first.
func InboxAnswers() []InboxAnswer { return []InboxAnswer{InboxOK, InboxError, InboxGone, InboxSlow} }

// InboxEventType is what an event in an inbox is about.
type InboxEventType string

// The types of events in an inbox.
const (
	InboxCapture InboxEventType = "capture"
	InboxBatch   InboxEventType = "batch"
	InboxTest    InboxEventType = "test"
)

// InboxEventTypes lists every type of an event in an inbox.
func InboxEventTypes() []InboxEventType {
	return []InboxEventType{InboxCapture, InboxBatch, InboxTest}
}

// Inbox is the receiver of an account, with a page of what has arrived there.
type Inbox struct {
	URL        string       `json:"url" doc:"The callback_url that leads here; the same for every account."`
	Answer     InboxAnswer  `json:"answer" doc:"How it answers: with this status, or slow for no answer within the timeout of an attempt."`
	Events     []InboxEvent `json:"events" doc:"Newest first."`
	NextCursor string       `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
}

// InboxEvent is a callback that has arrived in an inbox. Each attempt of a delivery is one.
type InboxEvent struct {
	ID         string            `json:"id" doc:"evt_ and 26 characters."`
	Account    string            `json:"-"`
	Type       InboxEventType    `json:"type" doc:"What it is about."`
	WebhookID  string            `json:"webhook_id" doc:"The id of the delivery, the same for each of its attempts. A test event has none."`
	CaptureID  string            `json:"capture_id,omitempty" doc:"The capture that has ended."`
	BatchID    string            `json:"batch_id,omitempty" doc:"The batch that has ended."`
	Attempt    int               `json:"attempt" doc:"Which attempt of its delivery it is, from 1."`
	ReceivedAt time.Time         `json:"received_at" doc:"When it arrived."`
	AfterMS    int64             `json:"after_ms" doc:"Milliseconds from the end of the capture or batch until it arrived."`
	Method     string            `json:"method" doc:"POST, or what callback_method says."`
	URL        string            `json:"url" doc:"The address that it was sent to."`
	Headers    map[string]string `json:"headers" doc:"As they arrived. Values of callback_headers are hidden."`
	Body       string            `json:"body" doc:"The first 65,536 bytes; empty if the body is a picture."`
	BodyBytes  int64             `json:"body_bytes" doc:"Size of the whole body."`
	Verified   bool              `json:"verified" doc:"Whether its signature and its time are right."`
	Checks     []InboxCheck      `json:"checks" doc:"What was checked, and why it is not verified."`
	Answer     InboxAnswer       `json:"answer" doc:"How the inbox answered."`
}

// InboxCheck is the result of checking one thing of an event.
type InboxCheck struct {
	What string `json:"what" doc:"Header or secret." example:"webhook-signature"`
	OK   bool   `json:"ok" doc:"Whether it is right."`
	Text string `json:"text" doc:"What was found." example:"matches."`
}

// Size is how many bytes an event takes of its inbox, about.
func (e InboxEvent) Size() int {
	size := len(e.Body) + len(e.URL)
	for name, value := range e.Headers {
		size += len(name) + len(value)
	}
	return size
}
