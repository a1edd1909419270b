package keeper_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/folder"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/records"
	"github.com/savepage/savepage/internal/ledger/sqlite"
	"github.com/savepage/savepage/internal/s3server"
)

// Environment of a child that moves: the data folder, the new database, the new store, and at which step it kills itself.
const (
	envMove   = "SAVEPAGE_TEST_MOVE_DIR"
	envTo     = "SAVEPAGE_TEST_MOVE_TO"
	envInto   = "SAVEPAGE_TEST_MOVE_INTO"
	envKilled = "SAVEPAGE_TEST_MOVE_KILLED"
)

func TestMain(m *testing.M) {
	if os.Getenv(envMove) != "" {
		os.Exit(moveChild())
	}
	os.Exit(m.Run())
}

// fuse kills the process at a step.
type fuse struct{ left atomic.Int64 }

func (f *fuse) burn() {
	if f.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// fused is a database that is filled until the fuse has burnt down.
type fused struct {
	ledger.Mover
	fuse *fuse
}

func (f fused) Receive(ctx context.Context, identity string, log *slog.Logger) (ledger.Arrival, error) {
	f.fuse.burn()
	to, err := f.Mover.Receive(ctx, identity, log)
	f.fuse.burn()
	return fusedArrival{to, f.fuse}, err
}

type fusedArrival struct {
	ledger.Arrival
	fuse *fuse
}

func (f fusedArrival) Put(ctx context.Context, to ledger.Table, rows []ledger.Row) error {
	f.fuse.burn()
	defer f.fuse.burn()
	return f.Arrival.Put(ctx, to, rows)
}

func (f fusedArrival) Finish(ctx context.Context) (int, error) {
	f.fuse.burn()
	defer f.fuse.burn()
	return f.Arrival.Finish(ctx)
}

// fusedStore is a store of pictures that is filled so.
type fusedStore struct {
	blob.Store
	fuse *fuse
}

func (f fusedStore) Put(ctx context.Context, key string, from io.Reader) error {
	defer f.fuse.burn()
	return f.Store.Put(ctx, key, io.MultiReader(from, burning{f.fuse}))
}

// burning is the end of a picture.
type burning struct{ fuse *fuse }

func (b burning) Read([]byte) (int, error) { b.fuse.burn(); return 0, io.EOF }

// moveChild moves, and writes what it has found to standard output.
func moveChild() int {
	ctx, f := context.Background(), &fuse{}
	steps, _ := strconv.ParseInt(os.Getenv(envKilled), 10, 64)
	f.left.Store(steps)
	moved, err := moveTo(ctx, os.Getenv(envMove), os.Getenv(envTo), os.Getenv(envInto), f)
	if errors.Is(err, ledger.ErrMoved) { // killed at the very end before
		moved.Identity, err = "done", nil
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(moved)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// moveTo moves the installation of a data folder.
func moveTo(ctx context.Context, dir, to, into string, f *fuse) (moved keeper.Moved, err error) {
	leaving, err := sqlite.At(dir).Leave(ctx, discard())
	if err != nil {
		return moved, err
	}
	defer func() { err = errors.Join(err, leaving.Close()) }()
	m := &keeper.Move{Records: leaving, Log: discard(), To: fused{postgres.At(to), f}, Name: "the new one"}
	if into != "" {
		from, err := folder.Open(dir + "/pictures")
		if err != nil {
			return moved, err
		}
		store, err := stores.Open(ctx, into)
		if err != nil {
			return moved, errors.Join(err, from.Close())
		}
		defer func() { _ = errors.Join(store.Close(), from.Close()) }()
		m.Pictures, m.Into = from, fusedStore{store, f}
	}
	return m.Run(ctx)
}

// harbor is where installations are moved to.
type harbor struct {
	t       *testing.T
	server  *pgtest.Server
	buckets *s3server.Server
	made    int
}

func newHarbor(t *testing.T) *harbor {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	h := &harbor{t: t}
	var err error
	h.server, err = pgtest.Start(t.Context())
	check(t, err)
	t.Cleanup(func() { check(t, h.server.Stop()) })
	h.buckets, err = s3server.Start(t.Context(), t.TempDir())
	check(t, err)
	t.Cleanup(func() { check(t, h.buckets.Stop()) })
	return h
}

// fresh makes an empty database and an empty place in a bucket.
func (h *harbor) fresh() (database, store string) {
	h.t.Helper()
	h.made++
	name := fmt.Sprintf("place%d", h.made)
	check(h.t, h.server.Create(h.t.Context(), name, ""))
	store, err := h.buckets.Bucket("pictures", name)
	check(h.t, err)
	return h.server.Address(name), store
}

func vault(t *testing.T) ledger.Vault {
	t.Helper()
	v, err := ledger.NewVault(bytes.Repeat([]byte("k"), 32))
	check(t, err)
	return v
}

// installation is a data folder with every kind of row, whose server was stopped.
func installation(t *testing.T) (dir string) {
	t.Helper()
	dir = newDatabase(t)
	l, err := sqlite.At(dir).Open(t.Context(), ledger.Config{Workers: 2, Vault: vault(t)}, discard())
	check(t, err)
	store, err := folder.Open(dir + "/pictures")
	check(t, err)
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	p := &place{t: t, dir: dir, records: l, store: store, account: issued.Account}
	check(t, p.claim())
	p.captures(24)
	p.owe(savepage.Pending)
	p.owe(savepage.Dead)
	p.more()
	check(t, errors.Join(l.Close(), store.Close()))

	db, err := sql.Open("sqlite", dir+"/savepage.db")
	check(t, err)
	// What hours and texts a receiver may leave behind, and a capture that was rendered when the server was killed.
	for _, statement := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)
			INSERT INTO hours (account, hour, success) SELECT 'acc_' || (i % 7), i, i FROM n`,
		`INSERT INTO render_times (account, hour, ms, n) VALUES ('a', 1, 2, 3)`,
		`UPDATE attempts SET answer = 'a' || char(0) || 'b' || CAST(x'ff' AS TEXT) WHERE number = 1`,
		`UPDATE captures SET state = 'running', attempt = 1, node = 'node_gone' WHERE id = (SELECT min(id) FROM captures WHERE state = 'queued')`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		check(t, err)
	}
	check(t, db.Close())
	return dir
}

// owe has one capture end and owe a callback, which is refused once and left in a state.
func (p *place) owe(state savepage.DeliveryState) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.t.Context())
	worked, tried := make(chan error, 1), make(chan struct{}, 1)
	go func() {
		worked <- p.records.Work(ctx, ledger.Handlers{
			Render: func(ctx context.Context, c capture.Claim) error {
				now := time.Now()
				return p.records.Finish(ctx, c, capture.Outcome{State: savepage.Failed, FinishedAt: now, Deliveries: []savepage.Delivery{{
					ID: capture.NewID("msg_", now), CaptureID: c.Capture.ID, Account: c.Capture.Account, URL: "http://" + string(state) + ".test/",
					Body: []byte{'{', 0, 0xff}, State: savepage.Pending, CreatedAt: now,
				}}})
			},
			Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
				defer func() { tried <- struct{}{} }()
				return savepage.Verdict{State: state, NextAt: time.Now().Add(time.Hour), Attempt: savepage.Attempt{
					At: time.Now(), Outcome: savepage.AttemptRefused, Status: 500, Answer: "no",
				}}
			},
		})
	}()
	sub := p.submission()
	sub.Capture.Options.CallbackSecret = "whsec_" + strings.Repeat("A", 32)
	sub.IdempotencyKey, sub.Fingerprint = "order "+string(state), "f"
	_, err := p.records.Accept(p.t.Context(), sub)
	check(p.t, err)
	<-tried
	stop()
	check(p.t, <-worked)
}

// more records the rest: what waits, a batch, an inbox, secrets, a receiver whose breaker is open.
func (p *place) more() {
	p.t.Helper()
	ctx := p.t.Context()
	for range 3 {
		_, err := p.records.Accept(ctx, p.submission())
		check(p.t, err)
	}
	late := p.submission()
	_, err := p.records.Accept(ctx, late)
	check(p.t, err)
	batch := capture.BatchSubmission{Batch: savepage.Batch{ID: capture.NewID("bat_", time.Now()), Account: p.account, CreatedAt: time.Now()}}
	for range 2 {
		one := p.submission()
		one.Capture.BatchID = batch.Batch.ID
		batch.Captures = append(batch.Captures, one)
	}
	_, err = p.records.AcceptBatch(ctx, batch)
	check(p.t, err)
	_, err = p.records.RotateSecret(ctx, p.account, 24*time.Hour)
	check(p.t, err)
	_, err = p.records.Admin().CreateAccount(ctx, savepage.AccountTerms{}, savepage.KeyTerms{Name: "two"})
	check(p.t, err)
	_, err = p.records.CreateLinkSecret(ctx, p.account)
	check(p.t, err)
	_, _, err = p.records.KeepStore(ctx, p.account, savepage.Store{
		Name: "archive", Endpoint: "https://s3.example.com", Bucket: "b", Region: "us-east-1",
		Keys: savepage.StoreKeys{AccessKeyID: "id", SecretAccessKey: "secret"},
	})
	check(p.t, err)
	check(p.t, p.records.AnswerInbox(ctx, p.account, savepage.InboxOK))
	_, err = p.records.Receive(ctx, savepage.InboxEvent{
		ID: capture.NewID("evt_", time.Now()), Account: p.account, ReceivedAt: time.Now(), Answer: savepage.InboxOK, Body: "{\"a\":\"\u0000\"}",
	})
	check(p.t, err)
	db, err := sql.Open("sqlite", p.dir+"/savepage.db?_pragma=busy_timeout(10000)")
	check(p.t, err)
	const open = `INSERT INTO receivers (account, receiver, failures, opened_at, probe_at, wait_us) VALUES (?, 'a.test', 5, 1, 2, 3)`
	_, err = db.ExecContext(ctx, open, p.account)
	check(p.t, errors.Join(err, db.Close()))
}

// dump is the rows of the tables that are carried, as the database itself tells them.
func dump(t *testing.T, driver, address string) map[string][]string {
	t.Helper()
	db, err := sql.Open(driver, address)
	check(t, err)
	defer func() { check(t, db.Close()) }()
	all := map[string][]string{}
	for _, table := range records.Carried() {
		all[table.Name] = dumped(t, db, table.Name)
	}
	return all
}

func dumped(t *testing.T, db *sql.DB, table string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
	check(t, err)
	defer func() { check(t, rows.Close()) }()
	columns, err := rows.Columns()
	check(t, err)
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		check(t, rows.Scan(into...))
		fields := make([]string, len(columns))
		for i, value := range values {
			if text, is := value.(string); is {
				value = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
			}
			fields[i] = fmt.Sprintf("%s=%T %v", columns[i], value, value)
		}
		slices.Sort(fields)
		list = append(list, strings.Join(fields, " "))
	}
	check(t, rows.Err())
	slices.Sort(list)
	return list
}

// wantMoved compares both sides, row by row and byte by byte.
func (h *harbor) wantMoved(dir, database, store string) {
	h.t.Helper()
	want, got := dump(h.t, "sqlite", dir+"/savepage.db"), dump(h.t, "pgx", database)
	for _, table := range records.Carried() {
		if len(want[table.Name]) == 0 {
			h.t.Errorf("the installation has nothing in %s", table.Name)
		}
	}
	// Whoever has the old side open, as a move that begins again, notes the time there now and then.
	if was, is := seenAt(want), seenAt(got); is == 0 || is > was {
		h.t.Errorf("seen at %d, then at %d", was, is)
	}
	want["seen"], got["seen"] = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("before -, after +\n%.4000s", diff)
	}
	if store != "" {
		if diff := cmp.Diff(content(h.t, dir+"/pictures"), content(h.t, store)); diff != "" {
			h.t.Errorf("pictures: before -, after +\n%s", diff)
		}
	}
}

// seenAt is the time that a side has noted last; 0 without one.
func seenAt(side map[string][]string) (at int64) {
	for _, row := range side["seen"] {
		_, _ = fmt.Sscanf(row, "at=int64 %d", &at)
	}
	return at
}

// content is all that a store has.
func content(t *testing.T, setting string) map[string]string {
	t.Helper()
	store, err := stores.Open(t.Context(), setting)
	check(t, err)
	defer func() { check(t, store.Close()) }()
	all := map[string]string{}
	for key, err := range store.Keys(t.Context(), time.Now().Add(time.Hour)) {
		check(t, err)
		file, err := store.Open(t.Context(), key)
		check(t, err)
		text, err := io.ReadAll(file)
		check(t, errors.Join(err, file.Close()))
		all[key] = string(text)
	}
	return all
}

// TestMove kills a move again and again, and starts it again, until it is done. Then everything is on the new side, once, and goes on
// there, and the old side serves nobody.
func TestMove(t *testing.T) {
	h := newHarbor(t)
	dir := installation(t)
	database, store := h.fresh()
	kills, moved := 0, keeper.Moved{}
	for moved.Identity == "" {
		out, killed := moveKilled(t, dir, database, store, 4+4*kills+rand.IntN(5))
		if !killed {
			check(t, json.Unmarshal(out, &moved))
			break
		}
		kills++
		if _, err := postgres.At(database).Open(t.Context(), ledger.Config{}, discard()); kills < 3 &&
			(err == nil || !strings.Contains(err.Error(), "savepage migrate")) {
			t.Fatalf("a server starts with half of it: %v", err)
		}
	}
	if kills < 5 {
		t.Errorf("only %d kills", kills)
	}
	if moved.Identity != "done" && (moved.Pictures != 24 || moved.Waiting != 6 || moved.Altered != 2 || len(moved.Missing) != 0 ||
		!moved.MasterKey) {
		t.Errorf("after %d kills: %+v", kills, moved)
	}
	h.wantMoved(dir, database, store)
	if _, err := moveTo(t.Context(), dir, database, store, &fuse{}); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("moved again: %v", err)
	}
	_, err := sqlite.At(dir).Open(t.Context(), ledger.Config{Vault: vault(t)}, discard())
	if err == nil || !strings.Contains(err.Error(), "moved") {
		t.Errorf("a server starts with the old records: %v", err)
	}
	goesOn(t, database)
}

// moveKilled moves in a process that kills itself, and reports whether it did so before it was done.
func moveKilled(t *testing.T, dir, database, store string, steps int) (out []byte, killed bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), envMove+"="+dir, envTo+"="+database, envInto+"="+store, envKilled+"="+strconv.Itoa(steps))
	var faults strings.Builder
	child.Stderr = &faults
	out, err := child.Output()
	if err != nil && child.ProcessState.Exited() {
		t.Fatalf("the move failed: %v\n%s", err, faults.String())
	}
	return out, err != nil
}

// goesOn has a server begin with the new database: what waits is rendered, what is owed is sent.
func goesOn(t *testing.T, database string) {
	t.Helper()
	l, err := postgres.At(database).Open(t.Context(), ledger.Config{Workers: 2, Vault: vault(t)}, discard())
	check(t, err)
	ctx, stop := context.WithCancel(t.Context())
	worked, rendered, sent := make(chan error, 1), make(chan string, 100), make(chan savepage.Delivery, 100)
	go func() {
		worked <- l.Work(ctx, ledger.Handlers{
			Render: func(ctx context.Context, c capture.Claim) error {
				err := l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
				rendered <- c.Capture.ID
				return err
			},
			Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
				sent <- d
				return savepage.Verdict{State: savepage.Delivered, Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered}}
			},
		})
	}()
	seen := map[string]bool{}
	for late := time.After(patience); len(seen) < 6; {
		select {
		case id := <-rendered:
			if seen[id] {
				t.Errorf("%s was rendered twice", id)
			}
			seen[id] = true
		case <-late:
			t.Fatalf("%d captures of 6 were rendered", len(seen))
		}
	}
	list, _, err := l.ListDeliveries(t.Context(), first(t, database), capture.DeliveryFilter{State: savepage.Pending})
	check(t, err)
	if len(list) != 1 || len(list[0].Attempts) != 1 {
		t.Fatalf("pending: %+v", list)
	}
	_, err = l.Redeliver(t.Context(), list[0].Account, list[0].ID)
	check(t, err)
	if d := <-sent; d.ID != list[0].ID || !bytes.Equal(d.Body, []byte{'{', 0, 0xff}) {
		t.Errorf("sent %+v", d)
	}
	stop()
	check(t, errors.Join(<-worked, l.Close()))
}

// first is the account of the pending delivery.
func first(t *testing.T, database string) (account string) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	check(t, err)
	err = db.QueryRowContext(t.Context(), `SELECT account FROM deliveries WHERE state = 'pending'`).Scan(&account)
	check(t, errors.Join(err, db.Close()))
	return account
}

// TestMoveOfWhatHasChanged starts the old server again after a move that was killed: the next move carries what it did since.
func TestMoveOfWhatHasChanged(t *testing.T) {
	h := newHarbor(t)
	dir := installation(t)
	database, store := h.fresh()
	if _, killed := moveKilled(t, dir, database, store, 70); !killed {
		t.Fatal("the move was not killed")
	}
	l, err := sqlite.At(dir).Open(t.Context(), ledger.Config{Workers: 1, Vault: vault(t)}, discard())
	check(t, err)
	files, err := folder.Open(dir + "/pictures")
	check(t, err)
	p := &place{t: t, dir: dir, records: l, store: files}
	account := accountOf(t, dir)
	page, _, err := l.List(t.Context(), account, capture.Filter{States: []savepage.State{savepage.Success}, Limit: 5})
	check(t, err)
	for _, c := range page {
		name, err := l.Forget(t.Context(), account, c.ID)
		check(t, errors.Join(err, files.Delete(t.Context(), name)))
	}
	p.account = account
	p.captures(3)
	if _, err := moveTo(t.Context(), dir, database, store, &fuse{}); !errors.Is(err, ledger.ErrServed) {
		t.Errorf("moved under a running server: %v", err)
	}
	check(t, errors.Join(l.Close(), files.Close()))
	_, err = moveTo(t.Context(), dir, database, store, &fuse{})
	check(t, err)
	h.wantMoved(dir, database, store)
}

// accountOf is the account of the captures.
func accountOf(t *testing.T, dir string) (account string) {
	t.Helper()
	db, err := sql.Open("sqlite", dir+"/savepage.db?_pragma=busy_timeout(10000)")
	check(t, err)
	err = db.QueryRowContext(t.Context(), `SELECT account FROM captures LIMIT 1`).Scan(&account)
	check(t, errors.Join(err, db.Close()))
	return account
}

// TestMoveToAnothersPlace is refused, and changes nothing there.
func TestMoveToAnothersPlace(t *testing.T) {
	h := newHarbor(t)
	dir, other := installation(t), installation(t)
	database, store := h.fresh()
	_, err := moveTo(t.Context(), other, database, store, &fuse{})
	check(t, err)
	empty, vacant := h.fresh()
	before := dump(t, "pgx", database)
	for _, to := range [][2]string{{database, vacant}, {empty, store}} {
		if _, err := moveTo(t.Context(), dir, to[0], to[1], &fuse{}); err == nil || !strings.Contains(err.Error(), "name an empty") {
			t.Errorf("moved into another's place: %v", err)
		}
	}
	if diff := cmp.Diff(before, dump(t, "pgx", database)); diff != "" {
		t.Errorf("the other one has changed: %s", diff)
	}
}

// TestEveryTableIsCarriedOrNot looks at the tables that there are.
func TestEveryTableIsCarriedOrNot(t *testing.T) {
	known := map[string]bool{"nodes": true, "notices": true, "hosts": true, "probes": true}
	for _, table := range records.Carried() {
		known[table.Name] = true
	}
	db, err := sql.Open("sqlite", newDatabase(t)+"/savepage.db")
	check(t, err)
	defer func() { check(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'river%'
		AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`)
	check(t, err)
	defer func() { check(t, rows.Close()) }()
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		if !known[name] {
			t.Errorf("is the table %s carried when records move? Say so in records.Carried and here", name)
		}
	}
	check(t, rows.Err())
}
