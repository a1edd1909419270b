// Package postgres is the ledger in a PostgreSQL database, served by any number of processes: its connections, how those who
// write take turns, its migrations, and how it spells the statements of package records. It refuses to know what the tables hold:
// package records does.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/records"
)

// Ledger is a database that this process serves, alone or beside others. It is safe for concurrent use.
type Ledger struct {
	*records.Ledger

	server *server
}

// server is the connections to a database.
type server struct{ pools []*sql.DB }

func (d Database) open(ctx context.Context, config *pgx.ConnConfig, cfg ledger.Config, log *slog.Logger) (*Ledger, error) {
	s := &server{}
	place, err := s.open(ctx, config, d.schema, log)
	if err == nil {
		err = sealAll(ctx, place.Beside, cfg.Vault, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	shared, err := records.Open(ctx, place, cfg, log)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &Ledger{Ledger: shared, server: s}, nil
}

// open opens the connections and brings the tables up to date.
func (s *server) open(ctx context.Context, config *pgx.ConnConfig, known schema, log *slog.Logger) (records.Place, error) {
	if err := mayHold(ctx, config); err != nil {
		return records.Place{}, err
	}
	write, read, search, watch := pool(config, writers), pool(config, readers), pool(config, searches), pool(config, watchers)
	s.pools = []*sql.DB{watch, search, read, write}
	version, err := known.migrate(ctx, write, log)
	if err != nil {
		return records.Place{}, err
	}
	self := records.NewSelf()
	own := turns{write, self}
	return records.Place{
		Write: own.group(), Others: own.others(), Beside: turns{db: write}.others(), Self: self, Watch: watch, Read: read, Search: search,
		Queue: riverdatabasesql.New(write), Tables: version,
	}, nil
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

// Close writes what is still waiting, and ends this node. Work must have returned.
func (l *Ledger) Close() error { return errors.Join(l.Ledger.Close(), l.server.close()) }

// close closes what is open.
func (s *server) close() error {
	var errs []error
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close connections: %w", err)
	}
	return nil
}
