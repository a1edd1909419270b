package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// errPooled says that the address is not one of a server or of a pool that keeps a session.
var errPooled = errors.New("the address is one of a pool that gives each transaction another session, such as pgbouncer with " +
	"pool_mode = transaction. Statements are prepared and settings made for a session: name the server itself in SAVEPAGE_DATABASE, or a " +
	"pool with pool_mode = session")

// mayHold returns errPooled when a connection has no session of its own. Two connections to a server have two sessions, each
// the same all the time; while one is in a transaction a pool gives the other's session to it, or another session to the other.
func mayHold(ctx context.Context, config *pgx.ConnConfig) (err error) {
	var conns [2]*pgx.Conn
	for i := range conns {
		if conns[i], err = pgx.ConnectConfig(ctx, config); err != nil {
			return fault(err)
		}
		defer func() { err = errors.Join(err, conns[i].Close(context.WithoutCancel(ctx))) }()
	}
	before, err := session(ctx, conns[0], "")
	if err != nil {
		return err
	}
	other, err := session(ctx, conns[1], "BEGIN; ")
	if err != nil {
		return err
	}
	after, err := session(ctx, conns[0], "")
	if err != nil {
		return err
	}
	if other == before || after != before {
		return errPooled
	}
	return nil
}

// session returns the process of the server that answers.
func session(ctx context.Context, conn *pgx.Conn, first string) (int, error) {
	// Without a prepared statement: a pool may not know it.
	results, err := conn.PgConn().Exec(ctx, first+"SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, fmt.Errorf("ask for the session: %w", fault(err))
	}
	last := results[len(results)-1]
	if len(last.Rows) != 1 || len(last.Rows[0]) != 1 {
		return 0, errors.New("ask for the session: no answer")
	}
	return strconv.Atoi(string(last.Rows[0][0]))
}
