package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Advisory locks of a database. A session's end gives them back, also when its process was killed.
const (
	lockServe   = 0x7361766570616765 // "savepage": held by the one process that serves the database
	lockMigrate = lockServe + 1
)

// lookEvery is how often the connection that holds the database is looked at.
const lookEvery = time.Second

// The session of a process that was killed ends a moment after it: how often and how long its end is waited for.
const (
	tryEvery = 50 * time.Millisecond
	tries    = 60
)

// hold is the connection whose session holds the database for this process. It waits by the machine's clock: for the network.
type hold struct {
	config *pgx.ConnConfig
	log    *slog.Logger
	conn   *pgx.Conn
}

// take takes the database for this process, or returns ledger.ErrServed when another one has it at each try.
func (h *hold) take(ctx context.Context, atMost int) error {
	conn, err := pgx.ConnectConfig(ctx, h.config)
	if err != nil {
		return fault(err)
	}
	if err = settle(ctx, conn); err == nil {
		err = h.lock(ctx, conn, atMost)
	}
	if err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	h.conn = conn
	return nil
}

func (h *hold) lock(ctx context.Context, conn *pgx.Conn, atMost int) error {
	for i := range atMost {
		if i > 0 && !clock.System().Pause(ctx, tryEvery) {
			return ctx.Err()
		}
		var free bool
		err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, pgx.QueryExecModeSimpleProtocol, int64(lockServe)).Scan(&free)
		if err != nil || free {
			return fault(err)
		}
	}
	return ledger.ErrServed
}

// keep takes the database again when the connection was lost, until ctx ends. What is written meanwhile is fenced by the
// epoch, so that a server which has taken the database over in between is not disturbed.
func (h *hold) keep(ctx context.Context) {
	lost := false
	for now := clock.System(); now.Pause(ctx, lookEvery); {
		if h.conn != nil && h.alive(ctx) {
			continue
		}
		h.release(ctx)
		err := h.take(ctx, tries)
		switch {
		case err == nil:
			h.log.InfoContext(ctx, "the database is held again")
		case ctx.Err() == nil && !lost:
			h.log.WarnContext(ctx, "the connection that holds the database is lost", "error", err)
		}
		lost = err != nil
	}
}

// alive reports whether the session is there and answers.
func (h *hold) alive(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, unanswered)
	defer cancel()
	return h.conn.Ping(asking) == nil || ctx.Err() != nil
}

// release gives the database back, also when ctx has ended.
func (h *hold) release(ctx context.Context) {
	if h.conn == nil {
		return
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), unanswered)
	defer cancel()
	_, _ = h.conn.Exec(closing, fmt.Sprintf(`SELECT pg_advisory_unlock(%d)`, lockServe)) // else its end gives it back a moment later
	_ = h.conn.Close(closing)                                                            // or it has ended already
	h.conn = nil
}
