package postgres

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sys/unix"
)

// How many connections a node has.
const (
	writers  = 4 // one for the ledger, the others for River's upkeep and for keys
	readers  = 6
	searches = 2
	watchers = 3 // for signs of life and what other nodes tell
)

// unanswered is how long the network may swallow what was sent before the connection counts as cut.
const unanswered = 20 * time.Second

// parse reads a setting. Its error tells nothing of the setting: there may be a password in it.
func parse(setting string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(setting)
	if err != nil {
		return nil, errors.New("it is no address of a PostgreSQL database: check its port, its options and the files that they name")
	}
	config.RuntimeParams["timezone"] = "UTC"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "savepage"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = unanswered // a server that takes a connection and says nothing keeps everybody waiting
	}
	dialer := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         giveUp,
	}
	config.DialFunc = dialer.DialContext
	return config, nil
}

// giveUp has the kernel end a connection whose other side has gone without a word.
func giveUp(network, _ string, raw syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	failed := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unanswered.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}

// settings are what the ledger relies on, whatever the database has been set to.
const settings = `SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
	SET datestyle = 'ISO';
	-- A client that has gone without a word holds its locks no longer than that, unless its address names another time.
	SELECT set_config('idle_in_transaction_session_timeout', '5s', false) FROM pg_settings
		WHERE name = 'idle_in_transaction_session_timeout' AND source <> 'client';
	SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET client_connection_check_interval = '5s';
	-- A commit is on disk when it is answered; more than that may be wanted.
	SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

// settle makes the settings of a connection.
func settle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, settings)
	return fault(err)
}

// pool opens connections that spell the ledger's statements.
func pool(config *pgx.ConnConfig, connections int) *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(settle)), newSpeller()})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}
