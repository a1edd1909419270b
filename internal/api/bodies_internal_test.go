package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

func requestWith(b *bodies, account string, size int64, length int64) (*http.Request, func()) {
	r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, size))
	r.ContentLength = length
	return r, b.of(r, account)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestBodiesAreBounded has requests with large bodies come at once: what is beyond the bounds is refused before it is
// read, no account keeps the others from theirs, and a body counts until it is recorded or answered.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	b := newBodies()
	read := func(account string, length int64) (func(), error) {
		r, free := requestWith(b, account, size, length)
		body, err := readBodyUpTo(httptest.NewRecorder(), r, maxBatchBody)
		if err == nil && len(body) != size {
			t.Fatalf("%d bytes were read", len(body))
		}
		return free, err
	}
	code := func(err error) savepage.Code {
		if fault, is := err.(*savepage.Error); is { //nolint:errorlint // exactly what the client gets
			return fault.Code
		}
		return ""
	}
	accepted, refused := map[string]int{}, map[string]savepage.Code{}
	var all []func()
	for i := range 24 {
		for _, account := range []string{"a", "b", "c"} {
			length := int64(size)
			if i%2 == 1 {
				length = -1 // it comes in chunks
			}
			free, err := read(account, length)
			all = append(all, free)
			if err == nil {
				accepted[account]++
			} else {
				refused[account] = code(err)
			}
		}
	}
	if n := accepted["a"] + accepted["b"] + accepted["c"]; n < bodiesAtOnce/size-3 || n > bodiesAtOnce/size {
		t.Errorf("%d bodies of %d bytes are read at once", n, size)
	}
	if accepted["c"] == 0 || refused["c"] != savepage.CodeQueueFull {
		t.Errorf("accepted %v, refused with %v", accepted, refused)
	}
	for _, free := range all {
		free()
		free() // twice is once
	}
	if b.held != 0 || len(b.accounts) != 0 {
		t.Errorf("%d bytes are held by %v", b.held, b.accounts)
	}
	for i := range accountBodies/size + 1 {
		if _, err := read("a", size); (code(err) == savepage.CodeTooManyPending) != (i == accountBodies/size) {
			t.Errorf("body %d of one account: %v", i, err)
		}
	}
	if _, err := read("b", size); err != nil {
		t.Errorf("another account: %v", err)
	}
}

// watchingRecords is a record that looks at what is held while a client waits.
type watchingRecords struct {
	Records

	bodies *bodies
	held   int64
}

// Await returns the capture as one that has ended.
func (w *watchingRecords) Await(_ context.Context, id string) (savepage.Capture, error) {
	w.bodies.mu.Lock()
	defer w.bodies.mu.Unlock()
	w.held = w.bodies.held
	return savepage.Capture{ID: id, State: savepage.Success}, nil
}

// TestBodyIsFreedWhenRecorded has a body not count while its client waits for the picture.
func TestBodyIsFreedWhenRecorded(t *testing.T) {
	t.Parallel()
	b := newBodies()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"url":"https://a.test"}`))
	free := b.of(r, "a")
	if _, err := readBody(httptest.NewRecorder(), r); err != nil || b.held == 0 {
		t.Fatalf("%v, %d bytes", err, b.held)
	}
	records := &watchingRecords{bodies: b, held: -1}
	s := &submitter{records: records, drain: newDrain()}
	if c, err := s.await(r, savepage.Capture{ID: "cap_1", State: savepage.Queued}, time.Minute); err != nil || c.State != savepage.Success {
		t.Fatalf("%+v, %v", c, err)
	}
	if records.held != 0 {
		t.Errorf("%d bytes are held while the client waits", records.held)
	}
	if free(); b.held != 0 {
		t.Errorf("%d bytes are held at the end", b.held)
	}
}

// anyKey is keys of which each is valid.
type anyKey struct{}

// Authenticate knows each key.
func (anyKey) Authenticate(context.Context, string) (savepage.Principal, error) {
	scopes := []savepage.Scope{savepage.ScopeCapture}
	return savepage.Principal{Account: savepage.Account{ID: "a"}, Limits: savepage.DefaultLimits(), Scopes: scopes}, nil
}

// TestBodiesCountBehindTheGate has a body count for the account of its key from when it is read until its request has been answered.
func TestBodiesCountBehindTheGate(t *testing.T) {
	t.Parallel()
	g := newGate(responder{}, Parts{Keys: anyKey{}, Clock: clock.System()}, Config{})
	var during int64
	handler := g.with(maySubmit, func(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
		_, err := readBody(w, r)
		during = g.bodies.accounts["a"]
		return err
	})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"url":"https://a.test"}`))
	r.Header.Set("Authorization", "Bearer x")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if during == 0 || g.bodies.held != 0 {
		t.Errorf("%d bytes count for the account while its request is handled, and %d afterwards", during, g.bodies.held)
	}
}
