// Package inside asks the API in this process, in the name of a client: a request that never leaves it, and an answer that is
// read whole.
package inside

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/savepage/savepage/internal/api"
)

// Answer is what the API said. It is the http.ResponseWriter of the handler that says it.
type Answer struct {
	Status int

	header http.Header
	body   bytes.Buffer
}

// Request makes a request with the key of a client, in the place of the client's own. A body is sent as JSON, nil is an empty one.
func Request(of *http.Request, key, method, address string, body any) (*http.Request, error) {
	content := io.Reader(http.NoBody) // a handler may read it
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(of.Context(), method, address, content)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.RemoteAddr, request.RequestURI = of.RemoteAddr, address
	request.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// Ask has a handler answer a request. id is the request's id in the log; empty, the handler makes one.
func Ask(handler http.Handler, request *http.Request, id string) *Answer {
	a := &Answer{header: http.Header{}}
	if id != "" {
		a.header.Set("X-Request-Id", id)
	}
	handler.ServeHTTP(a, request)
	return a
}

// Header returns the header that a handler writes to.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader takes the first status.
func (a *Answer) WriteHeader(status int) {
	if a.Status == 0 {
		a.Status = status
	}
}

// Write takes a part of the body.
func (a *Answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Flush does nothing: the answer is read at its end.
func (a *Answer) Flush() {}

// Bytes is the body.
func (a *Answer) Bytes() []byte { return a.body.Bytes() }

// Problem is the error that the API answered with, or nil when the answer is none. The error says that an answer with such a
// status is no problem of the API's.
func (a *Answer) Problem() (*api.Problem, error) {
	if a.Status < http.StatusBadRequest {
		return nil, nil //nolint:nilnil // no problem
	}
	var p api.Problem
	if err := json.Unmarshal(a.Bytes(), &p); err != nil || p.Code == "" {
		return nil, fmt.Errorf("the API answered %d", a.Status)
	}
	return &p, nil
}
