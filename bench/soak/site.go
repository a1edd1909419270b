package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage/internal/testsite"
)

// site is what the service meets outside: pages, and receivers of callbacks.
type site struct {
	*testsite.Site

	hooks   map[string]string // URLs of the receivers: each has a port of its own, because a breaker is of a host and port
	servers []*http.Server
	running sync.WaitGroup
	tame    atomic.Bool // the load is over: every receiver takes what comes
	ill     atomic.Bool // every receiver fails
	silent  atomic.Bool // no receiver answers

	mu    sync.Mutex
	taken map[string]bool // ids of captures and batches whose event was taken
	count int             // events taken
}

func newSite() (*site, error) {
	pages, err := testsite.Start()
	if err != nil {
		return nil, err
	}
	s := &site{Site: pages, hooks: map[string]string{}, taken: map[string]bool{}}
	for name, answer := range map[string]http.HandlerFunc{"fast": s.take, "flaky": s.flaky, "hang": s.hang} {
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens for as long as the program runs
		if err != nil {
			s.close()
			return nil, err
		}
		s.hooks[name] = "http://" + listener.Addr().String() + "/" + name
		server := &http.Server{Handler: s.whileWell(answer), ReadHeaderTimeout: time.Minute}
		s.servers = append(s.servers, server)
		s.running.Go(func() { _ = server.Serve(listener) })
	}
	return s, nil
}

func (s *site) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
	s.running.Wait()
	s.Close()
}

// whileWell is a receiver that now and then fails or does not answer.
func (s *site) whileWell(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.silent.Load():
			s.hang(w, r)
		case s.ill.Load():
			w.WriteHeader(http.StatusInternalServerError)
		default:
			answer(w, r)
		}
	}
}

// take notes whose event it is.
func (s *site) take(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed
	}
	var event struct {
		CaptureID string `json:"capture_id"`
		BatchID   string `json:"batch_id"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.taken[event.CaptureID] = true
	if event.CaptureID == "" {
		s.taken[event.BatchID] = true
	}
}

// flaky refuses three in ten, cuts off one in fifteen, and does not answer one in thirty.
func (s *site) flaky(w http.ResponseWriter, r *http.Request) {
	switch n := rand.IntN(100); { //nolint:gosec // it is not for secrets
	case s.tame.Load() || n < 60:
		s.take(w, r)
	case n < 90:
		w.WriteHeader(http.StatusInternalServerError)
	case n < 97:
		panic(http.ErrAbortHandler)
	default:
		s.hang(w, r)
	}
}

// hang answers when the sender has given up.
func (s *site) hang(w http.ResponseWriter, r *http.Request) {
	if s.tame.Load() {
		s.take(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// missing returns those of the ids whose event was not taken.
func (s *site) missing(ids []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, id := range ids {
		if !s.taken[id] {
			list = append(list, id)
		}
	}
	return list
}
