package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// receiver is a customer's server. It verifies every callback and answers what the test's script says.
type receiver struct {
	*httptest.Server
	t      *testing.T
	secret string
	answer func(w http.ResponseWriter, nth int) // nth: how often this capture was announced before

	mu    sync.Mutex
	calls map[string][]callback // by the id of the capture, or of the batch
	bad   []string
}

type callback struct {
	at     time.Time
	id     string // webhook-id
	result told
	took   bool // it was answered with 2xx
}

func newReceiver(t *testing.T, secret string, answer func(w http.ResponseWriter, nth int)) *receiver {
	t.Helper()
	r := &receiver{t: t, secret: secret, answer: answer, calls: map[string][]callback{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func takes(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusOK) }

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed
	}
	var got told
	if err := json.Unmarshal(body, &got); err != nil {
		r.complain("body %q: %v", body, err)
	}
	got.CaptureID = cmp.Or(got.CaptureID, got.BatchID) // the event of a batch names no capture
	if err := savepage.Verify(r.secret, req.Header, body, time.Now()); err != nil {
		r.complain("%s: %v", got.CaptureID, err)
	}
	if req.Header.Get(savepage.HeaderSignature) != savepage.Sign(r.secret, body) {
		r.complain("%s: wrong X-Signature", got.CaptureID)
	}
	r.mu.Lock()
	nth := len(r.calls[got.CaptureID])
	r.calls[got.CaptureID] = append(r.calls[got.CaptureID], callback{
		at: time.Now(), id: req.Header.Get(savepage.HeaderWebhookID),
		result: got,
	})
	r.mu.Unlock()
	recorder := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	r.answer(recorder, nth)
	r.mu.Lock()
	r.calls[got.CaptureID][nth].took = recorder.status/100 == 2
	r.mu.Unlock()
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (r *receiver) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bad = append(r.bad, fmt.Sprintf(format, args...))
}

// taken returns how many of the captures were announced and taken.
func (r *receiver) taken(ids []string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, id := range ids {
		for _, call := range r.calls[id] {
			if call.took {
				n++
				break
			}
		}
	}
	return n
}

func (r *receiver) of(id string) []callback {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]callback(nil), r.calls[id]...)
}

// check fails the test when a callback was not right.
func (r *receiver) check() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range r.bad {
		r.t.Error(text)
	}
	for id, calls := range r.calls {
		for _, call := range calls {
			if call.id != calls[0].id || call.id == "" {
				r.t.Errorf("%s was announced under %q and %q", id, calls[0].id, call.id)
			}
		}
	}
}
