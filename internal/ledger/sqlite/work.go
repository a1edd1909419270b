package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// Settings of River. A commit wakes the workers by itself, so they look for jobs rarely.
const (
	fetchCooldown = 2 * time.Millisecond
	fetchPoll     = 500 * time.Millisecond
	keepEnded     = 5 * time.Minute // River's own rows; what happened is in our tables
)

// Work hands out captures and deliveries until ctx ends. Then it hands out nothing more, lets what runs finish within
// Config.Grace, ends the contexts of the rest and gives those captures back, and returns. What has no handler is left
// alone. It is called once at a time.
func (l *Ledger) Work(ctx context.Context, h ledger.Handlers) error {
	group, working := errgroup.WithContext(ctx)
	if h.Render != nil {
		group.Go(func() error { return l.workCaptures(working, h) })
	}
	if h.Deliver != nil {
		group.Go(func() error { return l.workDeliveries(working, h) })
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // a start that the end of ctx has cut off is none that failed
}

func (l *Ledger) workDeliveries(ctx context.Context, h ledger.Handlers) error {
	if err := l.fillLanes(ctx); err != nil {
		return err
	}
	sender := ledger.Dispatcher{Lanes: l.lanes, Owed: &post{Ledger: l, deliver: h.Deliver}, Clock: l.clock, Grace: l.cfg.Grace}
	sender.Run(ctx)
	return nil
}

func (l *Ledger) workCaptures(ctx context.Context, h ledger.Handlers) error {
	workers := river.NewWorkers()
	err := river.AddWorkerSafely(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[captureJob]) error {
		return l.logged(ctx, job.JobRow, l.runCapture(ctx, h, job.Args.ID, job.ID))
	}))
	if err != nil {
		return fmt.Errorf("register workers: %w", err)
	}
	client, err := river.NewClient[*sql.Tx](l.driver, l.riverConfig(workers))
	if err != nil {
		return fmt.Errorf("make queue client: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	<-client.Stopped()
	return nil
}

func (l *Ledger) riverConfig(workers *river.Workers) *river.Config {
	return &river.Config{
		Test:                        riverTest(l.clock),
		Logger:                      quiet(l.log),
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{ledger.QueueInteractive: {MaxWorkers: l.cfg.Workers}},
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		JobTimeout:                  -1, // captures bound their own time
		RetryPolicy:                 faultPolicy{l.clock},
		CompletedJobRetentionPeriod: keepEnded,
		CancelledJobRetentionPeriod: keepEnded,
		ReindexerIndexNames:         []string{},                         // would hold the one connection for long
		SoftStopTimeout:             max(l.cfg.Grace, time.Millisecond), // River takes 0 for an end without notice
	}
}

// faultPolicy says when a job is tried again that met a fault of ours, such as a full disk.
type faultPolicy struct{ clock *clock.Clock }

// NextRetry doubles the wait with each attempt.
func (p faultPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return p.clock.Now().Add(ledger.Backoff(job.Attempt))
}

// logged reports a fault of ours and passes it on to River, which tries the job again.
func (l *Ledger) logged(ctx context.Context, job *rivertype.JobRow, err error) error {
	if err != nil && ctx.Err() == nil {
		l.log.ErrorContext(ctx, "job met a fault", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "error", err)
	}
	return err
}

// runCapture takes a capture and has it rendered.
func (l *Ledger) runCapture(outer context.Context, h ledger.Handlers, id string, job int64) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	// Entered before the capture is taken: a cancellation that comes right after finds it.
	defer l.active.enter(job, id, cancel)()
	claim, found, err := l.start(ctx, id, job)
	if err != nil || !found {
		return err
	}
	err = render(ctx, h, claim)
	if err == nil || errors.Is(err, capture.ErrLost) {
		return nil
	}
	return l.giveBack(context.WithoutCancel(ctx), claim, err, outer.Err() != nil)
}

// giveBack releases a capture that its handler has neither finished nor released.
func (l *Ledger) giveBack(ctx context.Context, c capture.Claim, cause error, stopping bool) error {
	wait := ledger.Backoff(c.Capture.Attempt)
	if stopping {
		wait = 0
	}
	err := l.Release(ctx, c, wait, stopping)
	if errors.Is(err, capture.ErrLost) {
		return nil
	}
	if !stopping {
		l.log.ErrorContext(ctx, "capture given back after a fault", "capture", c.Capture.ID, "attempt", c.Capture.Attempt,
			"wait", wait, "error", cause)
	}
	return err
}

// render calls the handler and turns a panic into an error: one page must not end the others.
func render(ctx context.Context, h ledger.Handlers, c capture.Claim) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("render panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return h.Render(ctx, c)
}
