package api

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/savepage/savepage"
)

// Bounds of the bodies that are read and decoded at once, in bytes. Decoded, a body takes a few times as much.
const (
	bodiesAtOnce  = 64 << 20
	accountBodies = bodiesAtOnce / 2 // of one account; those that are read before their key is known count as one
)

// bodies bounds the bytes of bodies that are in memory at once, of all requests and of each account. A body counts from
// before it is read until its request is recorded or answered.
type bodies struct {
	mu       sync.Mutex
	held     int64
	accounts map[string]int64
}

func newBodies() *bodies { return &bodies{accounts: map[string]int64{}} }

// of has the body of a request count for an account. The function it returns ends that.
func (b *bodies) of(r *http.Request, account string) (free func()) {
	body := &heldBody{ReadCloser: r.Body, bodies: b, account: account}
	r.Body = body
	return body.free
}

// take counts n bytes more of an account, or returns why they may not be read now.
func (b *bodies) take(account string, n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fault *savepage.Error
	switch {
	case b.held+n > bodiesAtOnce:
		fault = savepage.Errorf(savepage.CodeQueueFull, "bodies of %d bytes are being read, and with %d more they are beyond %d; try again",
			b.held, n, bodiesAtOnce)
	case b.accounts[account]+n > accountBodies:
		fault = savepage.Errorf(savepage.CodeTooManyPending, "bodies of %d bytes of the account are being read, and with %d more they are "+
			"beyond %d; send fewer at once", b.accounts[account], n, accountBodies)
	default:
		b.held += n
		b.accounts[account] += n
		return nil
	}
	fault.RetryAfter = time.Second
	return fault
}

func (b *bodies) give(account string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if b.accounts[account] -= n; b.accounts[account] == 0 {
		delete(b.accounts, account)
	}
}

// heldBody is a body that counts.
type heldBody struct {
	io.ReadCloser

	bodies  *bodies
	account string
	ahead   int64 // counted before they are read
	held    int64
}

// expect counts bytes that are about to be read.
func (h *heldBody) expect(n int64) error {
	if err := h.bodies.take(h.account, n); err != nil {
		return err
	}
	h.ahead += n
	h.held += n
	return nil
}

// Read counts what was not expected.
func (h *heldBody) Read(into []byte) (int, error) {
	n, err := h.ReadCloser.Read(into)
	more := int64(n) - h.ahead
	h.ahead = max(-more, 0)
	if more <= 0 {
		return n, err
	}
	if fault := h.bodies.take(h.account, more); fault != nil {
		return 0, fault
	}
	h.held += more
	return n, err
}

func (h *heldBody) free() {
	h.bodies.give(h.account, h.held)
	h.held, h.ahead = 0, 0
}

// freeBody says that the body of a request is not needed any more: it has been recorded.
func freeBody(r *http.Request) {
	if h, is := r.Body.(*heldBody); is {
		h.free()
	}
}
