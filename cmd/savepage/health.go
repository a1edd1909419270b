package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/keeper"
)

// watch has the parts of the node probed that are open.
func (n *node) watch(ctx context.Context) error {
	identity, err := n.ledger.Identity(ctx)
	if err != nil {
		return err
	}
	n.health.Watch(health.Database, n.ledger.Ready)
	n.health.Watch(health.Pictures, func(ctx context.Context) error { return n.probePictures(ctx, identity) })
	n.health.Watch(health.Machine, func(context.Context) error { return probeMachine(n.settings.Data) })
	if n.pool != nil && n.settings.Outbound != nil {
		n.health.Watch(health.Network, func(ctx context.Context) error { return guard.WayOut(ctx, n.settings.Outbound) })
	}
	if n.pool != nil {
		//nolint:contextcheck // Ready bounds its own time
		n.health.Watch(health.Browser, func(context.Context) error { return n.pool.Ready() })
	}
	return nil
}

// probePictures is nil when the store can be written and is the one of this database: another folder may have come in its
// place.
func (n *node) probePictures(ctx context.Context, identity string) error {
	if err := n.blobs.Ready(ctx); err != nil {
		return err
	}
	owner, err := keeper.Owner(ctx, n.blobs)
	if err != nil || owner == identity {
		return err
	}
	return keeper.Claim(ctx, n.blobs, n.ledger, n.log)
}

// probeBytes is how much the probe of the machine writes.
const probeBytes = 64 << 10

// probeMachine is nil when a temporary file can be written and a pipe can be opened.
func probeMachine(dir string) error {
	file, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	_, err = file.Write(make([]byte, probeBytes))
	if err := errors.Join(err, file.Close(), os.Remove(file.Name())); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	return errors.Join(r.Close(), w.Close())
}

// checks are those that /readyz runs.
func (n *node) checks() []httpd.Check {
	var checks []httpd.Check
	for _, state := range n.health.States() {
		checks = append(checks, httpd.Check{
			Name: string(state.Part), Run: func(ctx context.Context) error {
				if err := n.rendering.starting(); err != nil && state.Part == health.Browser {
					return err
				}
				return n.health.Check(ctx, state.Part)
			},
		})
	}
	return checks
}
