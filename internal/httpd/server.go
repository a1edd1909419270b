package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of a connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second // for a whole request, its body included
	writeTimeout      = 5 * time.Minute  // from the end of the header: the longest wait for a picture, and its transfer
	idleTimeout       = 60 * time.Second
	maxHeader         = 64 << 10
)

// Server serves a handler on a listener until Shutdown.
type Server struct{ http *http.Server }

// NewServer returns a server that does not serve yet. Faults of single connections are logged at the level debug.
func NewServer(handler http.Handler, log *slog.Logger) *Server {
	return &Server{&http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// Serve serves until Shutdown, then returns nil, while requests may still be answered. It closes the listener. When the
// listener fails it cuts off what is being answered and returns why.
func (s *Server) Serve(listener net.Listener) error {
	err := s.http.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return errors.Join(fmt.Errorf("serve %s: %w", listener.Addr(), err), s.http.Close())
}

// Shutdown closes the listener, waits for the requests that are being answered, at most for the grace period, and cuts
// off the rest. The error is nil when nothing had to be cut off.
func (s *Server) Shutdown(ctx context.Context, grace time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := s.http.Shutdown(limited); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off after %s: %w", grace, err), s.http.Close())
	}
	return nil
}
