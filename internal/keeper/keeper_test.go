package keeper_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/folder"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// patience is how long a test waits for what must come.
const patience = 5 * time.Minute

// place is a database and a store of pictures, both open.
type place struct {
	t       *testing.T
	dir     string
	records ledger.Store
	store   blob.Store
	account string
}

// template is a database that is up to date and empty, migrated once for all tests.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "savepage-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := sqlite.At(dir).Migrate(context.Background(), discard()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "savepage.db"))
})

// newDatabase makes a data folder whose database has a name of its own and nothing else.
func newDatabase(t *testing.T) string {
	t.Helper()
	content, err := template()
	check(t, err)
	dir := t.TempDir()
	name := filepath.Join(dir, "savepage.db")
	check(t, os.WriteFile(name, content, 0o600))
	db, err := sql.Open("sqlite", name)
	check(t, err)
	_, err = db.ExecContext(t.Context(), `UPDATE identity SET id = 'db_' || lower(hex(randomblob(13)))`)
	check(t, errors.Join(err, db.Close()))
	return dir
}

// newPlace makes a database and a store that do not know each other yet.
func newPlace(t *testing.T) *place {
	t.Helper()
	dir := newDatabase(t)
	records, err := sqlite.At(dir).Open(t.Context(), ledger.Config{Workers: 4}, discard())
	check(t, err)
	issued, _, err := records.Bootstrap(t.Context())
	check(t, err)
	store, err := folder.Open(dir + "/pictures")
	check(t, err)
	p := &place{t: t, dir: dir, records: records, store: store, account: issued.Account}
	t.Cleanup(func() { check(t, errors.Join(p.store.Close(), p.records.Close())) })
	return p
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) claim() error { return keeper.Claim(p.t.Context(), p.store, p.records, discard()) }

func (p *place) put(name string) {
	p.t.Helper()
	check(p.t, p.store.Put(p.t.Context(), name, strings.NewReader("picture "+name)))
}

// names are the keys in the store.
func (p *place) names() []string {
	p.t.Helper()
	var found []string
	for key, err := range p.store.Keys(p.t.Context(), time.Now().Add(time.Hour)) {
		check(p.t, err)
		found = append(found, key)
	}
	slices.Sort(found)
	return found
}

// submission is an accepted capture.
func (p *place) submission() capture.Submission {
	now := time.Now()
	return capture.Submission{
		Capture: savepage.Capture{
			ID: capture.NewID("cap_", now), Account: p.account, State: savepage.Queued, CreatedAt: now,
			Options: savepage.Options{URL: "https://example.com"}.WithDefaults(),
		},
		OptionsHash: "hash",
	}
}

// captures records that many captures with a picture each, and returns the names of the pictures.
func (p *place) captures(count int) []string {
	p.t.Helper()
	var mu sync.Mutex
	var names []string
	done := make(chan struct{}, count)
	ctx, stop := context.WithCancel(p.t.Context())
	worked := make(chan error, 1)
	go func() {
		worked <- p.records.Work(ctx, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
			name := pictureName(c.Capture.ID)
			if err := p.store.Put(ctx, name, strings.NewReader("picture "+name)); err != nil {
				return err
			}
			err := p.records.Finish(ctx, c, capture.Outcome{
				State: savepage.Success, FinishedAt: time.Now(), Picture: &savepage.Picture{Name: name, Format: savepage.FormatPNG},
			})
			mu.Lock()
			defer mu.Unlock()
			names = append(names, name)
			done <- struct{}{}
			return err
		}})
	}()
	for range count {
		_, err := p.records.Accept(p.t.Context(), p.submission())
		check(p.t, err)
	}
	late := time.After(patience)
	for range count {
		select {
		case <-done:
		case <-late:
			p.t.Fatal("the captures were not taken")
		}
	}
	stop()
	check(p.t, <-worked)
	return names
}

// pictureName makes a picture's name of an id.
func pictureName(id string) string {
	return strings.TrimPrefix(id, "cap_") + "000000.png"
}

func orphan(n int) string { return strings.Repeat("x", 31) + string(rune('0'+n)) + ".png" }

func TestNamesOfTheTestAreNamesOfPictures(t *testing.T) {
	for _, name := range []string{orphan(1), pictureName(capture.NewID("cap_", time.Now()))} {
		if !capture.IsPictureName(name) {
			t.Errorf("%q is no name of a picture", name)
		}
	}
}

func TestClaimOfAnEmptyStore(t *testing.T) {
	p := newPlace(t)
	check(t, p.claim())
	check(t, p.claim())
	owner, err := keeper.Owner(t.Context(), p.store)
	check(t, err)
	if id, err := p.records.Identity(t.Context()); err != nil || owner != id || id == "" {
		t.Errorf("the owner is %q, the database %q, %v", owner, id, err)
	}
}

// TestClaimOfAnOlderVersion has pictures that the database knows, one that it does not, and no owner.
func TestClaimOfAnOlderVersion(t *testing.T) {
	p := newPlace(t)
	p.captures(1)
	p.put(orphan(1))
	check(t, p.claim())
}

func TestStrangersStoreIsLeftAlone(t *testing.T) {
	first, second := newPlace(t), newPlace(t)
	first.captures(3)
	check(t, first.claim())
	kept := first.names()

	// The second database is given the first one's pictures.
	second.store, first.store = first.store, second.store
	err := second.claim()
	if !errors.Is(err, keeper.ErrStranger) || !strings.Contains(err.Error(), "savepage adopt") ||
		!strings.Contains(err.Error(), "SAVEPAGE_BLOBS") {
		t.Errorf("claim of a stranger's store: %v", err)
	}
	sweeper := second.sweeper(nothing)
	for range 3 {
		if n, err := sweeper.Sweep(t.Context()); n != 0 || !errors.Is(err, keeper.ErrStranger) {
			t.Errorf("swept %d of a stranger's pictures: %v", n, err)
		}
	}
	if got := second.names(); !slices.Equal(got, kept) {
		t.Errorf("left %q of %q", got, kept)
	}
}

// TestEmptyDatabaseBesidePictures is a lost database, or pictures that were put back before it.
func TestEmptyDatabaseBesidePictures(t *testing.T) {
	p := newPlace(t)
	p.put(orphan(1))
	if err := p.claim(); !errors.Is(err, keeper.ErrStranger) {
		t.Errorf("claimed: %v", err)
	}
	found, err := keeper.Count(t.Context(), p.store, p.records)
	check(t, err)
	if want := (keeper.Census{Unknown: 1}); found != want {
		t.Errorf("counted %+v, want %+v", found, want)
	}
	check(t, keeper.Adopt(t.Context(), p.store, p.records))
	check(t, p.claim())
}

func nothing(string) bool { return false }

func (p *place) sweeper(making func(string) bool) *keeper.Sweeper {
	return keeper.NewSweeper(p.store, p.records, making, discard())
}

// TestSweep removes an orphan in the second round that sees it, and says so; nothing else.
func TestSweep(t *testing.T) {
	p := newPlace(t)
	known := p.captures(2)
	check(t, p.claim())
	foreign := []string{"notes.txt", "xyz.png", "savepage-backup"}
	for _, name := range append([]string{orphan(1), orphan(2)}, foreign...) {
		p.put(name)
	}
	var log bytes.Buffer
	making := func(name string) bool { return name == orphan(2) }
	sweeper := keeper.NewSweeper(p.store, p.records, making, slog.New(slog.NewTextHandler(&log, nil)))
	if n, err := sweeper.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("the first round removed %d, %v", n, err)
	}
	p.put(orphan(3)) // younger than the round before
	if n, err := sweeper.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("the second round removed %d, %v", n, err)
	}
	want := slices.Sorted(slices.Values(slices.Concat(known, foreign, []string{orphan(2), orphan(3), "savepage-owner"})))
	if got := p.names(); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	if strings.Count(log.String(), "removed") != 1 || !strings.Contains(log.String(), orphan(1)) {
		t.Errorf("the log says %q", log.String())
	}
}
