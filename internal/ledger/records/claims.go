package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// claimRows is how many hosts are asked for in one transaction.
const claimRows = 200

// note says that a receiver is owed something: to the lanes, or, if nobody is known to send to its host, to who asks for it.
func (ds *deliveries) note(d ledger.Due, at time.Time) {
	if ds.hosts.Mine(d.Host) {
		ds.lanes.Note(d.Receiver, d.Kind, at)
		return
	}
	ds.hosts.Want(d, at)
}

// urge says that a delivery is to be sent now.
func (ds *deliveries) urge(r ledger.Receiver, id string) {
	if ds.hosts.Mine(r.Host) {
		ds.lanes.Urge(r, id)
		return
	}
	now := ds.clock.Now()
	ds.hosts.Want(ledger.Due{Receiver: r, Kind: ledger.Fresh}, now)
	ds.hosts.Want(ledger.Due{Receiver: r, Kind: ledger.Tried}, now)
}

// hosting is the ledger as one that sends deliveries to hosts which it has asked for.
type hosting struct{ *Ledger }

// tend looks after what nodes that have ended held, and after the hosts of this one, until ctx ends.
func (l hosting) tend(ctx context.Context) {
	timer := clock.System().NewTimer(tendEvery)
	defer timer.Stop()
	shut := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.own.Asked():
		case <-timer.C:
		}
		err := errors.Join(member(l).endStale(ctx), l.noteNobodys(ctx), l.claim(ctx), l.handOver(ctx, shut))
		if err != nil && ctx.Err() == nil {
			l.db.log.WarnContext(ctx, "looking after other nodes failed", "error", err)
			l.pause(ctx, beatEvery)
		}
		timer.Reset(tendEvery)
	}
}

// noteNobodys looks for what is owed to hosts that nobody may be sending to.
func (l hosting) noteNobodys(ctx context.Context) error {
	if !l.renote.Swap(false) || !l.delivering.Load() {
		return nil
	}
	err := l.noteAll(ctx)
	if err != nil {
		l.renote.Store(true)
	}
	return err
}

// claim asks for hosts that are wanted.
func (l hosting) claim(ctx context.Context) error {
	for {
		wanted := l.own.Wanted(claimRows)
		if len(wanted) == 0 {
			return nil
		}
		var (
			mine map[string]bool
			node string
			open []knownReceiver
		)
		err := l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			node = l.db.self.ID()
			mine, open, err = claimHosts(ctx, tx, node, wanted)
			return err
		}, func(err error) {
			if err != nil {
				return
			}
			for _, one := range open {
				l.lanes.Restore(one.Receiver, one.Breaker)
			}
			for d, at := range l.own.Given(node, mine) {
				l.lanes.Note(d.Receiver, d.Kind, at)
			}
		})
		if err != nil {
			return fmt.Errorf("ask for hosts to send to: %w", err)
		}
	}
}

// claimHosts gives hosts to a node that nobody has. It returns which it has then, and the open breakers of those.
func claimHosts(ctx context.Context, tx *sql.Tx, node string, wanted map[string][]ledger.Due) (map[string]bool, []knownReceiver, error) {
	mine := map[string]bool{}
	var open []knownReceiver
	for host, of := range wanted {
		const give = `INSERT INTO hosts (host, node) VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET node = hosts.node RETURNING node`
		var owner string
		if err := tx.QueryRowContext(ctx, give, host, node).Scan(&owner); err != nil {
			return nil, nil, err
		}
		if mine[host] = owner == node; !mine[host] {
			continue
		}
		for _, d := range of {
			one, err := breakerOf(ctx, tx, d.Receiver)
			if err != nil {
				return nil, nil, err
			}
			if one.Open() {
				open = append(open, one)
			}
		}
	}
	return mine, open, nil
}

// breakerOf reads the breaker of a receiver; a closed one has no row.
func breakerOf(ctx context.Context, q Queries, r ledger.Receiver) (knownReceiver, error) {
	found, err := collect(ctx, q, scanReceiver, openBreakers+` WHERE account = ? AND receiver = ?`, r.Account, r.Host)
	if err != nil || len(found) == 0 {
		return knownReceiver{Receiver: r}, err
	}
	return found[0], nil
}

// handOver gives hosts back that another node is to have, when nothing is on its way to them. shut is those that were not idle.
func (l hosting) handOver(ctx context.Context, shut map[string]bool) error {
	leaving := l.own.Leaving()
	for host := range shut {
		if !slices.Contains(leaving, host) {
			l.gate().Open(host)
			delete(shut, host)
		}
	}
	var idle []string
	for _, host := range leaving {
		shut[host] = true
		if l.gate().Shut(host) {
			idle = append(idle, host)
		}
	}
	if err := l.release(ctx, idle); err != nil {
		return err
	}
	for _, host := range idle {
		delete(shut, host)
	}
	return nil
}

// release gives hosts back to which nothing is on its way.
func (l hosting) release(ctx context.Context, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	list, err := encode(hosts)
	if err != nil {
		return fmt.Errorf("encode hosts: %w", err)
	}
	err = l.db.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const free = `DELETE FROM hosts WHERE node = ? AND host IN (SELECT value FROM json_each(?))`
		l.db.tell.Freed = append(l.db.tell.Freed, hosts...)
		_, err := tx.ExecContext(ctx, free, l.db.self.ID(), string(list))
		return err
	}, func(err error) {
		if err == nil {
			l.own.Left(hosts)
			l.gate().Drop(func(host string) bool { return slices.Contains(hosts, host) })
		}
	})
	if err != nil {
		return fmt.Errorf("give hosts back: %w", err)
	}
	return nil
}

func (l hosting) gate() ledger.Gate { return ledger.Gate{Lanes: l.lanes} }

// beginDelivering makes this node one that has hosts, and stopDelivering gives them back.
func (l hosting) beginDelivering(ctx context.Context) error {
	l.own.Serve(true)
	l.delivering.Store(true)
	return member(l).nowDoes(ctx, func(does *nodeState) { does.delivers = true })
}

func (l hosting) stopDelivering(ctx context.Context) error {
	l.delivering.Store(false)
	l.own.Serve(false)
	err := member(l).nowDoes(ctx, func(does *nodeState) { does.delivers = false })
	var idle []string
	for _, host := range l.own.Leaving() {
		if l.gate().Shut(host) {
			idle = append(idle, host)
		}
	}
	return errors.Join(err, l.release(ctx, idle))
}
