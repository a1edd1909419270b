package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// A process that serves a database together with others is a node. It says once a second that it lives. One that has not for
// NodeLife is declared ended by any other, in a transaction that gives back what it held: from then on it can write nothing.

// NodeLife is how long a node lives without a sign of life, by the clock of the database.
const NodeLife = 8 * time.Second

// How nodes look after one another.
const (
	nodeMargin   = 2 * time.Second // before its end, a node begins no attempt of a delivery any more
	beatEvery    = time.Second
	hearEvery    = 25 * time.Millisecond
	relayEvery   = 100 * time.Millisecond
	tendEvery    = 250 * time.Millisecond
	askWithin    = 4 * time.Second
	noticeRounds = 5         // of purgeEvery, before what was told is removed: a node that has not read it by then has ended
	nodeShown    = time.Hour // after its end
	relayedMost  = 4096      // steps that wait to be told
)

// peers is this process among those that serve the database.
type peers struct {
	node   ledger.Node
	tables int64   // the version of the tables that it knows
	only   bool    // it wants no other beside it
	watch  *sql.DB // connections that wait for no writer; nil: nobody else serves the database
	own    *ledger.Hosts
	onStep func(id string, s capture.Step)
	steps  chan relayed

	view   atomic.Pointer[others]
	stale  atomic.Bool   // some have given no sign of life
	renote atomic.Bool   // hosts may have nobody who sends to them
	steady atomic.Int64  // since when this one has given signs of life without a gap, by Self.began; 0: it has not
	ahead  time.Duration // of the machine's clock before the database's

	delivering atomic.Bool

	hearing sync.Mutex
	heard   int64   // number of the last notice
	past    []int64 // heard, each minute
	looking sync.Mutex
	doing   sync.Mutex
	does    nodeState // what it is doing
}

// member is the ledger as one of those that serve the database.
type member struct{ *Ledger }

// pause waits by the machine's clock: for others.
func (p *peers) pause(ctx context.Context, d time.Duration) bool { return clock.System().Pause(ctx, d) }

// join makes this process a node, and gives back what those held that have ended.
func (l member) join(ctx context.Context) error {
	if err := l.setClock(ctx); err != nil {
		return err
	}
	l.hearing.Lock()
	defer l.hearing.Unlock()
	id, began := capture.NewID("node_", l.db.clock.Wall()), time.Now()
	if err := l.db.beside.InTx(ctx, func(tx *sql.Tx) error { return l.register(ctx, tx, id) }); err != nil {
		return fmt.Errorf("begin to serve the database: %w", err)
	}
	l.db.self.renew(began)
	l.db.self.is(id)
	l.steady.Store(l.db.self.passed(began))
	if err := l.look(ctx); err != nil {
		return err
	}
	err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		l.queue.unsure, l.db.tell.Nodes = true, true
		return l.giveBack(ctx, tx)
	}, nil)
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	return nil
}

// register writes the row of this node, and reads what follows from all that was committed before.
func (l member) register(ctx context.Context, tx *sql.Tx, id string) error {
	if l.watch == nil { // who served it before has ended
		if _, err := tx.ExecContext(ctx, `DELETE FROM nodes`); err != nil {
			return err
		}
	}
	live, err := liveNodes(ctx, tx)
	if err != nil {
		return err
	}
	if l.only && slices.ContainsFunc(live, func(n nodeState) bool { return !n.stale }) {
		return ledger.ErrServed
	}
	if len(live) == 0 {
		if err := l.recall(ctx, tx); err != nil {
			return err
		}
		// Or River's upkeep waits until the old leader's term is over.
		if _, err := tx.ExecContext(ctx, `DELETE FROM river_leader`); err != nil {
			return err
		}
	}
	l.doing.Lock()
	does := l.does
	l.doing.Unlock()
	const insert = `INSERT INTO nodes (id, number, name, roles, version, tables, pages, reserve, delivers, started, seen)
		VALUES (?, coalesce((SELECT max(number) FROM nodes), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ` + dbNow + `, ` + dbNow + `)`
	_, err = tx.ExecContext(ctx, insert, id, l.node.Name, strings.Join(l.node.Roles, ","), l.node.Version, l.tables, does.pages,
		does.reserve, does.delivers)
	if err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM notices`).Scan(&l.heard); err != nil {
		return err
	}
	return l.readPending(ctx, tx)
}

// rejoin goes on as another node, after the others have taken over what this one held.
func (l member) rejoin(ctx context.Context) error {
	l.db.log.WarnContext(ctx, "this node was cut off for too long: others have taken over what it held, and it goes on as another",
		"node", l.db.self.ID())
	l.own.Forget()
	l.queue.running.StopAll()
	hosting(l).gate().Drop(func(string) bool { return true })
	if err := l.join(ctx); err != nil {
		return err
	}
	l.waiters.WakeAll()
	l.keyCache.Clear()
	l.renote.Store(true)
	l.db.log.InfoContext(ctx, "this node serves the database again", "node", l.db.self.ID())
	return nil
}

// leave ends this node. What it still holds is given back.
func (l member) leave(ctx context.Context) error {
	if l.watch == nil {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return l.db.do(asking, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE nodes SET ended = `+dbNow+` WHERE id = ?`, l.db.self.ID()); err != nil {
			return err
		}
		l.db.tell.Nodes = true
		return l.giveBack(ctx, tx)
	}, nil)
}

// attend says that this node lives, until ctx ends.
func (l member) attend(ctx context.Context) {
	last := ""
	for l.pause(ctx, beatEvery) {
		err := l.beat(ctx)
		switch {
		case err == nil:
			last = ""
		case ctx.Err() == nil && last != err.Error():
			last = err.Error()
			l.db.log.WarnContext(ctx, "this node cannot say that it lives", "error", err)
		}
	}
}

// beat gives a sign of life and looks at the others.
func (l member) beat(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	const renew = `UPDATE nodes SET seen = ` + dbNow + `, ahead_us = ? WHERE id = ? AND ended IS NULL`
	began := time.Now()
	err := l.setClock(asking)
	if err == nil {
		var gone bool
		gone, err = missed(l.watch.ExecContext(asking, renew, l.ahead.Microseconds(), l.db.self.ID()))
		if err == nil && gone {
			return l.rejoin(ctx)
		}
	}
	if err != nil {
		l.steady.Store(0)
		return err
	}
	l.db.self.renew(began)
	l.steady.CompareAndSwap(0, l.db.self.passed(began))
	return l.look(asking)
}

// keepHearing does what the other nodes tell, until ctx ends.
func (l listener) keepHearing(ctx context.Context) {
	for l.pause(ctx, hearEvery) {
		if l.view.Load().alone && !l.db.company.Load() {
			continue // another one is seen by the next commit or beat
		}
		asking, cancel := context.WithTimeout(ctx, askWithin)
		l.hearing.Lock()
		err := l.hear(asking)
		l.hearing.Unlock()
		cancel()
		if err != nil && ctx.Err() == nil {
			l.db.log.WarnContext(ctx, "what other nodes tell is not heard", "error", err)
			l.pause(ctx, beatEvery)
		}
	}
}

// look looks who serves the database beside this node.
func (l member) look(ctx context.Context) error {
	if l.watch == nil {
		l.view.Store(&others{leads: true, alone: true})
		return nil
	}
	l.looking.Lock()
	defer l.looking.Unlock()
	live, err := liveNodes(ctx, l.watch)
	if err != nil {
		return fmt.Errorf("look for other nodes: %w", err)
	}
	self := l.db.self.ID()
	seen, before := seenBy(self, live), l.view.Load()
	l.view.Store(&seen)
	if before == nil || strings.Join(seen.delivers, " ") != strings.Join(before.delivers, " ") {
		l.own.Set(self, seen.delivers)
		l.renote.Store(true)
	}
	for _, n := range live {
		if n.stale && n.id != self {
			l.stale.Store(true)
		}
	}
	return nil
}

// endStale declares nodes ended that have given no sign of life, and gives back what they held. Who was cut off from the database
// itself waits first: the others may have been cut off with it.
func (l member) endStale(ctx context.Context) error {
	steady := l.steady.Load()
	if !l.stale.Swap(false) || steady == 0 || l.db.self.passed(time.Now())-steady < int64(NodeLife) {
		return nil
	}
	var ended []string
	err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		const end = `UPDATE nodes SET ended = ` + dbNow + ` WHERE ended IS NULL AND seen < ` + dbNow + ` - ? AND id <> ? RETURNING id`
		if ended, err = collect(ctx, tx, scanText, end, NodeLife.Microseconds(), l.db.self.ID()); err != nil || len(ended) == 0 {
			return err
		}
		l.db.tell.Nodes = true
		return l.giveBack(ctx, tx)
	}, nil)
	if err != nil {
		return fmt.Errorf("end nodes that give no sign of life: %w", err)
	}
	if len(ended) > 0 {
		l.db.log.WarnContext(ctx, "nodes gave no sign of life: what they held is given back", "nodes", ended, "after", NodeLife)
		l.wakeAfter()
	}
	return l.look(ctx)
}

// wakeAfter follows a commit that gave things back.
func (l member) wakeAfter() {
	l.renote.Store(true)
	l.queue.wakeAll()
}

// nobody says of a job that runs, or of a capture, that no node has it which lives.
const (
	liveNode    = `(SELECT id FROM nodes WHERE ended IS NULL)`
	jobOfNobody = `json_extract(attempted_by, '$[#-1]') NOT IN ` + liveNode
)

// giveBack gives back what nodes held that have ended. A job gets another number: its former worker, if there still is one, cannot
// end it.
func (l member) giveBack(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM hosts WHERE node NOT IN `+liveNode); err != nil {
		return fmt.Errorf("give hosts back: %w", err)
	}
	const drop = `DELETE FROM river_job WHERE state = 'running' AND ` + jobOfNobody + ` RETURNING CAST(unique_key AS TEXT),
		json_extract(args, '$.account'), json_extract(args, '$.class'), json_extract(args, '$.turn')`
	jobs, err := collect(ctx, tx, func(scan func(dest ...any) error) (j captureJob, err error) {
		return j, scan(&j.ID, &j.Account, &j.Class, &j.Turn)
	}, drop)
	if err != nil {
		return fmt.Errorf("give jobs back: %w", err)
	}
	again := make([]queued, len(jobs))
	for i, job := range jobs {
		again[i] = job
	}
	if err := l.queue.enqueue(ctx, tx, again...); err != nil {
		return err
	}
	return l.queue.takeBack(ctx, tx)
}

// nowDoes says what this node does from now on.
func (l member) nowDoes(ctx context.Context, change func(does *nodeState)) error {
	l.doing.Lock()
	defer l.doing.Unlock()
	change(&l.does)
	does := l.does // the write may run after this has returned
	err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const set = `UPDATE nodes SET pages = ?, reserve = ?, delivers = ? WHERE id = ?`
		_, err := tx.ExecContext(ctx, set, does.pages, does.reserve, does.delivers, l.db.self.ID())
		l.db.tell.Nodes = true
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("tell other nodes what this one does: %w", err)
	}
	return l.look(ctx)
}

// Leads reports whether this node does what only one has to do.
func (l *Ledger) Leads() bool { return l.watch == nil || l.view.Load().leads && l.db.self.sure() }

// Nodes returns the nodes that live and those that have ended in the last hour.
func (l *Ledger) Nodes(ctx context.Context) ([]savepage.Node, error) { return nodes(ctx, l.db.read) }

// Nodes returns the nodes that live and those that have ended in the last hour.
func (k *Keys) Nodes(ctx context.Context) ([]savepage.Node, error) { return nodes(ctx, k.db) }

const nodesQuery = `SELECT id, name, roles, version, started, seen, ended, pages + reserve, ahead_us,
		(SELECT count(*) FROM captures INDEXED BY captures_running WHERE state = 'running' AND node = nodes.id),
		CASE WHEN number = (SELECT min(number) FROM nodes WHERE ended IS NULL) THEN 1 ELSE 0 END
	FROM nodes WHERE ended IS NULL OR ended > ` + dbNow + ` - ? ORDER BY number`

func nodes(ctx context.Context, q Queries) ([]savepage.Node, error) {
	list, err := collect(ctx, q, scanNode, nodesQuery, nodeShown.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	return list, nil
}

func scanNode(scan func(dest ...any) error) (n savepage.Node, err error) {
	var (
		roles                string
		started, seen, ended sql.NullInt64
		leads                int
	)
	err = scan(&n.ID, &n.Name, &roles, &n.Version, &started, &seen, &ended, &n.Pages, &n.AheadMS, &n.Running, &leads)
	n.Since, n.LastSeen, n.EndedAt = moment(started), moment(seen), moment(ended)
	n.AheadMS /= 1000
	n.Roles, n.Leads = strings.Split(roles, ","), leads == 1
	return n, err
}

// setClock looks how far the machine's date is from the database's, and has the ledger's clock go on from the date that it has: from
// the database's if that is too far. A step of the machine's date between two looks changes nothing then.
func (l member) setClock(ctx context.Context) error {
	if l.watch == nil {
		return nil
	}
	c := l.db.clock
	began, machine, own := time.Now(), c.Machine(), c.Wall()
	at, err := databaseTime(ctx, l.watch)
	if err != nil {
		return fmt.Errorf("ask for the time: %w", err)
	}
	about := time.Since(began) / 2 // when within that it was asked for is not known
	at = at.Add(-about)
	before := l.ahead
	l.ahead = machine.Sub(at)
	if l.ahead.Abs() > ledger.MaxApart && (l.ahead-before).Abs() >= ledger.MaxApart/4 {
		l.db.log.WarnContext(ctx, "the clock of this machine differs from the database's: set it right",
			"ahead", l.ahead.Round(time.Millisecond), "followed", l.node.Follow)
	}
	if !l.node.Follow {
		return nil
	}
	if apart := own.Sub(at); apart.Abs() > ledger.MaxApart+about {
		c.Lead(-apart)
	} else if !c.Led() {
		c.Lead(0)
	}
	return nil
}

var errUnsure = errors.New("this node may have been taken for dead: it sends nothing until it has said that it lives")
