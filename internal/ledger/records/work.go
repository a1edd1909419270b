package records

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
)

// Settings of River. A commit wakes the workers by itself, so they look for jobs rarely.
const (
	fetchCooldown = 2 * time.Millisecond
	fetchPoll     = 2 * time.Second
	keepEnded     = 5 * time.Minute // River's own rows; what happened is in our tables
)

// Work hands out captures and deliveries until ctx ends. Then it hands out nothing more, lets what runs finish within
// Config.Grace, ends the contexts of the rest and gives those captures back, and returns. What has no handler is left
// alone. It is called once at a time.
func (l *Ledger) Work(ctx context.Context, h ledger.Handlers) error {
	group, working := errgroup.WithContext(ctx)
	if h.Render != nil {
		group.Go(func() error { return l.begin(working, func() error { return l.workCaptures(working, h) }) })
	}
	if h.Deliver != nil {
		group.Go(func() error { return l.begin(working, func() error { return l.workDeliveries(working, h) }) })
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // a start that the end of ctx has cut off has not failed
}

// begin begins work, and begins it again when the database was away at that moment.
func (l *Ledger) begin(ctx context.Context, work func() error) error {
	for n := 1; ; n++ {
		err := work()
		if _, fault := health.Find(err); !fault || ctx.Err() != nil {
			return err
		}
		l.db.log.WarnContext(ctx, "work could not begin", "error", err)
		l.db.health.Report(err)
		if !l.pause(ctx, ledger.Backoff(n)) {
			return nil
		}
	}
}

func (l *Ledger) workCaptures(ctx context.Context, h ledger.Handlers) error {
	err := member{l}.nowDoes(ctx, func(does *nodeState) { does.pages, does.reserve = l.queue.slots.now().Usual, l.queue.slots.reserve })
	if err != nil {
		return err
	}
	defer l.done(ctx, func(ctx context.Context) error {
		return member{l}.nowDoes(ctx, func(does *nodeState) { does.pages, does.reserve = 0, 0 })
	})
	rendering := ledger.Rendering{Claims: &claims{l.captures}, Running: l.queue.running, Render: h.Render, Log: l.db.log}
	return l.queue.work(ctx, rendering.Run)
}

func (l *Ledger) workDeliveries(ctx context.Context, h ledger.Handlers) error {
	hosts := hosting{l}
	if err := hosts.beginDelivering(ctx); err != nil {
		return err
	}
	defer l.done(ctx, hosts.stopDelivering)
	if err := l.fillLanes(ctx); err != nil {
		return err
	}
	records, done := l.newOutbox(ctx, h.Stored)
	defer done()
	post := ledger.Post{Outbox: records, Lanes: l.lanes, Totals: &l.totals, Deliver: h.Deliver, Log: l.db.log}
	sender := ledger.Dispatcher{Lanes: l.lanes, Owed: &post, Clock: l.db.clock, Grace: l.queue.grace, Health: l.db.health}
	sender.Run(ctx)
	return nil
}

// done tells other nodes that this one does something no longer.
func (l *Ledger) done(ctx context.Context, tell func(ctx context.Context) error) {
	telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	if err := tell(telling); err != nil {
		l.db.log.WarnContext(ctx, "the end of work was not recorded", "error", err)
	}
}

// work has River run the jobs of captures until ctx ends.
func (q *queue) work(ctx context.Context, run func(ctx context.Context, id string, job int64) error) error {
	workers := river.NewWorkers()
	err := river.AddWorkerSafely(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[captureJob]) error {
		return q.logged(ctx, job.JobRow, run(ctx, job.Args.ID, job.ID))
	}))
	if err != nil {
		return fmt.Errorf("register workers: %w", err)
	}
	client, err := river.NewClient[*sql.Tx](q.driver, q.riverConfig(workers))
	if err != nil {
		return fmt.Errorf("make queue client: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	<-client.Stopped()
	return nil
}

func (q *queue) riverConfig(workers *river.Workers) *river.Config {
	return &river.Config{
		Test:                        riverTest(q.clock),
		Logger:                      quiet(q.log),
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{ledger.QueueInteractive: {MaxWorkers: q.slots.all()}},
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		JobTimeout:                  -1, // captures bound their own time
		RetryPolicy:                 faultPolicy{q.clock},
		CompletedJobRetentionPeriod: keepEnded,
		CancelledJobRetentionPeriod: keepEnded,
		ReindexerIndexNames:         []string{},                     // would hold the one connection for long
		SoftStopTimeout:             max(q.grace, time.Millisecond), // River takes 0 for an end without notice
	}
}

// faultPolicy says when a job is tried again that met an internal error, such as a full disk.
type faultPolicy struct{ clock *clock.Clock }

// NextRetry doubles the wait with each attempt.
func (p faultPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return p.clock.Now().Add(ledger.Backoff(job.Attempt))
}

// logged logs an internal error and passes it on to River, which tries the job again.
func (q *queue) logged(ctx context.Context, job *rivertype.JobRow, err error) error {
	if err != nil && ctx.Err() == nil {
		q.log.ErrorContext(ctx, "job met a fault", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "error", err)
	}
	return err
}
