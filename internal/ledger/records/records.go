// Package records is the ledger in the tables of an SQL database, served by one process: what is known of captures, what is
// owed of deliveries, whose keys are valid, and the jobs that drive them. Each method is one transaction. The statements are
// written once for all databases, and this is the only place that runs River. It refuses to know a database: an engine's
// package opens one and brings its migrations, connections and spelling. It refuses to decide: how a capture ends and when a
// delivery is tried again is said by its callers.
package records

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"

	"github.com/savepage/savepage/internal/ledger"
)

// Place is an open database, up to date. Its engine closes it.
type Place struct {
	Write  Writer                      // of the group's commits; its connections are shared with River
	Others Writer                      // of other transactions, on the same connections
	Beside Writer                      // of transactions of a process that is no node
	Self   *Self                       // under which name Write and Others write
	Watch  *sql.DB                     // connections for nothing that waits for a writer; nil: this process alone serves the database
	Read   *sql.DB                     // of single records
	Search *sql.DB                     // of lists and counts
	Queue  riverdriver.Driver[*sql.Tx] // River's own, over Write
	Tables int64                       // the version of the records' tables that this program knows
	// Check is asked before each commit, and after it before anyone is told that it is durable. nil: nothing is asked.
	Check func(ctx context.Context) error
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	*captures
	*batches
	*deliveries
	*accounts
	*closed
	*inboxes
	*stores
	*uploads
	*peers

	db     *db
	queue  *queue
	noted  time.Time // when what is kept in memory was last compared with the tables
	seen   time.Time // when the time was last kept
	purged time.Time // when what has expired was last looked for

	stop       context.CancelFunc
	background sync.WaitGroup
}

// queue is the jobs that drive captures, in River's tables.
type queue struct {
	*db

	driver  *driver
	insert  *river.Client[*sql.Tx]
	slots   *slots
	heads   ledger.Heads
	peers   *peers
	unsure  bool // whether heads may lack a capture that waits; of the writer's goroutine
	grace   time.Duration
	running *ledger.Running
	alarm   chan struct{} // a job waits for a time
}

// Open takes up what an earlier process left in the place, gives back at once what it left running, and opens the ledger.
// The caller closes it, and the place afterwards.
func Open(ctx context.Context, p Place, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	cfg = cfg.WithDefaults()
	l := &Ledger{db: &db{
		clock: cfg.Clock, log: log, vault: cfg.Vault, health: cfg.Health,
		write: p.Write, others: p.Others, beside: p.Beside, self: p.Self, tell: &news{}, read: p.Read, search: p.Search, check: p.Check,
	}}
	l.connect(cfg, p)
	if err := l.queue.open(p.Queue); err != nil {
		return nil, err
	}
	l.db.writes = ledger.NewGroup(batchItems, l.db.apply)
	joining := member{l}
	if err := joining.join(ctx); err != nil {
		l.db.writes.Close()
		return nil, err
	}
	// The background outlives the start that ctx bounds; Close ends it.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.background.Go(func() { l.queue.keepPromoting(running) })
	l.background.Go(func() { l.keepUp(running) })
	l.background.Go(func() { (&sweeper{queue: l.queue, leads: l.Leads}).sweep(running) })
	if l.watch != nil {
		l.background.Go(func() { member{l}.attend(running) })
		l.background.Go(func() { listener{l}.keepHearing(running) })
		l.background.Go(func() { hosting{l}.tend(running) })
		l.background.Go(func() { listener{l}.relay(running) })
	}
	return l, nil
}

// connect makes the parts of the ledger and joins them.
func (l *Ledger) connect(cfg ledger.Config, p Place) {
	watch := p.Watch
	l.peers = &peers{
		node: cfg.Node, tables: p.Tables, only: cfg.Alone, watch: watch, own: &ledger.Hosts{}, onStep: cfg.OnStep,
		steps: make(chan relayed, relayedMost),
	}
	if watch != nil {
		l.own = ledger.NewHosts()
	}
	l.queue = &queue{
		db: l.db, unsure: true, slots: newSlots(cfg),
		grace: cfg.Grace, running: &ledger.Running{}, alarm: make(chan struct{}, 1), peers: l.peers,
	}
	l.deliveries = &deliveries{db: l.db, lanes: cfg.Lanes(), hosts: l.own}
	l.captures = &captures{
		db: l.db, queue: l.queue, deliveries: l.deliveries, waiters: &ledger.Waiters{},
		pending: &ledger.Pending{Max: int64(cfg.MaxPending)}, limits: cfg.Limits,
	}
	l.batches = &batches{db: l.db, captures: l.captures, deliveries: l.deliveries}
	l.accounts = &accounts{db: l.db, limits: cfg.Limits, keyCache: ledger.NewKeyCache(keyCacheLife), shared: watch != nil}
	l.closed = &closed{captures: l.captures}
	l.inboxes, l.stores, l.uploads = &inboxes{l.db}, &stores{l.db}, &uploads{l.captures}
	l.db.insert = l.insertRows
}

// Do runs fn in a transaction of the group, and returns when it is durable. fn may run more than once.
func (l *Ledger) Do(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return l.db.do(ctx, fn, nil)
}

// Identity returns the name that the database has had since it was made.
func (l *Ledger) Identity(ctx context.Context) (string, error) { return identity(ctx, l.db.read) }

// identity returns the name that the database has had since it was made.
func identity(ctx context.Context, q Queries) (string, error) {
	names, err := collect(ctx, q, scanText, `SELECT id FROM identity`)
	if err != nil {
		return "", fmt.Errorf("read the name of the database: %w", err)
	}
	if len(names) != 1 {
		return "", fmt.Errorf("the table identity has %d rows: want one", len(names))
	}
	return names[0], nil
}

// Close writes what is still waiting. Work must have returned.
func (l *Ledger) Close() error {
	l.stop()
	l.background.Wait()
	l.seen = time.Time{}
	if err := l.noteTime(context.Background()); err != nil {
		l.db.log.Warn("the time was not kept for the next server", "error", err)
	}
	leaving := member{l}
	if err := leaving.leave(context.Background()); err != nil {
		l.db.log.Warn("the other nodes were not told of the end of this one", "node", l.db.self.ID(), "error", err)
	}
	l.db.writes.Close()
	return nil
}
