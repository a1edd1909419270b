package records

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// Self is the name under which this process writes. A process that was cut off for so long that the others have taken over what
// it held can write nothing under its name, and goes on under another.
type Self struct {
	id      atomic.Pointer[string]
	renewed atomic.Int64 // when it last said that it lives, by the time that has passed since began
	began   time.Time
}

// NewSelf is a process that has no name yet.
func NewSelf() *Self { return &Self{began: time.Now()} }

// ID returns the name; empty: none yet.
func (s *Self) ID() string {
	if id := s.id.Load(); id != nil {
		return *id
	}
	return ""
}

func (s *Self) is(id string) { s.id.Store(&id) }

// renew says that the others know since a time that it lives.
func (s *Self) renew(at time.Time) { s.renewed.Store(s.passed(at)) }

// passed is the time in nanoseconds that has passed since it began, never 0.
func (s *Self) passed(at time.Time) int64 { return int64(at.Sub(s.began)) + 1 }

// sure reports whether no other node can have taken over what this one holds.
func (s *Self) sure() bool {
	return time.Since(s.began)-time.Duration(s.renewed.Load()) < NodeLife-nodeMargin
}

// others is what this node knows of the nodes beside it.
type others struct {
	leads    bool
	alone    bool
	pages    ledger.Pages // that they have together
	delivers []string     // the nodes that do, this one included
}

// dbNow is the time of the database in microseconds, as SQLite spells it.
const dbNow = `CAST(unixepoch('subsec') * 1000000 AS INTEGER)`

// nodeState is a row of nodes that live.
type nodeState struct {
	id             string
	pages, reserve int
	delivers       bool
	stale          bool
}

const liveNodesQuery = `SELECT id, pages, reserve, delivers, CASE WHEN seen < ` + dbNow + ` - ? THEN 1 ELSE 0 END
	FROM nodes WHERE ended IS NULL ORDER BY number`

func scanNodeState(scan func(dest ...any) error) (n nodeState, err error) {
	var delivers, stale int
	err = scan(&n.id, &n.pages, &n.reserve, &delivers, &stale)
	n.delivers, n.stale = delivers == 1, stale == 1
	return n, err
}

func liveNodes(ctx context.Context, q Queries) ([]nodeState, error) {
	return collect(ctx, q, scanNodeState, liveNodesQuery, NodeLife.Microseconds())
}

// seenBy sums up the nodes that live, as one of them sees them.
func seenBy(self string, live []nodeState) others {
	o := others{leads: len(live) > 0 && live[0].id == self, alone: true}
	for _, n := range live {
		if n.delivers {
			o.delivers = append(o.delivers, n.id)
		}
		if n.id == self {
			continue
		}
		o.alone = false
		o.pages.Usual += n.pages
		o.pages.Reserve += n.reserve
	}
	return o
}

// databaseTime asks the database for its time.
func databaseTime(ctx context.Context, db *sql.DB) (time.Time, error) {
	var us int64
	err := db.QueryRowContext(ctx, `SELECT `+dbNow).Scan(&us)
	return time.UnixMicro(us), err
}
