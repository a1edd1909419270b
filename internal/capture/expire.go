package capture

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage"
)

const (
	// expireBatch is how many captures are read at once while expiring, so that a long backlog holds no lock for long.
	expireBatch = 200
	// expireTogether is how many of them are removed at once: those that wait share a commit, and a bucket is far away.
	expireTogether = 64
)

// Expire removes captures that ended and are older than the retention, and then the batches that have none left. It
// returns how many captures went.
func (s *Service) Expire(ctx context.Context, now time.Time) (int, error) {
	e := expiry{Service: s, before: now.Add(-s.cfg.Retention)}
	removed, err := e.captures(ctx)
	if err != nil {
		return removed, err
	}
	return removed, e.emptied(ctx)
}

// expiry is the removal of what is older than a time.
type expiry struct {
	*Service

	before time.Time
}

// emptied removes old batches that have no captures left.
func (e expiry) emptied(ctx context.Context) error {
	for {
		gone, err := e.batches.ForgetBatches(ctx, e.before, expireBatch)
		if err != nil {
			return fmt.Errorf("remove expired batches: %w", err)
		}
		if gone < expireBatch {
			return nil
		}
	}
}

// captures removes old captures and returns how many went.
func (e expiry) captures(ctx context.Context) (removed int, err error) {
	defer func() {
		if removed > 0 {
			e.log.InfoContext(ctx, "captures expired", slog.Int("removed", removed))
		}
	}()
	for {
		old, err := e.ledger.Expired(ctx, e.before, expireBatch)
		if err != nil {
			return removed, fmt.Errorf("list expired captures: %w", err)
		}
		gone, err := e.all(ctx, old)
		removed += gone
		if err != nil || len(old) < expireBatch {
			return removed, err
		}
	}
}

// all removes captures, several at once, and returns how many went. One that can not be removed stops none of the others.
func (e expiry) all(ctx context.Context, old []savepage.Capture) (int, error) {
	var group errgroup.Group
	group.SetLimit(expireTogether)
	var gone atomic.Int64
	for _, c := range old {
		group.Go(func() error {
			err := e.Remove(ctx, c)
			if err == nil {
				gone.Add(1)
			}
			return err
		})
	}
	err := group.Wait()
	return int(gone.Load()), err
}

// Remove deletes an ended capture: its record, its deliveries, and its picture unless another capture has the same. The
// record goes first, so that nothing names a picture that is gone; if the service ends in between, the sweep finds the picture.
func (s *Service) Remove(ctx context.Context, c savepage.Capture) error {
	if !c.State.Final() {
		return savepage.Errorf(savepage.CodeConflict, "capture %s has not ended: it is %s", c.ID, c.State)
	}
	picture, err := s.ledger.Forget(ctx, c.Account, c.ID)
	if err != nil {
		return fmt.Errorf("remove the record of %s: %w", c.ID, err)
	}
	if picture == "" {
		return nil
	}
	if err := s.blobs.Delete(ctx, picture); err != nil {
		return fmt.Errorf("remove the picture of %s: %w", c.ID, err)
	}
	return nil
}
