package postgres

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// connector opens connections that spell the ledger's statements and mark faults of the database.
type connector struct {
	sqldriver.Connector

	speller *speller
}

// Connect opens one connection.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, fault(err)
	}
	plain, is := opened.(*stdlib.Conn)
	if !is {
		return nil, errors.Join(fmt.Errorf("the driver's connection is a %T", opened), opened.Close())
	}
	return &conn{plain, c.speller}, nil
}

// conn is a connection of the driver.
type conn struct {
	*stdlib.Conn

	speller *speller
}

// PrepareContext prepares a statement.
func (c *conn) PrepareContext(ctx context.Context, query string) (sqldriver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, c.speller.spell(query))
	return s, fault(err)
}

// BeginTx begins a transaction.
func (c *conn) BeginTx(ctx context.Context, options sqldriver.TxOptions) (sqldriver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, options)
	if err != nil {
		return nil, fault(c.elsewhere(ctx, err))
	}
	return faultTx{tx}, nil
}

// elsewhere has database/sql try again on another connection what this one, which has ended, cannot have changed anything by.
func (c *conn) elsewhere(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && c.Conn.Conn().IsClosed() {
		return sqldriver.ErrBadConn
	}
	return err
}

// ExecContext runs a statement that returns no rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	result, err := c.Conn.ExecContext(ctx, c.speller.spell(query), storable(query, args))
	return result, fault(err)
}

// QueryContext runs a statement that returns rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	alone := c.Conn.Conn().PgConn().TxStatus() == 'I'
	rows, err := c.Conn.QueryContext(ctx, c.speller.spell(query), storable(query, args))
	if alone && strings.HasPrefix(query, "SELECT ") {
		err = c.elsewhere(ctx, err)
	}
	if err != nil {
		return nil, fault(err)
	}
	return faultRows{rows}, nil
}

// storable makes values of the ledger's statements such as PostgreSQL takes. No text may have zeros or bytes that are no UTF-8,
// and what a receiver has answered may have both. Yes and no are numbers, as in SQLite.
func storable(query string, args []sqldriver.NamedValue) []sqldriver.NamedValue {
	if isSpelled(query) {
		return args
	}
	for i := range args {
		switch value := args[i].Value.(type) {
		case string:
			args[i].Value = storableText(value)
		case bool:
			args[i].Value = 0
			if value {
				args[i].Value = 1
			}
		}
	}
	return args
}

// storableText is a text as PostgreSQL takes it.
func storableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// faultTx marks the faults of a transaction's end.
type faultTx struct{ sqldriver.Tx }

// Commit commits.
func (t faultTx) Commit() error { return fault(t.Tx.Commit()) }

// Rollback rolls back.
func (t faultTx) Rollback() error { return fault(t.Tx.Rollback()) }

// faultRows marks the faults of reading.
type faultRows struct{ sqldriver.Rows }

// Next reads a row.
func (r faultRows) Next(values []sqldriver.Value) error {
	err := r.Rows.Next(values)
	if err == io.EOF { //nolint:errorlint // database/sql compares it itself
		return err
	}
	return fault(err)
}

// Close ends the reading. What the server says after the row that was asked for comes here.
func (r faultRows) Close() error { return fault(r.Rows.Close()) }
