package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/savepage/savepage/internal/ledger/records"
)

// queueDriver is River's driver, but for the way that many jobs are inserted: River makes JSON of them all, which SQLite then
// takes apart again.
type queueDriver struct{ *riversqlite.Driver }

// UnwrapExecutor returns the executor of a transaction.
func (d queueDriver) UnwrapExecutor(tx *sql.Tx) riverdriver.ExecutorTx {
	return inserting{d.Driver.UnwrapExecutor(tx), tx}
}

// inserting is River's executor of a transaction that inserts plain jobs as rows.
type inserting struct {
	riverdriver.ExecutorTx

	tx *sql.Tx
}

// JobInsertFastManyNoReturning inserts jobs. Those with what only few have are left to River.
func (i inserting) JobInsertFastManyNoReturning(ctx context.Context, p *riverdriver.JobInsertFastManyParams) (int, error) {
	rows := jobRows()
	values := make([]any, 0, len(p.Jobs)*rows.Width)
	for _, job := range p.Jobs {
		if !plain(job) || p.Schema != "" {
			return i.ExecutorTx.JobInsertFastManyNoReturning(ctx, p)
		}
		values = append(values, string(job.EncodedArgs), riverTime(job.CreatedAt), job.Kind, job.MaxAttempts, job.Priority, job.Queue,
			riverTime(job.ScheduledAt), string(job.State), job.UniqueKey, int64(job.UniqueStates))
	}
	if err := rows.Exec(ctx, i.tx, values); err != nil {
		return 0, err
	}
	return len(p.Jobs), nil
}

// plain reports whether a job has a unique key, and no id, metadata and tags.
func plain(job *riverdriver.JobInsertFastParams) bool {
	return job.ID == nil && len(job.Tags) == 0 && (len(job.Metadata) == 0 || string(job.Metadata) == "{}") && len(job.UniqueKey) > 0 &&
		job.UniqueStates != 0
}

func jobRows() records.Insertion {
	return records.Insertion{
		Head: `INSERT INTO river_job (args, created_at, kind, max_attempts, priority, queue, scheduled_at, state, unique_key, unique_states)
			VALUES `,
		Row:   `(jsonb(?),coalesce(?,datetime('now','subsec')),?,?,?,?,coalesce(?,datetime('now','subsec')),?,?,?)`,
		Width: 10,
		Tail:  ` ON CONFLICT (unique_key) WHERE ` + records.Live + ` DO NOTHING`,
	}
}

// riverTime is a time as River writes it, or NULL.
func riverTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return records.RiverTime(*t)
}
