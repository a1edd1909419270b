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

// Server serves a handler on a listener until it is told to stop.
type Server struct {
	Handler http.Handler
	Log     *slog.Logger
	Grace   time.Duration // how long requests may go on after the stop
	// Stopping, if set, is called when the stop begins, before the listener is closed.
	Stopping func()
}

// Serve serves until ctx ends. Then it accepts no more connections, waits for the requests that are being answered, at
// most for Grace, and cuts off what is left. It closes the listener. The error is nil after a stop in which nothing had
// to be cut off.
func (s Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve %s: %w", listener.Addr(), err), server.Close())
	case <-ctx.Done():
	}
	if s.Stopping != nil {
		s.Stopping()
	}
	err := shutdown(context.WithoutCancel(ctx), server, s.Grace)
	if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func shutdown(ctx context.Context, server *http.Server, grace time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off after %s: %w", grace, err), server.Close())
	}
	return nil
}
