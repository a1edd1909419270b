package main

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/dash"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
)

// measuredFor is how long a measurement of the storage stands: it looks at every picture.
const measuredFor = time.Minute

// storage measures what is stored, for the dashboard. Those who ask at the same time share one measurement.
type storage struct {
	ledger   ledger.Monitor
	blobs    blob.View
	database string // its place, without secrets
	pictures string // what the setting names
	clock    *clock.Clock

	mu   sync.Mutex
	last dash.Storage
}

// measured returns what is stored, as it was within the last minute.
func (s *storage) measured(ctx context.Context) (dash.Storage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if !s.last.At.IsZero() && now.Sub(s.last.At) < measuredFor {
		return s.last, nil
	}
	volume, err := s.ledger.Volume(ctx)
	if err != nil {
		return dash.Storage{}, err
	}
	usage, err := keeper.Usage(ctx, s.blobs)
	if err != nil {
		return dash.Storage{}, err
	}
	s.last = dash.Storage{
		At: now, Database: s.database, Pictures: withoutSecrets(s.pictures), Captures: volume.Captures,
		MostCaptures: ledger.MostCounted, DatabaseBytes: volume.Bytes, PictureCount: usage.Blobs, PictureBytes: usage.Bytes,
	}
	if usage.Free != blob.Unbounded {
		s.last.Free = &usage.Free
	}
	return s.last, nil
}

// withoutSecrets is a setting that names a store without a password in it.
func withoutSecrets(setting string) string {
	if !strings.Contains(setting, "://") {
		return setting
	}
	u, err := url.Parse(setting)
	if err != nil {
		return "a store whose address cannot be shown"
	}
	u.RawQuery = ""
	return u.Redacted()
}
