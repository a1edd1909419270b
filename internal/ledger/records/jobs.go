package records

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// A job only names its capture. It lives in River's table while the capture is on the way and is deleted in the commit that
// moves it on: a follow-up is a new job. The capture's id is the job's unique key, so a capture never has two live jobs.

// liveBits marks the states in which River enforces the unique key, in the order of its bit mask: available, pending,
// retryable, running, scheduled.
const liveBits = 1<<0 | 1<<4 | 1<<5 | 1<<6 | 1<<7

// Live is River's own condition of its unique index, word for word: SQLite uses a partial index for nothing else.
const Live = `unique_key IS NOT NULL
	AND unique_states IS NOT NULL
	AND CASE state
		WHEN 'available' THEN unique_states & (1 << 0)
		WHEN 'cancelled' THEN unique_states & (1 << 1)
		WHEN 'completed' THEN unique_states & (1 << 2)
		WHEN 'discarded' THEN unique_states & (1 << 3)
		WHEN 'pending'   THEN unique_states & (1 << 4)
		WHEN 'retryable' THEN unique_states & (1 << 5)
		WHEN 'running'   THEN unique_states & (1 << 6)
		WHEN 'scheduled' THEN unique_states & (1 << 7)
		ELSE 0
	END >= 1`

// queued is a job to be inserted: its record, and its place among the jobs of its account.
type queued interface {
	river.JobArgs
	record() (id string, place place)
}

// place is where in the queue a job is.
type place struct {
	account string
	turn    int64
	at      time.Time // that it waits for before it waits for its turn; zero for none
}

type captureJob struct {
	ID      string       `json:"id"`
	Account string       `json:"account"`
	Class   ledger.Class `json:"class"`
	Turn    int64        `json:"turn"`
	at      time.Time
}

// Kind names the job in River's table.
func (captureJob) Kind() string { return "capture" }

func (j captureJob) record() (string, place) { return j.ID, place{j.Account, j.Turn, j.at} }

// placing is the insert middleware that gives jobs their queue, time and key. Times stand here and not in River's options,
// which would make every job with a time a scheduled one. A job that waits for its time is pending: River's scheduler reads
// all scheduled ones every five seconds and leaves pending ones to us.
type placing struct {
	river.MiddlewareDefaults

	clock *clock.Clock
	heads *ledger.Heads
	tell  *news
}

// InsertMany sets queue, time, state and key of each job.
func (p *placing) InsertMany(ctx context.Context, many []*rivertype.JobInsertParams,
	inner func(context.Context) ([]*rivertype.JobInsertResult, error),
) ([]*rivertype.JobInsertResult, error) {
	now := p.clock.Now()
	for _, one := range many {
		job, ours := one.Args.(queued)
		if !ours {
			continue
		}
		id, place := job.record()
		one.Queue, one.UniqueKey, one.UniqueStates = place.account, []byte(id), liveBits
		if place.at.After(now) {
			one.ScheduledAt, one.State = &place.at, rivertype.JobStatePending
			continue
		}
		one.ScheduledAt = new(turnTime(place.turn))
		p.tell.waits(place.account, place.turn, id)
		p.heads.Note(place.account, place.turn, id) // also if it is not committed: where it stands is asked again
	}
	return inner(ctx)
}

// turnTime is the time of a job that waits for its turn.
func turnTime(turn int64) time.Time { return time.UnixMilli(turn) }

// inserter makes the River client that only inserts.
func inserter(d *driver, placing *placing, log *slog.Logger) (*river.Client[*sql.Tx], error) {
	client, err := river.NewClient[*sql.Tx](d, &river.Config{
		Test:       riverTest(placing.clock),
		Logger:     quiet(log),
		Middleware: []rivertype.Middleware{placing},
	})
	if err != nil {
		return nil, fmt.Errorf("make queue client: %w", err)
	}
	return client, nil
}

// open makes the clients of River that only insert.
func (q *queue) open(of riverdriver.Driver[*sql.Tx]) (err error) {
	q.driver = newDriver(of)
	q.driver.take = q.take
	q.insert, err = inserter(q.driver, &placing{clock: q.clock, heads: &q.heads, tell: q.tell}, q.log)
	return err
}

// enqueue inserts jobs. A record that has a live job keeps that one.
func (q *queue) enqueue(ctx context.Context, tx *sql.Tx, jobs ...queued) error {
	if len(jobs) == 0 {
		return nil
	}
	many := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		many[i].Args = job
	}
	if _, err := q.insert.InsertManyFastTx(ctx, tx, many); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// endJob removes the job of a step that is done.
func endJob(ctx context.Context, tx *sql.Tx, id int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM river_job WHERE id = ?`, id); err != nil {
		return fmt.Errorf("end job: %w", err)
	}
	return nil
}

// dropJob removes the live job of a record.
func dropJob(ctx context.Context, tx *sql.Tx, record string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM river_job WHERE unique_key = CAST(? AS BLOB) AND `+Live, record); err != nil {
		return fmt.Errorf("drop job: %w", err)
	}
	return nil
}

// riverClock is the clock as River asks for it.
type riverClock struct{ clock *clock.Clock }

// riverTest has River order and expire by the clock. River's name for it says what it was made for.
func riverTest(c *clock.Clock) river.TestConfig { return river.TestConfig{Time: riverClock{c}} }

// Now returns the machine's time with its monotonic reading while the clock has not been moved: River measures by it.
func (r riverClock) Now() time.Time {
	if r.clock.Moved() {
		return r.clock.Now()
	}
	return time.Now()
}

// NowOrNil returns nil while the clock has not been moved: the database's own time is then as good.
func (r riverClock) NowOrNil() *time.Time {
	if !r.clock.Moved() {
		return nil
	}
	return new(r.clock.Now())
}

// RiverTime is a time as River writes it in SQLite.
func RiverTime(t time.Time) string {
	return t.UTC().Round(time.Millisecond).Format("2006-01-02 15:04:05.000")
}

// quiet is the log for River: it reports each step at info, which is our business to log.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(&warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled lets warnings and errors pass.
func (w *warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the limit.
func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the limit.
func (w *warnings) WithGroup(name string) slog.Handler { return &warnings{w.Handler.WithGroup(name)} }
