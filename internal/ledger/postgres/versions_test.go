package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/records"
)

// What a later version of the program has: one that only adds, and one after it that takes away.
const (
	adds = `ALTER TABLE captures ADD COLUMN note TEXT NOT NULL DEFAULT ''; ALTER TABLE nodes ADD COLUMN mood TEXT;
		CREATE TABLE moods (id TEXT PRIMARY KEY); CREATE INDEX captures_note ON captures (note);`
	takes = `ALTER TABLE captures RENAME COLUMN deaths TO ends;`
)

// TestNodesOfTwoVersions has a node of a later version begin beside one of this version, which goes on: each renders and sends what
// the other has accepted, and nodes of this version can still begin. One that would not go on with newer tables keeps them from being
// made, and is refused by them.
func TestNodesOfTwoVersions(t *testing.T) {
	t.Parallel()
	check(t, server.server.Create(t.Context(), "versions", ""))
	address := server.server.Address("versions")
	this, later := postgres.At(address), laterOne(t, address, map[string]string{"00098_adds.sql": adds}, 5)
	begin := func(d postgres.Database) ledger.Store {
		l, err := d.Open(t.Context(), ledger.Config{Workers: 1}, logger(t))
		check(t, err)
		return l
	}
	old := begin(this)
	issued, _, err := old.Bootstrap(t.Context())
	check(t, err)
	fresh, again := begin(later), begin(this)
	if list, err := old.Nodes(t.Context()); err != nil || len(list) != 3 {
		t.Errorf("%d nodes, %v", len(list), err)
	}
	for _, pair := range [][2]ledger.Store{{old, fresh}, {fresh, old}, {again, fresh}, {fresh, again}} {
		rendersFor(t, pair[0], pair[1], issued.Account)
	}
	keys, err := this.OpenKeys(t.Context(), ledger.Vault{}, clock.System())
	check(t, err)
	_, err = keys.Create(t.Context(), "", savepage.KeyTerms{})
	check(t, errors.Join(err, keys.Close()))
	if seen := this.Inspect(t.Context()); seen.Fix != "" {
		t.Errorf("%+v", seen)
	}

	stricter := laterOne(t, address, map[string]string{"00098_adds.sql": adds, "00099_takes.sql": takes}, 99)
	if _, err := stricter.Open(t.Context(), ledger.Config{}, logger(t)); !errors.Is(err, ledger.ErrServed) {
		t.Errorf("tables that the others do not work with: %v", err)
	}
	rendersFor(t, old, again, issued.Account)
	check(t, errors.Join(again.Close(), fresh.Close(), old.Close()))
	check(t, stricter.Migrate(t.Context(), logger(t)))
	if _, err := this.Open(t.Context(), ledger.Config{}, logger(t)); !errors.Is(err, records.ErrSchema) {
		t.Errorf("a node of before tables that it does not work with: %v", err)
	}
	if seen := this.Inspect(t.Context()); !strings.Contains(seen.Found, "version 99") || seen.Fix == "" {
		t.Errorf("%+v", seen)
	}
}

func laterOne(t *testing.T, address string, more map[string]string, oldest int64) postgres.Database {
	t.Helper()
	later, err := postgres.Later(address, more, oldest)
	check(t, err)
	return later
}

// rendersFor has one node accept a capture, and the other render it and send its callback.
func rendersFor(t *testing.T, accepts, works ledger.Store, account string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- works.Work(ctx, ledger.Handlers{
			Render: func(ctx context.Context, c capture.Claim) error {
				now := time.Now()
				return works.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: now, Deliveries: []savepage.Delivery{{
					ID: capture.NewID("msg_", now), CaptureID: c.Capture.ID, Account: account, URL: "https://a.test/", Body: []byte(`{}`),
					State: savepage.Pending, CreatedAt: now,
				}}})
			},
			Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
				return savepage.Verdict{State: savepage.Delivered, Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered}}
			},
		})
	}()
	sub := submission(account)
	_, err := accepts.Accept(t.Context(), sub)
	check(t, err)
	c, err := accepts.Await(t.Context(), sub.Capture.ID)
	if err != nil || c.State != savepage.Success {
		t.Errorf("%s: %v", c.State, err)
	}
	eventually(t, "the callback is sent", func() bool {
		list, err := accepts.Deliveries(t.Context(), account, sub.Capture.ID)
		check(t, err)
		return len(list) == 1 && list[0].State == savepage.Delivered
	})
	stop()
	check(t, <-done)
}

// lasting is the last version of the tables of which nobody expects that the version before works with them.
const lasting = 5

var (
	comments = regexp.MustCompile(`--[^\n]*`)
	stricter = regexp.MustCompile(`(?is)\b(DROP\s+(TABLE|COLUMN|FUNCTION|TYPE)|RENAME|ALTER\s+COLUMN|SET\s+NOT\s+NULL` +
		`|ADD\s+(CONSTRAINT|UNIQUE|CHECK|FOREIGN)|CREATE\s+UNIQUE|TRUNCATE)\b`)
	column = regexp.MustCompile(`(?is)ADD\s+COLUMN[^,;]*`)
)

// strict returns what of a migration keeps programs of the version before from working.
func strict(text string) (all []string) {
	text = comments.ReplaceAllString(text, "")
	all = stricter.FindAllString(text, -1)
	for _, one := range column.FindAllString(text, -1) {
		if upper := strings.ToUpper(one); strings.Contains(upper, "NOT NULL") && !strings.Contains(upper, "DEFAULT") {
			all = append(all, one)
		}
	}
	return all
}

// TestMigrationsOnlyAdd looks at the migrations: one that takes something away, or makes it stricter, raises the constant oldest to its
// version, so that no node of the version before is served with it.
func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()
	if got := strict(takes); len(got) != 1 || len(strict(adds)) != 0 || len(strict(`ALTER TABLE a ADD COLUMN b BIGINT NOT NULL;`)) != 1 {
		t.Errorf("found %q", got)
	}
	files, err := fs.Glob(postgres.Migrations(), "migrations/*.sql")
	check(t, err)
	for _, name := range files {
		version, err := strconv.ParseInt(strings.TrimPrefix(name, "migrations/")[:5], 10, 64)
		check(t, err)
		text, err := fs.ReadFile(postgres.Migrations(), name)
		check(t, err)
		if found := strict(string(text)); len(found) > 0 && version > lasting && postgres.Oldest < version {
			t.Errorf("%s has %q: programs of the version before do not work with that. Leave it to a later version, or raise oldest to %d",
				name, found, version)
		}
	}
}
