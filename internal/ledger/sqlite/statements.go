package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// keptStatements is how many prepared statements a connection keeps. Statements whose text grows with the number of their
// rows come in many lengths; beyond this number the connection starts again.
const keptStatements = 256

// keeping opens connections that keep their statements prepared. database/sql prepares every query anew, and reading
// River's SQL took a third of the service's own processor time for a capture.
type keeping struct{ sqldriver.Connector }

// Connect opens one connection.
func (k keeping) Connect(ctx context.Context) (sqldriver.Conn, error) {
	opened, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, fault(err)
	}
	conn, is := opened.(plainConn)
	if !is {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", opened), opened.Close())
	}
	return &keepingConn{plainConn: conn, idle: map[string]sqldriver.Stmt{}}, nil
}

// plainConn is a connection of the driver without its own ways to run a query.
type plainConn interface {
	sqldriver.Conn
	sqldriver.ConnBeginTx
	sqldriver.ConnPrepareContext
	pooled
}

// pooled is what database/sql asks of a connection between two uses.
type pooled interface {
	sqldriver.Pinger
	sqldriver.SessionResetter
	sqldriver.Validator
}

// keepingConn runs queries by statements that it keeps. database/sql uses a connection from one goroutine at a time.
type keepingConn struct {
	plainConn

	idle map[string]sqldriver.Stmt // by their text; one that is in use is not among them
}

// BeginTx begins a transaction.
func (c *keepingConn) BeginTx(ctx context.Context, options sqldriver.TxOptions) (sqldriver.Tx, error) {
	tx, err := c.plainConn.BeginTx(ctx, options)
	if err != nil {
		return nil, fault(err)
	}
	return faultTx{tx}, nil
}

// ExecContext runs a statement that returns no rows.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	run, is := s.(sqldriver.StmtExecContext)
	if !is {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", s), s.Close())
	}
	result, err := run.ExecContext(ctx, args)
	if err != nil {
		return nil, dropped(err, s)
	}
	return result, c.giveBack(query, s)
}

// QueryContext runs a statement that returns rows. The statement is in use until the rows are closed.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	run, is := s.(sqldriver.StmtQueryContext)
	if !is {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", s), s.Close())
	}
	rows, err := run.QueryContext(ctx, args)
	if err != nil {
		return nil, dropped(err, s)
	}
	return &keptRows{Rows: rows, done: func() error { return c.giveBack(query, s) }}, nil
}

// Close ends the statements with the connection.
func (c *keepingConn) Close() error {
	return errors.Join(c.drop(), c.plainConn.Close())
}

func (c *keepingConn) take(ctx context.Context, query string) (sqldriver.Stmt, error) {
	if s, kept := c.idle[query]; kept {
		delete(c.idle, query)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	return s, fault(err)
}

// dropped closes a statement that has failed. SQLite repeats the statement's error when it is closed.
func dropped(err error, s sqldriver.Stmt) error { return fault(errors.Join(err, s.Close())) }

func (c *keepingConn) giveBack(query string, s sqldriver.Stmt) error {
	if _, another := c.idle[query]; another {
		return s.Close()
	}
	var err error
	if len(c.idle) >= keptStatements {
		err = c.drop()
	}
	c.idle[query] = s
	return err
}

func (c *keepingConn) drop() error {
	var faults []error
	for _, s := range c.idle {
		faults = append(faults, s.Close())
	}
	clear(c.idle)
	return errors.Join(faults...)
}

// keptRows gives their statement back when they are closed.
type keptRows struct {
	sqldriver.Rows

	done func() error
}

// Next reads a row.
func (r *keptRows) Next(values []sqldriver.Value) error {
	err := r.Rows.Next(values)
	if err == io.EOF { //nolint:errorlint // database/sql compares it itself
		return err
	}
	return fault(err)
}

// Close ends the rows; the driver resets their statement.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if done := r.done; done != nil {
		r.done = nil
		err = errors.Join(err, done())
	}
	return fault(err)
}
