package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
			break
		}
	}
	if removed > 0 {
		s.log.InfoContext(ctx, "captures expired", slog.Int("removed", removed))
	}
	return removed, nil
}

// Remove deletes an ended capture: its record, its deliveries, and its picture unless another capture has the same. The
// record goes first, so that nothing names a picture that is gone; if the service ends in between, Sweep finds the picture.
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

// Pictures is what a sweep needs of the store and of the records.
type Pictures interface {
	// Stale returns the keys of pictures that were stored before the time.
	Stale(ctx context.Context, before time.Time) ([]string, error)
	// Known tells which of the names belong to a record.
	Known(ctx context.Context, names []string) (map[string]bool, error)
}

// sweepAge is how old a picture without a record must be to be an orphan: a worker may be about to record a younger one.
const sweepAge = time.Hour

// Sweep removes pictures that no record names: a worker was killed between storing and recording.
func (s *Service) Sweep(ctx context.Context, p Pictures, now time.Time) (int, error) {
	names, err := p.Stale(ctx, now.Add(-sweepAge))
	if err != nil {
		return 0, fmt.Errorf("list stored pictures: %w", err)
	}
	removed := 0
	var faults []error
	for chunk := range slices.Chunk(names, expireBatch) {
		known, err := p.Known(ctx, chunk)
		if err != nil {
			return removed, errors.Join(append(faults, fmt.Errorf("look up pictures: %w", err))...)
		}
		for _, name := range chunk {
			if known[name] {
				continue
			}
			if err := s.blobs.Delete(ctx, name); err != nil {
				faults = append(faults, err)
				continue
			}
			removed++
		}
	}
	return removed, errors.Join(faults...)
}
