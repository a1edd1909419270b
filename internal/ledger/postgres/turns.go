package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger/records"
)

// turns has those who write do so one after the other, as SQLite's lock does: what one transaction decides by what it has read
// is still so when it commits.
type turns struct {
	db   *sql.DB
	self *records.Self // the node; nil for one who writes beside them
}

// group begins the transactions of the one goroutine that commits in groups. When the answer to a commit is lost, the server is
// asked for it.
func (t turns) group() records.Writer { return records.Writer{DB: t.db, First: t.mark} }

// others begins all other transactions.
func (t turns) others() records.Writer { return records.Writer{DB: t.db, First: t.wait} }

// wait waits for the turn of a transaction and makes sure that its node has not ended. The row says who lives as it is when the
// transaction has the row.
func (t turns) wait(ctx context.Context, tx *sql.Tx) (turn records.Turn, err error) {
	nodes := 0
	const lock = `SELECT cardinality(nodes) FROM writer WHERE CAST(?1 AS text) = '' OR ?1 = ANY(nodes) FOR NO KEY UPDATE`
	err = t.fenced(tx.QueryRowContext(ctx, lock, t.node()).Scan(&nodes))
	turn.Others = nodes > 1
	return turn, err
}

// mark waits too, and marks the transaction.
func (t turns) mark(ctx context.Context, tx *sql.Tx) (turn records.Turn, err error) {
	mark, node, nodes := rand.Int64(), t.node(), 0 //nolint:gosec // no secret: it differs from the one before
	const lock = `WITH turn AS MATERIALIZED (SELECT cardinality(nodes) AS nodes FROM writer WHERE ?2 = ANY(nodes) FOR NO KEY UPDATE)
		UPDATE marks SET mark = ?1 FROM turn WHERE node = ?2 RETURNING turn.nodes`
	err = t.fenced(tx.QueryRowContext(ctx, lock, mark, node).Scan(&nodes))
	turn.Others = nodes > 1
	turn.Committed = func(ctx context.Context) bool { return t.committed(ctx, node, mark) }
	return turn, err
}

func (t turns) node() string {
	if t.self == nil {
		return ""
	}
	return t.self.ID()
}

// errEnded says that other nodes have declared this one ended.
var errEnded = errors.New("this node was cut off for too long, and others have taken over what it held")

// fenced says why a transaction may not write.
func (t turns) fenced(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return health.Of(health.Database, errEnded)
	}
	if err != nil {
		return fmt.Errorf("wait for the turn to write: %w", err)
	}
	return nil
}

// How often the server is asked what became of a transaction, and how often at the most.
const (
	askEvery = 250 * time.Millisecond
	asks     = 120
)

// committed asks whether the last transaction that was marked is the one with the mark. The lock waits for a session that has
// not ended yet. Who cannot be told takes the transaction for undone.
func (t turns) committed(ctx context.Context, node string, mark int64) bool {
	for range asks {
		var last sql.NullInt64
		err := t.db.QueryRowContext(ctx, `SELECT mark FROM marks WHERE node = ? FOR SHARE`, node).Scan(&last)
		if err == nil {
			return last.Int64 == mark
		}
		if !clock.System().Pause(ctx, askEvery) {
			return false
		}
	}
	return false
}
