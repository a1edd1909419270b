package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/httpd"
)

// rendering is the browsers of a server. The first one starts while the server answers: what is accepted meanwhile waits. It is
// nil without the role render.
type rendering struct {
	pool  *browser.Pool
	first func(context.Context) error // starts the first browser
	began atomic.Bool
}

// begin starts the first browser.
func (r *rendering) begin(ctx context.Context, log *slog.Logger) error {
	if r == nil {
		return nil
	}
	if err := r.first(ctx); err != nil {
		return err
	}
	logBelts(ctx, r.pool.Belts(), log)
	r.began.Store(true)
	return nil
}

// belts are those that the health checks show to anybody; none before they are known.
func (r *rendering) belts() httpd.Belts {
	if r == nil || !r.began.Load() {
		return nil
	}
	b := r.pool.Belts()
	return httpd.Belts{"sandbox": b.Confinement(), "user": b.User(), "network": b.Network()}
}

// errStarting is why a server is not ready yet.
var errStarting = errors.New("the first browser is starting")

// starting is errStarting until the first browser has started.
func (r *rendering) starting() error {
	if r == nil || r.began.Load() {
		return nil
	}
	return errStarting
}
