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
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Accepted is the answer to a submission that the client does not wait for.
type Accepted struct {
	Status    string `json:"status" enum:"accepted" doc:"Always accepted: the capture is stored and will end."`
	CaptureID string `json:"capture_id" doc:"Id of the capture."`
	StatusURL string `json:"status_url" doc:"URL of the capture."`
}

// submission is a request for a capture, read and checked.
type submission struct {
	account string
	keyID   string // savepage.Principal.KeyID; empty for a link
	longest int    // timeout that the account may ask for, in milliseconds; 0 for any
	carrier string // "body" or "query": the beginning of locations in errors
	options savepage.Options
	key     string // Idempotency-Key
	form    form   // of the answer
}

// submitter hands submissions to the flow, and waits for their results.
type submitter struct {
	out      responder
	captures Captures
	records  Records
	drain    *drain
}

// accept records the submission. Locations in its errors begin with the carrier.
func (s *submitter) accept(ctx context.Context, asked submission, interactive bool) (capture.Accepted, error) {
	if err := s.drain.refusal(); err != nil {
		return capture.Accepted{}, err
	}
	request := capture.Request{
		Account: asked.account, KeyID: asked.keyID, Options: asked.options, IdempotencyKey: asked.key, Interactive: interactive,
		MaxTimeout: asked.longest,
	}
	if asked.key != "" {
		var err error
		if request.Fingerprint, err = fingerprint("", asked.options.WithDefaults()); err != nil {
			return capture.Accepted{}, err
		}
	}
	accepted, err := s.captures.Submit(ctx, request)
	if fault, known := errors.AsType[*savepage.Error](err); known && len(fault.Fields) > 0 {
		located := *fault
		located.Fields = make([]savepage.FieldError, 0, len(fault.Fields))
		for _, field := range fault.Fields {
			field.Location = at(asked.carrier, field.Location)
			field.Value = echo(field.Value)
			located.Fields = append(located.Fields, field)
		}
		return accepted, &located
	}
	return accepted, err
}

// fingerprint identifies the body of a request that has an Idempotency-Key. Bodies of different kinds never have the same.
func fingerprint(kind string, body any) (string, error) {
	canonical, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	digest := sha256.Sum256(append([]byte(kind), canonical...))
	return hex.EncodeToString(digest[:]), nil
}

// await waits until c has ended, the wait is over, or the server stops. The capture that it returns may not have ended; a
// client that has disconnected and internal errors are the only errors. The body of the request counts no more.
func (s *submitter) await(r *http.Request, c savepage.Capture, wait time.Duration) (savepage.Capture, error) {
	freeBody(r)
	if c.State.Final() {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	defer s.drain.cut(ctx, cancel)()
	ended, err := s.records.Await(ctx, c.ID)
	if err == nil {
		return ended, nil
	}
	if gone := r.Context().Err(); gone != nil || ctx.Err() == nil {
		return c, fmt.Errorf("wait for %s: %w", c.ID, errors.Join(gone, err))
	}
	return c, nil // the wait is over, and the capture goes on
}

// idempotencyKey reads the Idempotency-Key header: 1 to 255 printable ASCII characters.
func idempotencyKey(h http.Header) (string, error) {
	given, found := h["Idempotency-Key"]
	if !found {
		return "", nil
	}
	key := given[0]
	unprintable := strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(given) > 1 || key == "" || len(key) > 255 || unprintable {
		const message = "must be given once, with 1 to 255 printable ASCII characters"
		return "", invalidField("header.Idempotency-Key", message, nil)
	}
	return key, nil
}

// refuseQuery refuses options in the query of a POST, where they would be overlooked. It returns what else may be there.
func refuseQuery(r *http.Request, known ...string) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	var wrong []savepage.FieldError
	for name := range values {
		if !slices.Contains(known, name) {
			wrong = append(wrong, savepage.FieldError{Location: at("query", name), Message: "must be in the body, not in the query"})
		}
	}
	if len(wrong) == 0 {
		return values, nil
	}
	return nil, invalid(wrong)
}
