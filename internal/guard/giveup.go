package guard

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxGivenUp bounds the addresses that an identity remembers to have given up.
const maxGivenUp = 1000

// Vain is a plain request that waits for its server.
type Vain struct {
	URL, Accept string
	Silent      time.Duration // nothing has come of it for so long
}

// GiveUp ends what has waited for a server in vain. answer is asked about each plain request that waits: the browser gets the
// status that it returns, now and whenever it asks for the same URL again; 0 lets the request wait on. Tunnels to the silent
// servers, each "host:port", are cut. It returns how many requests and tunnels were ended.
func (i *Identity) GiveUp(answer func(Vain) int, silent []string) (ended int) {
	return i.waits.giveUp(answer) + i.waits.cut(silent)
}

// waits are the plain requests and the tunnels of an identity that are under way.
type waits struct {
	mu      sync.Mutex
	open    map[*wait]struct{}
	tunnels map[*passage]struct{}
	givenUp map[[sha256.Size]byte]int // statuses, by a digest of the URL
}

// wait is one plain request that is under way.
type wait struct {
	all         *waits
	url, accept string
	cancel      context.CancelFunc
	moved       time.Time // something last came of it
	status      int       // what it was ended with; 0 while it may go on
}

// passage is one tunnel.
type passage struct {
	to    string // "host:port"
	conns []net.Conn
}

func newWaits() *waits {
	return &waits{open: map[*wait]struct{}{}, tunnels: map[*passage]struct{}{}, givenUp: map[[sha256.Size]byte]int{}}
}

// begin follows a request until end is called. The returned context ends when it is given up.
func (a *waits) begin(r *http.Request) (*wait, context.Context) {
	ctx, cancel := context.WithCancel(r.Context())
	w := &wait{all: a, url: r.RequestURI, accept: r.Header.Get("Accept"), cancel: cancel, moved: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	w.status = a.givenUp[sha256.Sum256([]byte(w.url))]
	a.open[w] = struct{}{}
	return w, ctx
}

// end forgets the request.
func (w *wait) end() {
	w.cancel()
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	delete(w.all.open, w)
}

// move notes that something has come of the request.
func (w *wait) move() {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	w.moved = time.Now()
}

// ended is the status with which the request was given up, or 0.
func (w *wait) ended() int {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	return w.status
}

// giveUp gives up the requests for which there is an answer.
func (a *waits) giveUp(answer func(Vain) int) (ended int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.open {
		if w.status != 0 {
			continue
		}
		if w.status = answer(Vain{URL: w.url, Accept: w.accept, Silent: time.Since(w.moved)}); w.status == 0 {
			continue
		}
		ended++
		w.cancel()
		if len(a.givenUp) < maxGivenUp {
			a.givenUp[sha256.Sum256([]byte(w.url))] = w.status
		}
	}
	return ended
}

// pass follows a tunnel until the returned function is called.
func (a *waits) pass(to target, conns ...net.Conn) (end func()) {
	p := &passage{to: to.String(), conns: conns}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tunnels[p] = struct{}{}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.tunnels, p)
	}
}

// cut ends the tunnels to some servers.
func (a *waits) cut(servers []string) (ended int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := range a.tunnels {
		if slices.Contains(servers, p.to) {
			closeBoth(p.conns[0], p.conns[1])
			ended++
		}
	}
	return ended
}

// refuse answers a request that was given up. No part of it has been answered yet.
func (w *wait) refuse(to http.ResponseWriter) {
	to.Header()["Cache-Control"], to.Header()["Date"] = []string{"no-store"}, nil
	to.WriteHeader(w.ended())
}
