package main

import (
	"context"
	"log/slog"
	"time"
)

// removeEvery is how often closed accounts are looked for: savepage account delete closes them from another process.
const removeEvery = 5 * time.Second

// removeClosed removes the accounts that are closed, until ctx ends. A fault is logged and left to the next round.
func (n *node) removeClosed(ctx context.Context) {
	for first := true; first || n.clock.Pause(ctx, removeEvery); first = false {
		if !n.ledger.Leads() {
			continue
		}
		if err := n.service.RemoveClosed(ctx, n.ledger); err != nil && ctx.Err() == nil {
			n.log.ErrorContext(ctx, "removing closed accounts failed", slog.Any("error", err))
		}
	}
}
