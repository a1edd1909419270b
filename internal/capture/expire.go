package capture

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
)

// expireBatch is how many captures are read at once while expiring, so that a long backlog holds no lock for long.
const expireBatch = 200

// Expire removes captures that ended and are older than the retention, and then the batches that have none left. It
// returns how many captures went.
func (s *Service) Expire(ctx context.Context, now time.Time) (int, error) {
	removed, err := s.expireCaptures(ctx, now)
	if err != nil {
		return removed, err
	}
	for {
		gone, err := s.batches.ForgetBatches(ctx, now.Add(-s.cfg.Retention), expireBatch)
		if err != nil {
			return removed, fmt.Errorf("remove expired batches: %w", err)
		}
		if gone < expireBatch {
			return removed, nil
		}
	}
}

// expireCaptures removes captures that are older than the retention and returns how many went.
func (s *Service) expireCaptures(ctx context.Context, now time.Time) (int, error) {
	removed := 0
	defer func() {
		if removed > 0 {
			s.log.InfoContext(ctx, "captures expired", slog.Int("removed", removed))
		}
	}()
	for {
		old, err := s.ledger.Expired(ctx, now.Add(-s.cfg.Retention), expireBatch)
		if err != nil {
			return removed, fmt.Errorf("list expired captures: %w", err)
		}
		for _, c := range old {
			if err := s.Remove(ctx, c); err != nil {
				return removed, err
			}
			removed++
		}
		if len(old) < expireBatch {
			return removed, nil
		}
	}
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
