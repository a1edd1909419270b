package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// patience is how long a test waits for what must come.
const patience = 5 * time.Minute

func logger(tb testing.TB) *slog.Logger {
	tb.Helper()
	return slog.New(slog.NewTextHandler(tb.Output(), nil))
}

func open(tb testing.TB, address string, cfg ledger.Config) ledger.Store {
	tb.Helper()
	l, err := postgres.At(address).Open(context.WithoutCancel(tb.Context()), cfg, logger(tb))
	check(tb, err)
	tb.Cleanup(func() { check(tb, l.Close()) })
	return l
}

func submission(account string) capture.Submission {
	now := time.Now()
	return capture.Submission{Capture: savepage.Capture{
		ID: capture.NewID("cap_", now), Account: account, State: savepage.Queued, CreatedAt: now,
		Options: savepage.Options{URL: "https://example.com/"}.WithDefaults(),
	}}
}

func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("has not happened: %s", what)
		}
	}
}

// own starts a server that the test may crash, with one database, and returns its address.
func own(t *testing.T) (*pgtest.Server, string) {
	t.Helper()
	s, err := pgtest.Start(t.Context())
	check(t, err)
	t.Cleanup(func() { check(t, s.Stop()) })
	check(t, s.Create(t.Context(), "own", ""))
	return s, s.Address("own")
}

// TestCrash ends the server of the database while captures are accepted: each that was acknowledged is there afterwards, and
// the ledger works on.
func TestCrash(t *testing.T) {
	t.Parallel()
	s, address := own(t)
	l := open(t, address, ledger.Config{})
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	var (
		mu    sync.Mutex
		acked []string
		group sync.WaitGroup
		stop  atomic.Bool
	)
	for range 8 {
		group.Go(func() {
			for !stop.Load() {
				a, err := l.Accept(t.Context(), submission(issued.Account))
				if _, is := health.Find(err); err != nil && !is {
					t.Errorf("no fault of the database: %v", err)
				}
				if err == nil {
					mu.Lock()
					acked = append(acked, a.Capture.ID)
					mu.Unlock()
				}
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acked) }
	eventually(t, "some are accepted", func() bool { return count() > 50 })
	check(t, s.Crash(t.Context()))
	if err := l.Ready(t.Context()); err == nil {
		t.Error("ready without a database")
	}
	check(t, s.Serve(t.Context()))
	before := count()
	eventually(t, "some are accepted again", func() bool { return count() > before+50 })
	stop.Store(true)
	group.Wait()
	for _, id := range acked {
		if _, err := l.Get(t.Context(), issued.Account, id); err != nil {
			t.Fatalf("%s was acknowledged: %v", id, err)
		}
	}
	usage, err := l.Usage(t.Context(), issued.Account)
	check(t, err)
	if usage.Pending.Used < len(acked) {
		t.Errorf("%d captures wait, %d were acknowledged", usage.Pending.Used, len(acked))
	}
}

// TestAnswerToACommitIsLost cuts the connection between a commit and its answer: the capture is accepted all the same, once.
func TestAnswerToACommitIsLost(t *testing.T) {
	t.Parallel()
	address := server.fresh(t)
	cut := newCut(t, server.server.Socket())
	l := open(t, cut.address(address), ledger.Config{})
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	cut.armed.Store(true)
	sub := submission(issued.Account)
	_, err = l.Accept(t.Context(), sub)
	check(t, err)
	if cut.armed.Load() {
		t.Error("no commit was cut off")
	}
	if _, err := l.Get(t.Context(), issued.Account, sub.Capture.ID); err != nil {
		t.Error(err)
	}
}

// cut passes connections on to a server. Armed, it passes the next commit on and ends the connection.
type cut struct {
	listener net.Listener
	armed    atomic.Bool
}

func newCut(t *testing.T, socket string) *cut {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	c := &cut{listener: listener}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.pass(from, socket) })
		}
	})
	t.Cleanup(func() {
		check(t, listener.Close())
		group.Wait()
	})
	return c
}

func (c *cut) address(of string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(of, "postgres://savepage@/"), "?")
	return "postgres://savepage@" + c.listener.Addr().String() + "/" + name + "?sslmode=disable"
}

func (c *cut) pass(from net.Conn, socket string) {
	to, err := net.Dial("unix", socket)
	if err != nil {
		_ = from.Close()
		return
	}
	var group sync.WaitGroup
	var lost atomic.Bool
	group.Go(func() {
		defer to.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if strings.Contains(string(buffer[:n]), "commit\x00") && c.armed.CompareAndSwap(true, false) {
				lost.Store(true)
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	group.Go(func() {
		defer from.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := to.Read(buffer)
			if err != nil || lost.Load() {
				return
			}
			if _, err := from.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	group.Wait()
}

// TestTables holds the tables to those of SQLite: each column and each index is in both.
func TestTables(t *testing.T) {
	t.Parallel()
	const ofPostgres = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'
			AND table_name NOT LIKE 'river%' AND table_name NOT LIKE 'goose%'
		UNION ALL SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%' AND indexname NOT LIKE '%_pkey'
			AND (tablename NOT LIKE 'river%' OR indexname LIKE 'savepage%')`
	const ofSQLite = `SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'
			AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'
		UNION ALL SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'
			AND (tbl_name NOT LIKE 'river%' OR name LIKE 'savepage%')`
	dir := t.TempDir()
	check(t, sqlite.At(dir).Migrate(t.Context(), logger(t)))
	files, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "savepage.db"))
	check(t, err)
	t.Cleanup(func() { check(t, files.Close()) })
	want := names(t, files, ofSQLite)
	want["writer.nodes"], want["marks.node"], want["marks.mark"], want["writer.oldest"] = true, true, true, true
	if diff := cmp.Diff(want, names(t, raw(t, server.fresh(t)), ofPostgres)); diff != "" {
		t.Errorf("SQLite -, PostgreSQL +\n%s", diff)
	}
}

func names(t *testing.T, db *sql.DB, query string) map[string]bool {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	check(t, err)
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		found[name] = true
	}
	check(t, rows.Err())
	return found
}

// TestTextsThatPostgreSQLDoesNotTake has a receiver answer with bytes that are no text, and a page with a zero in its document.
func TestTextsThatPostgreSQLDoesNotTake(t *testing.T) {
	t.Parallel()
	l := open(t, server.fresh(t), ledger.Config{})
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	sub := submission(issued.Account)
	sub.Capture.Options = savepage.Options{HTML: "a\x00b\\u0000", CSS: "p{}"}.WithDefaults()
	_, err = l.Accept(t.Context(), sub)
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- l.Work(ctx, ledger.Handlers{
			Render: func(ctx context.Context, c capture.Claim) error {
				now := time.Now()
				return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: now, Deliveries: []savepage.Delivery{{
					ID: capture.NewID("msg_", now), CaptureID: c.Capture.ID, Account: c.Capture.Account, URL: "https://a.test/",
					Body: []byte{'{', 0, 0xff}, State: savepage.Pending, CreatedAt: now,
				}}})
			},
			Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
				return savepage.Verdict{State: savepage.Delivered, Attempt: savepage.Attempt{
					At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200, Answer: "a\x00b\xffc",
				}}
			},
		})
	}()
	var list []savepage.Delivery
	eventually(t, "the delivery", func() bool {
		list, err = l.Deliveries(t.Context(), issued.Account, sub.Capture.ID)
		return err != nil || len(list) == 1 && list[0].State == savepage.Delivered
	})
	check(t, err)
	cancel()
	check(t, <-done)
	if got := list[0]; string(got.Body) != "{\x00\xff" || got.Attempts[0].Answer != "a\uFFFDb\uFFFDc" {
		t.Errorf("body %q, answer %q", got.Body, got.Attempts[0].Answer)
	}
	got, err := l.Get(t.Context(), issued.Account, sub.Capture.ID)
	if err != nil || got.Options.HTML != sub.Capture.Options.HTML {
		t.Errorf("%v, html %q", err, got.Options.HTML)
	}
	page, _, err := l.List(t.Context(), issued.Account, capture.Filter{})
	if err != nil || len(page) != 1 || page[0].Options.HTML != "" || page[0].Options.CSS != "p{}" {
		t.Errorf("%v, listed %+v", err, page)
	}
}

// TestPooler opens a database by way of pools: one that keeps sessions is as good as the server, also after it was killed, and one
// that does not is refused with what to set.
func TestPooler(t *testing.T) {
	t.Parallel()
	address := server.fresh(t)
	name, _, _ := strings.Cut(strings.TrimPrefix(address, "postgres://savepage@/"), "?")
	for _, mode := range []string{"session", "transaction"} {
		p, err := server.server.Pool(t.Context(), mode)
		check(t, err)
		t.Cleanup(func() { check(t, p.Stop()) })
		if mode == "transaction" {
			for range 5 {
				_, err := postgres.At(p.Address(name)).Open(t.Context(), ledger.Config{}, logger(t))
				if err == nil || !strings.Contains(err.Error(), "pool_mode = session") {
					t.Errorf("opened by way of a pool of transactions: %v", err)
				}
			}
			if seen := postgres.At(p.Address(name)).Inspect(t.Context()); !strings.Contains(seen.Fix, "session mode") {
				t.Errorf("%+v", seen)
			}
			continue
		}
		l, err := postgres.At(p.Address(name)).Open(t.Context(), ledger.Config{}, logger(t))
		check(t, err)
		issued, _, err := l.Bootstrap(t.Context())
		check(t, err)
		_, err = l.Accept(t.Context(), submission(issued.Account))
		check(t, errors.Join(err, p.Kill()))
		for err = errors.New("not tried"); err != nil; {
			_, err = l.Accept(t.Context(), submission(issued.Account))
			check(t, t.Context().Err())
		}
		check(t, l.Close())
	}
}

// TestCommitsAreOnDisk looks at the connections to a database that answers commits earlier.
func TestCommitsAreOnDisk(t *testing.T) {
	t.Parallel()
	db, err := postgres.At(server.fresh(t)).Connect(t.Context())
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	for name, want := range map[string]string{
		"synchronous_commit": "on", "transaction_isolation": "read committed", "timezone": "UTC", "datestyle": "ISO, DMY",
	} {
		var got string
		check(t, db.QueryRowContext(t.Context(), `SHOW `+name).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// TestSettings reads addresses. No error and no name tells a password.
func TestSettings(t *testing.T) {
	t.Parallel()
	engine := postgres.Engine()
	for setting, want := range map[string]bool{
		"postgres://u:hunter2@h/db": true, "postgresql://h/db": true, "sqlite": false, "": false, "mysql://h/db": false,
	} {
		if engine.Takes(setting) != want {
			t.Errorf("takes %s: %t", setting, !want)
		}
	}
	for _, wrong := range []string{"postgres://u:hunter2@h:port/db", "postgres://u:hunter2@127.0.0.1:1/db?connect_timeout=2"} {
		db := engine.At(wrong, "")
		_, err := db.Open(t.Context(), ledger.Config{}, logger(t))
		_, err2 := db.OpenKeys(t.Context(), ledger.Vault{}, clock.System())
		seen := db.Inspect(t.Context())
		for _, text := range []string{db.String(), err.Error(), err2.Error(), seen.Found} {
			if strings.Contains(text, "hunter2") || text == "" {
				t.Errorf("%q", text)
			}
		}
		if seen.Exists || seen.Fix == "" {
			t.Errorf("%+v", seen)
		}
	}
	if seen := postgres.At(server.fresh(t)).Inspect(t.Context()); !seen.Exists || seen.Fix != "" {
		t.Errorf("%+v", seen)
	}
	if seen := postgres.At(server.server.Address("none")).Inspect(t.Context()); !strings.Contains(seen.Fix, "createdb") {
		t.Errorf("%+v", seen)
	}
	if err := postgres.At(server.fresh(t)).Restore(t.Context(), io.LimitReader(nil, 0)); !strings.Contains(err.Error(), "pg_restore") {
		t.Error(err)
	}
}

// A session that does nothing in a transaction is ended after five seconds, or after the time that the address names.
func TestIdleTransaction(t *testing.T) {
	for address, want := range map[string]string{
		strings.TrimSuffix(server.fresh(t), patient): "5s", server.fresh(t): "1min",
	} {
		db, err := postgres.At(address).Connect(t.Context())
		check(t, err)
		var is string
		check(t, db.QueryRowContext(t.Context(), `SHOW idle_in_transaction_session_timeout`).Scan(&is))
		if is != want {
			t.Errorf("%s: %s, want %s", address, is, want)
		}
		check(t, db.Close())
	}
}

// TestCutOffAfterARow reads the one row that a statement is asked for. The server ends before it says that the statement has.
func TestCutOffAfterARow(t *testing.T) {
	t.Parallel()
	db, err := postgres.At(server.fresh(t)).Connect(t.Context())
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	// The first rows are long, so that they come before the session ends.
	const ending = `SELECT repeat('x', 100000), CASE WHEN i = 20 THEN pg_terminate_backend(pg_backend_pid()) END FROM generate_series(1, 20) i`
	var text string
	var ended sql.NullBool
	err = db.QueryRowContext(t.Context(), ending).Scan(&text, &ended)
	if fault, is := health.Find(err); !is || fault.Part != health.Database {
		t.Errorf("%d bytes, then: %v", len(text), err)
	}
}
