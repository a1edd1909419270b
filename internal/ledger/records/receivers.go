package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/savepage/savepage/internal/ledger"
)

// saveBreaker writes the breaker of a receiver.
func saveBreaker(ctx context.Context, tx *sql.Tx, r ledger.Receiver, b ledger.Breaker) error {
	if !b.Open() {
		if _, err := tx.ExecContext(ctx, `DELETE FROM receivers WHERE account = ? AND receiver = ?`, r.Account, r.Host); err != nil {
			return fmt.Errorf("close breaker: %w", err)
		}
		return nil
	}
	const save = `INSERT INTO receivers (account, receiver, failures, away, opened_at, probe_at, wait_us)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, receiver) DO UPDATE SET failures = excluded.failures, away = excluded.away,
			opened_at = excluded.opened_at, probe_at = excluded.probe_at, wait_us = excluded.wait_us`
	_, err := tx.ExecContext(ctx, save, r.Account, r.Host, b.Failures, b.Away, stamp(b.OpenedAt), stamp(b.ProbeAt), b.Wait.Microseconds())
	if err != nil {
		return fmt.Errorf("save breaker: %w", err)
	}
	return nil
}

// fillLanes tells the lanes what is owed, and which breakers were open before a restart.
func (ds *deliveries) fillLanes(ctx context.Context) error {
	if err := ds.purgeReceivers(ctx); err != nil {
		return err
	}
	open, err := collect(ctx, ds.read, scanReceiver, openBreakers)
	if err != nil {
		return fmt.Errorf("read breakers: %w", err)
	}
	for _, one := range open {
		if ds.hosts.Mine(one.Host) {
			ds.lanes.Restore(one.Receiver, one.Breaker)
		}
	}
	return ds.noteAll(ctx)
}

const openBreakers = `SELECT account, receiver, failures, away, opened_at, probe_at, wait_us FROM receivers`

type knownReceiver struct {
	ledger.Receiver
	ledger.Breaker
}

func scanReceiver(scan func(dest ...any) error) (knownReceiver, error) {
	var (
		one           knownReceiver
		opened, probe sql.NullInt64
		wait          int64
	)
	err := scan(&one.Account, &one.Host, &one.Failures, &one.Away, &opened, &probe, &wait)
	one.OpenedAt, one.ProbeAt, one.Wait = moment(opened), moment(probe), time.Duration(wait)*time.Microsecond
	return one, err
}

const nextReceiverQuery = `SELECT account, receiver, tried, next_at FROM deliveries INDEXED BY deliveries_due
	WHERE state = 'pending' AND (account, receiver, tried) > (?, ?, ?) ORDER BY account, receiver, tried, next_at LIMIT 1`

// noteAll tells the lanes of every receiver when its first delivery of each kind is due. It seeks from one receiver to the
// next: a million deliveries to one cost as much as one.
func (ds *deliveries) noteAll(ctx context.Context) error {
	var r ledger.Receiver
	var kind ledger.Kind
	for {
		var next sql.NullInt64
		err := ds.read.QueryRowContext(ctx, nextReceiverQuery, r.Account, r.Host, kind).Scan(&r.Account, &r.Host, &kind, &next)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for receivers: %w", err)
		}
		ds.note(ledger.Due{Receiver: r, Kind: kind}, moment(next))
	}
}

// purgeReceivers forgets the breakers of receivers for which nothing is owed any more.
func (ds *deliveries) purgeReceivers(ctx context.Context) error {
	const old = `DELETE FROM receivers WHERE NOT EXISTS
		(SELECT 1 FROM deliveries d INDEXED BY deliveries_due WHERE d.state = 'pending' AND d.account = receivers.account
			AND d.receiver = receivers.receiver)`
	err := ds.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, old)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("forget breakers: %w", err)
	}
	return nil
}
