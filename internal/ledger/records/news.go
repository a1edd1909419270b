package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// What a process keeps in memory follows what it commits. Where several serve a database, each commit also tells the others what
// follows from it, in one row of notices; they read the rows in their order. Those who write take turns, so no row appears late.

// news is what a transaction tells other nodes. It is of the writer's goroutine.
type news struct {
	Waiting map[string]waiting `json:"w,omitempty"` // by account: the first place that something waits at since
	Pending map[string]int64   `json:"p,omitempty"` // by account: captures more, or fewer, that have not ended
	Ended   []string           `json:"e,omitempty"` // captures
	Owed    []owed             `json:"o,omitempty"`
	Urged   []urged            `json:"u,omitempty"`
	Freed   []string           `json:"h,omitempty"` // hosts that nobody has now
	Nodes   bool               `json:"n,omitempty"` // some have begun or ended, or what they do has changed
	Keys    bool               `json:"k,omitempty"` // keys or accounts have changed
	Steps   []relayed          `json:"s,omitempty"`
}

type waiting struct {
	Turn int64  `json:"t"`
	ID   string `json:"i,omitempty"`
}

type owed struct {
	Account string      `json:"a"`
	Host    string      `json:"h"`
	Kind    ledger.Kind `json:"k,omitempty"`
	At      int64       `json:"t"` // microseconds
}

type urged struct {
	Account string `json:"a"`
	Host    string `json:"h"`
	ID      string `json:"i"`
}

type relayed struct {
	ID      string           `json:"i"`
	Seq     int              `json:"n"`
	Kind    capture.StepKind `json:"k"`
	Attempt int              `json:"a"`
	Phase   capture.Phase    `json:"p,omitempty"`
	Code    savepage.Code    `json:"c,omitempty"`
	At      int64            `json:"t"` // microseconds
}

// reset begins the news of a transaction.
func (n *news) reset() { *n = news{} }

// waits says that a capture of an account waits.
func (n *news) waits(account string, turn int64, id string) {
	if n.Waiting == nil {
		n.Waiting = map[string]waiting{}
	}
	if first, known := n.Waiting[account]; !known || turn < first.Turn || turn == first.Turn && id < first.ID {
		n.Waiting[account] = waiting{turn, id}
	}
}

// accepted says that captures of an account are on the way.
func (n *news) accepted(account string, captures int) {
	if n.Pending == nil {
		n.Pending = map[string]int64{}
	}
	n.Pending[account] += int64(captures)
}

// ended says that captures of an account have ended.
func (n *news) ended(account string, ids ...string) {
	n.Ended = append(n.Ended, ids...)
	n.accepted(account, -len(ids))
}

// owes says that a receiver is to be sent something.
func (n *news) owes(d ledger.Due, at time.Time) {
	for i, one := range n.Owed {
		if one.Account == d.Account && one.Host == d.Host && one.Kind == d.Kind {
			n.Owed[i].At = min(one.At, at.UnixMicro())
			return
		}
	}
	n.Owed = append(n.Owed, owed{d.Account, d.Host, d.Kind, at.UnixMicro()})
}

func (n *news) empty() bool {
	return len(n.Waiting)+len(n.Pending)+len(n.Ended)+len(n.Owed)+len(n.Urged)+len(n.Freed)+len(n.Steps) == 0 && !n.Nodes && !n.Keys
}

// publish writes the news into the transaction.
func (n *news) publish(ctx context.Context, tx *sql.Tx, from string) error {
	if n.empty() {
		return nil
	}
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode what other nodes are told: %w", err)
	}
	const insert = `INSERT INTO notices (node, at, news) VALUES (?, ` + dbNow + `, ?)`
	if _, err := tx.ExecContext(ctx, insert, from, string(text)); err != nil {
		return fmt.Errorf("tell other nodes: %w", err)
	}
	return nil
}

// noticeRows is how many notices are read at once.
const noticeRows = 500

const noticesQuery = `SELECT id, node, news FROM notices WHERE id > ? ORDER BY id LIMIT ?`

type notice struct {
	id   int64
	node string
	news news
}

func scanNotice(scan func(dest ...any) error) (n notice, err error) {
	var text string
	if err = scan(&n.id, &n.node, &text); err == nil {
		err = json.Unmarshal([]byte(text), &n.news)
	}
	return n, err
}

// listener is the ledger as one who hears what the others tell.
type listener struct{ *Ledger }

// hear reads what other nodes have told since the last time and does what follows from it.
func (l listener) hear(ctx context.Context) error {
	for {
		all, err := collect(ctx, l.watch, scanNotice, noticesQuery, l.heard, noticeRows)
		if err != nil {
			return fmt.Errorf("read what other nodes tell: %w", err)
		}
		for _, one := range all {
			l.heard = one.id
			if one.node != l.db.self.ID() {
				l.follow(ctx, &one.news)
			}
		}
		if len(all) < noticeRows {
			return nil
		}
	}
}

// follow does what the news of another node ask for.
func (l listener) follow(ctx context.Context, n *news) {
	for account, first := range n.Waiting {
		l.queue.heads.Note(account, first.Turn, first.ID)
	}
	for account, more := range n.Pending {
		l.pending.Note(account, more)
	}
	for _, id := range n.Ended {
		l.waiters.Wake(id)
		l.queue.running.Stop(id)
	}
	if len(n.Waiting)+len(n.Ended) > 0 {
		l.queue.due(0)
	}
	if n.Keys {
		l.keyCache.Clear()
	}
	l.followDeliveries(n)
	if n.Nodes {
		looking := member(l)
		if err := looking.look(ctx); err != nil && ctx.Err() == nil {
			l.db.log.WarnContext(ctx, "looking for other nodes failed", "error", err)
		}
	}
	if l.onStep == nil {
		return
	}
	for _, s := range n.Steps {
		l.onStep(s.ID, capture.Step{Seq: s.Seq, Kind: s.Kind, Attempt: s.Attempt, Phase: s.Phase, Code: s.Code, At: time.UnixMicro(s.At).UTC()})
	}
}

func (l listener) followDeliveries(n *news) {
	for _, one := range n.Owed {
		l.note(ledger.Due{Receiver: ledger.Receiver{Account: one.Account, Host: one.Host}, Kind: one.Kind}, time.UnixMicro(one.At))
	}
	for _, one := range n.Urged {
		l.urge(ledger.Receiver{Account: one.Account, Host: one.Host}, one.ID)
	}
	if len(n.Freed) > 0 {
		l.own.Freed(n.Freed)
		l.renote.Store(true)
	}
}

// Relay passes a step of a capture that is rendered here on to those who watch it at other nodes.
func (l *Ledger) Relay(id string, s capture.Step) {
	if l.watch == nil || l.view.Load().alone && !l.db.company.Load() {
		return
	}
	select {
	case l.steps <- relayed{id, s.Seq, s.Kind, s.Attempt, s.Phase, s.Code, s.At.UnixMicro()}:
	default: // nobody reads so many at once; the ends come all the same
	}
}

// relay tells other nodes of the steps here, some at once.
func (l listener) relay(ctx context.Context) {
	for {
		var some []relayed
		select {
		case <-ctx.Done():
			return
		case first := <-l.steps:
			some = append(some, first)
		}
		if !l.pause(ctx, relayEvery) {
			return
		}
		for n := len(l.steps); n > 0; n-- {
			some = append(some, <-l.steps)
		}
		err := l.db.do(ctx, func(context.Context, *sql.Tx) error {
			l.db.tell.Steps = append(l.db.tell.Steps, some...)
			return nil
		}, nil)
		if err != nil && ctx.Err() == nil {
			l.db.log.WarnContext(ctx, "other nodes were not told of the steps of captures", "error", err)
		}
	}
}
