package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/savepage/savepage/internal/blob"
)

const sweepEvery = time.Hour

// expireEvery is how often captures beyond the retention are looked for: a tenth of it, so that nothing stays much longer
// than it says, from a second to a minute.
func expireEvery(retention time.Duration) time.Duration {
	return min(max(retention/10, time.Second), time.Minute)
}

// keepHouse removes what is older than the retention, and pictures without a record, until ctx ends. A fault is logged
// and left to the next round.
func (n *node) keepHouse(ctx context.Context) {
	service, pictures := n.service, pictureStore{n.ledger, n.blobs}
	do := func(chore string, work func(context.Context, time.Time) (int, error)) {
		if _, err := work(ctx, n.clock.Now()); err != nil && ctx.Err() == nil {
			n.log.ErrorContext(ctx, "housekeeping failed", slog.String("chore", chore), slog.Any("error", err))
		}
	}
	expire := func() { do("expire captures", service.Expire) }
	sweep := func() {
		do("sweep pictures", func(ctx context.Context, now time.Time) (int, error) { return service.Sweep(ctx, pictures, now) })
	}
	expire()
	sweep()
	expiry, sweeping := n.clock.NewTimer(expireEvery(n.settings.Retention)), n.clock.NewTimer(sweepEvery)
	defer expiry.Stop()
	defer sweeping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expiry.C:
			expire()
			expiry.Reset(expireEvery(n.settings.Retention))
		case <-sweeping.C:
			sweep()
			sweeping.Reset(sweepEvery)
		}
	}
}

// names looks up which pictures belong to a record.
type names interface {
	Known(ctx context.Context, names []string) (map[string]bool, error)
}

// pictureStore is the store beside its records, as the sweep sees them.
type pictureStore struct {
	names

	blobs blob.Store
}

// Stale returns the keys of pictures that were stored before the time.
func (s pictureStore) Stale(ctx context.Context, before time.Time) ([]string, error) {
	var keys []string
	for key, err := range s.blobs.Keys(ctx, before) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
