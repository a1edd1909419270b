package keeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/capture"
)

// unfinishedAfter is how long it takes at most until a picture is stored, by far: what was not by then never is.
const unfinishedAfter = 24 * time.Hour

// Sweeper removes pictures that no record names: a worker was killed between storing and recording. Its rounds are made
// one after the other.
type Sweeper struct {
	store   blob.Store
	records Records
	making  func(name string) bool
	log     *slog.Logger
	orphans map[string]bool // what the round before found without a record
}

// NewSweeper returns a sweeper that has not looked yet. making tells of a picture whether this process is about to record it.
func NewSweeper(store blob.Store, records Records, making func(name string) bool, log *slog.Logger) *Sweeper {
	return &Sweeper{store: store, records: records, making: making, log: log}
}

// Claim claims the store again: it may have been removed and made anew under the running server.
func (s *Sweeper) Claim(ctx context.Context) error { return Claim(ctx, s.store, s.records, s.log) }

// Sweep removes each picture that had no record in the round before and has none now, writes a line for each, and returns
// how many went. The time between two rounds is what a worker has to record its picture; no clock is asked, so that none
// that is set forward makes a picture old. A store that belongs to another database is left alone, with ErrStranger.
func (s *Sweeper) Sweep(ctx context.Context) (removed int, err error) {
	if err := s.Claim(ctx); err != nil {
		return 0, err
	}
	orphans, err := s.find(ctx)
	if err != nil {
		return 0, err
	}
	before := s.orphans
	s.orphans = make(map[string]bool, len(orphans))
	var faults []error
	for _, name := range orphans {
		if !before[name] {
			s.orphans[name] = true
			continue
		}
		if err := s.store.Delete(ctx, name); err != nil {
			s.orphans[name] = true
			faults = append(faults, err)
			continue
		}
		s.log.InfoContext(ctx, "picture without a record removed", slog.String("picture", name))
		removed++
	}
	unfinished, err := s.store.Tidy(ctx, time.Now().Add(-unfinishedAfter), capture.IsPictureName)
	if unfinished > 0 {
		s.log.InfoContext(ctx, "pictures that were never stored to their end removed", slog.Int("pictures", unfinished))
	}
	return removed, errors.Join(append(faults, err)...)
}

// find returns the pictures that have no record and that nobody is about to record. It holds no more names than those at once:
// there may be millions.
func (s *Sweeper) find(ctx context.Context) (orphans []string, err error) {
	chunk := make([]string, 0, lookAtOnce)
	look := func() error {
		strays, err := s.strays(ctx, chunk)
		orphans, chunk = append(orphans, strays...), chunk[:0]
		return err
	}
	for name, err := range eachPicture(ctx, s.store) {
		if err != nil {
			return nil, err
		}
		if chunk = append(chunk, name); len(chunk) == lookAtOnce {
			if err := look(); err != nil {
				return nil, err
			}
		}
	}
	err = look()
	return orphans, err
}

// strays returns those of the stored pictures that have no record and that nobody is about to record.
func (s *Sweeper) strays(ctx context.Context, names []string) ([]string, error) {
	// Before the records are read: what is recorded in between counts as being made or is known.
	names = slices.DeleteFunc(names, s.making)
	if len(names) == 0 {
		return nil, nil
	}
	known, err := s.records.Known(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("look up pictures: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return known[name] }), nil
}
