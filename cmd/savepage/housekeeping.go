package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/keeper"
)

// sweepEvery is also how long a picture without a record stays at least.
const sweepEvery = time.Hour

// expireEvery is how often captures beyond the retention, or beyond the patience, are looked for: a tenth of it, so that
// nothing stays much longer than it says, from a second to a minute.
func expireEvery(retention time.Duration) time.Duration {
	return min(max(retention/10, time.Second), time.Minute)
}

// keepHouse removes what is older than the retention, and pictures without a record, until ctx ends. A fault is logged
// and left to the next round.
func (n *node) keepHouse(ctx context.Context) {
	sweeper := keeper.NewSweeper(n.blobs, n.ledger, n.service.Making, n.log)
	do := func(chore string, work func(context.Context) (int, error)) {
		if !n.ledger.Leads() {
			return // another node does it
		}
		if _, err := work(ctx); err != nil && ctx.Err() == nil {
			n.log.ErrorContext(ctx, "housekeeping failed", slog.String("chore", chore), slog.Any("error", err))
		}
	}
	expire := func() {
		do("claim pictures", func(ctx context.Context) (int, error) { return 0, sweeper.Claim(ctx) })
		do("expire captures", func(ctx context.Context) (int, error) { return n.service.Expire(ctx, n.clock.Date()) })
	}
	sweep := func() { do("sweep pictures", sweeper.Sweep) }
	stores := func() {
		do("give up stores", func(ctx context.Context) (int, error) {
			return capture.StoreEnds{Service: n.service}.GiveUp(ctx, n.clock.Now())
		})
	}
	giveUp := func() {
		do("give up captures", func(ctx context.Context) (int, error) { return n.service.GiveUp(ctx, n.clock.Now()) })
	}
	expire()
	sweep()
	expiry, sweeping := n.clock.NewTimer(expireEvery(n.settings.Retention)), n.clock.NewTimer(sweepEvery)
	defer expiry.Stop()
	defer sweeping.Stop()
	patience := n.clock.NewTimer(expireEvery(n.settings.FaultPatience))
	defer patience.Stop()
	storing := n.clock.NewTimer(expireEvery(n.settings.StorePatience))
	defer storing.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expiry.C:
			expire()
			expiry.Reset(expireEvery(n.settings.Retention))
		case <-patience.C:
			giveUp()
			patience.Reset(expireEvery(n.settings.FaultPatience))
		case <-storing.C:
			stores()
			storing.Reset(expireEvery(n.settings.StorePatience))
		case <-sweeping.C:
			sweep()
			sweeping.Reset(sweepEvery)
		}
	}
}
