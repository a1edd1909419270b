package postgres

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/savepage/savepage/internal/health"
)

// fault marks an error of the server, its disk or the way to it as one of the service's own part. An error of a statement
// stays as it is.
func fault(err error) error {
	of, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case answered && isFault(of.Code), !answered && cutOff(err):
		return health.Of(health.Database, err)
	default:
		return err
	}
}

// cutOff reports whether the way to the server is the cause.
func cutOff(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	_, system := errors.AsType[syscall.Errno](err)
	return connecting || network || system || pgconn.SafeToRetry(err) || errors.Is(err, sqldriver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// isFault judges an error code of the server by its class (postgresql.org/docs/15/errcodes-appendix.html).
func isFault(code string) bool {
	if len(code) != 5 {
		return true
	}
	switch code[:2] {
	case "08", // connection
		"25", // state of the transaction: a server that only reads
		"28", // who may connect
		"3D", // no such database
		"40", // rolled back: deadlock, conflict
		"53", // disk full, out of memory, too many connections
		"55", // locked
		"57", // the server is shut down or starts, or the statement was canceled
		"58", // input and output
		"F0", // its own files
		"XX": // internal, damage
		return true
	default:
		return false
	}
}
