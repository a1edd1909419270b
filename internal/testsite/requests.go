package testsite

import (
	"net/http"
	"strings"
	"sync"
)

// Request is one request that the site has seen.
type Request struct {
	Host   string
	Path   string // with the query
	Header http.Header
}

// requests are those that the site has seen.
type requests struct {
	mu   sync.Mutex
	seen []Request
}

// Seen returns the requests whose path, without the query, is this one, in the order in which they came.
func (q *requests) Seen(path string) []Request {
	q.mu.Lock()
	defer q.mu.Unlock()
	var found []Request
	for _, r := range q.seen {
		if only, _, _ := strings.Cut(r.Path, "?"); only == path {
			found = append(found, r)
		}
	}
	return found
}

// Forget drops the requests seen so far.
func (q *requests) Forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen = nil
}

// maxSeen bounds the record, for benchmarks that run for long.
const maxSeen = 10000

func (q *requests) record(r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.seen) < maxSeen {
		q.seen = append(q.seen, Request{Host: r.Host, Path: r.URL.RequestURI(), Header: r.Header.Clone()})
	}
}
