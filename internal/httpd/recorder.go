package httpd

import (
	"net/http"
	"runtime"
)

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter

	status int // 0 until the header is written
	bytes  int64
}

// WriteHeader notes the final status; informational ones pass through.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write notes the bytes.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// stack is the goroutine's stack, cut to what a log line can carry.
func stack() string {
	text := make([]byte, 8<<10)
	return string(text[:runtime.Stack(text, false)])
}
