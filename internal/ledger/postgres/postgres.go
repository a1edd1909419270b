// Package postgres is the ledger in a PostgreSQL database, served by one process: its connections, the lock and the epoch by
// which one process serves it, its migrations, and how it spells the statements of package records. It refuses to know what
// the tables hold: package records does.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// Ledger is a database that this process serves. It is safe for concurrent use.
type Ledger struct {
	*records.Ledger

	server     *server
	stop       context.CancelFunc
	background sync.WaitGroup
}

// server is the connections to a database that this process has taken.
type server struct {
	hold  *hold
	pools []*sql.DB
}

func open(ctx context.Context, config *pgx.ConnConfig, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	s := &server{hold: &hold{config: config, log: log}}
	place, err := s.open(ctx, config, log)
	if err == nil {
		err = sealAll(ctx, place.Others, cfg.Vault, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	shared, err := records.Open(ctx, place, cfg, log)
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	// The background outlives the start that ctx bounds; Close ends it.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Ledger{Ledger: shared, server: s, stop: stop}
	l.background.Go(func() { s.hold.keep(running) })
	return l, nil
}

// open takes the database, brings its tables up to date and begins an epoch.
func (s *server) open(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) (records.Place, error) {
	if err := mayHold(ctx, config); err != nil {
		return records.Place{}, err
	}
	if err := s.hold.take(ctx, tries); err != nil {
		return records.Place{}, err
	}
	write, read, search := pool(config, writers), pool(config, readers), pool(config, searches)
	s.pools = []*sql.DB{search, read, write}
	if err := migrate(ctx, write, log); err != nil {
		return records.Place{}, err
	}
	turns, err := turns{db: write}.takeOver(ctx)
	if err != nil {
		return records.Place{}, err
	}
	return records.Place{Write: turns.group(), Others: turns.others(), Read: read, Search: search, Queue: riverdatabasesql.New(write)}, nil
}

// sealAll seals every secret that is not sealed with the vault's current master key.
func sealAll(ctx context.Context, db records.Writer, v ledger.Vault, log *slog.Logger) error {
	plain, err := records.Openable(ctx, db, v)
	if err != nil || v.Head() == "" {
		return err
	}
	total, err := records.Seal(ctx, db, v)
	if err != nil {
		return err
	}
	if total > 0 {
		log.InfoContext(ctx, "secrets sealed with the master key; what was plain stays in the database's log and free space until "+
			"PostgreSQL uses them again", slog.Int("secrets", total), slog.Bool("were_plain", plain))
	}
	return nil
}

// Close writes what is still waiting and gives the database back. Work must have returned.
func (l *Ledger) Close() error {
	l.stop()
	l.background.Wait()
	return errors.Join(l.Ledger.Close(), l.server.close(context.Background()))
}

// close closes what is open. The lock goes last.
func (s *server) close(ctx context.Context) error {
	var errs []error
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	s.hold.release(ctx)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close connections: %w", err)
	}
	return nil
}
