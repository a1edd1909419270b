package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/folder"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// source is the place as a backup sees it.
func (p *place) source() keeper.Source {
	p.t.Helper()
	seen, err := folder.Kind().View(p.t.Context(), p.dir+"/pictures")
	check(p.t, err)
	p.t.Cleanup(func() { _ = seen.Close() })
	return keeper.Source{Database: sqlite.At(p.dir), Pictures: seen, Version: "v0", Now: time.Now()}
}

func (p *place) backup(dir string) keeper.Manifest {
	p.t.Helper()
	made, err := keeper.Backup(p.t.Context(), p.source(), dir, discard())
	check(p.t, err)
	return made
}

// restored puts the backup back and opens it.
func restored(t *testing.T, dir string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	store, err := folder.Open(p.dir + "/pictures")
	check(t, err)
	p.store = store
	t.Cleanup(func() { check(t, store.Close()) })
	_, err = keeper.Restore(t.Context(), dir, keeper.Target{Database: sqlite.At(p.dir), Pictures: store})
	check(t, err)
	p.records, err = sqlite.At(p.dir).Open(t.Context(), ledger.Config{Workers: 1}, discard())
	check(t, err)
	t.Cleanup(func() { check(t, p.records.Close()) })
	check(t, p.claim())
	return p
}

// wantPictures fails the test unless the store has these pictures, byte by byte, and no others.
func (p *place) wantPictures(names []string) {
	p.t.Helper()
	want := slices.Sorted(slices.Values(append(slices.Clone(names), "savepage-owner")))
	if got := p.names(); !slices.Equal(got, want) {
		p.t.Errorf("the store has %d keys, want %d: %q, %q", len(got), len(want), got, want)
	}
	for _, name := range names {
		picture, err := p.store.Open(p.t.Context(), name)
		check(p.t, err)
		text, err := io.ReadAll(picture)
		check(p.t, errors.Join(err, picture.Close()))
		if string(text) != "picture "+name {
			p.t.Errorf("%s holds %q", name, text)
		}
	}
	known, err := p.records.Known(p.t.Context(), names)
	check(p.t, err)
	if len(known) != len(names) {
		p.t.Errorf("the records know %d of %d pictures", len(known), len(names))
	}
}

func TestBackupAndRestore(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	first := p.captures(20)
	p.put(orphan(1))
	made := p.backup(dir)
	if made.Captures != 20 || len(made.Pictures) != 20 || made.MasterKey || made.Schema == 0 {
		t.Errorf("the manifest says %d captures, %d pictures, key %v, schema %d", made.Captures, len(made.Pictures), made.MasterKey, made.Schema)
	}
	restored(t, dir).wantPictures(first)

	// The next one copies what is new and lets go of what is gone.
	again := p.forgetSome(first, 5)
	again = append(again, p.captures(3)...)
	copied := modified(t, dir, again[0])
	p.backup(dir)
	if !modified(t, dir, again[0]).Equal(copied) {
		t.Error("a picture was copied twice")
	}
	restored(t, dir).wantPictures(again)
	if records, _ := filepath.Glob(filepath.Join(dir, "records-*")); len(records) != 1 {
		t.Errorf("the backup has %q", records)
	}
}

func modified(t *testing.T, dir, name string) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "pictures", name[:2], name))
	check(t, err)
	return info.ModTime()
}

// forgetSome removes that many captures with their pictures, and returns the pictures that are left.
func (p *place) forgetSome(names []string, count int) []string {
	p.t.Helper()
	old, err := p.records.Expired(p.t.Context(), time.Now(), count)
	check(p.t, err)
	left := slices.Clone(names)
	for _, c := range old {
		name, err := p.records.Forget(p.t.Context(), c.Account, c.ID)
		check(p.t, err)
		check(p.t, p.store.Delete(p.t.Context(), name))
		left = slices.DeleteFunc(left, func(one string) bool { return one == name })
	}
	return left
}

// meddling is a database that changes between the pictures that are copied first and the records, and after them.
type meddling struct {
	ledger.Carrier

	before, after func()
}

// Snapshot makes the snapshot between the two calls.
func (m meddling) Snapshot(ctx context.Context, file string) (ledger.Snapshot, error) {
	m.before()
	made, err := m.Carrier.Snapshot(ctx, file)
	m.after()
	return made, err
}

// TestBackupWhileCapturesComeAndGo adds captures between the two looks at the pictures, and removes some of them, and some
// of the first, when their records are copied already.
func TestBackupWhileCapturesComeAndGo(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	names := p.captures(10)
	from := p.source()
	var late []string
	from.Database = meddling{from.Database,
		func() { names = p.forgetSome(names, 3); late = p.captures(6) },
		func() {
			p.forgetSome(nil, 9) // seven of the first, which are copied, and two of the late ones, which are not
		},
	}
	made, err := keeper.Backup(t.Context(), from, dir, discard())
	check(t, err)
	if len(made.Missing) != 0 || made.Captures != 11 {
		t.Errorf("%d captures, missing %q", made.Captures, made.Missing)
	}
	stored, err := keeper.ReadManifest(dir)
	check(t, err)
	var kept []string
	for _, file := range stored.Pictures {
		kept = append(kept, file.Name)
	}
	for _, name := range names {
		if !slices.Contains(kept, name) {
			t.Errorf("a picture of a capture before the snapshot is not there: %s", name)
		}
	}
	if n := len(kept); n != 11 || len(late) != 6 {
		t.Errorf("%d pictures", n)
	}
	restored(t, dir).wantPictures(kept)
}

// TestBackupNamesLostPictures keeps the record of a picture that is missing, and says so.
func TestBackupNamesLostPictures(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	names := p.captures(2)
	check(t, p.store.Delete(t.Context(), names[0]))
	if made := p.backup(dir); made.Captures != 2 || !slices.Equal(made.Missing, names[:1]) || len(made.Pictures) != 1 {
		t.Errorf("%d captures, %d pictures, missing %q", made.Captures, len(made.Pictures), made.Missing)
	}
}

// TestInterruptedBackup is stopped before its records are copied. It has no manifest, and the next one completes it.
func TestInterruptedBackup(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	names := p.captures(9)
	interrupt := func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		from := p.source()
		from.Database = meddling{from.Database, cancel, func() {}}
		if _, err := keeper.Backup(ctx, from, dir, discard()); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
	}
	interrupt()
	refuse(t, dir, "no manifest.json")
	p.backup(dir)
	restored(t, dir).wantPictures(names)

	// An earlier backup holds until the next one is complete.
	more := p.captures(2)
	interrupt()
	restored(t, dir).wantPictures(names)
	p.backup(dir)
	restored(t, dir).wantPictures(append(names, more...))
}

// refuse has a restore into an empty place fail with an error that says this, and leave no database.
func refuse(t *testing.T, dir, says string) {
	t.Helper()
	data := t.TempDir()
	store, err := folder.Open(data + "/pictures")
	check(t, err)
	defer func() { check(t, store.Close()) }()
	refuseInto(t, dir, says, keeper.Target{Database: sqlite.At(data), Pictures: store})
	if _, err := os.Stat(data + "/savepage.db"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a database: %v", err)
	}
}

func refuseInto(t *testing.T, dir, says string, to keeper.Target) {
	t.Helper()
	if _, err := keeper.Restore(t.Context(), dir, to); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("restored: %v, want an error that says %q", err, says)
	}
}

// TestRestoreComparesChecksums changes each kind of file of a backup.
func TestRestoreComparesChecksums(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	name := p.captures(1)[0]
	made := p.backup(dir)
	for _, file := range []string{filepath.Join("pictures", name[:2], name), made.Records.Name} {
		path := filepath.Join(dir, file)
		whole, err := os.ReadFile(path)
		check(t, err)
		for _, damaged := range [][]byte{whole[:len(whole)-1], append(bytes.Clone(whole), 0), append([]byte{whole[0] ^ 1}, whole[1:]...)} {
			check(t, os.WriteFile(path, damaged, 0o600))
			refuse(t, dir, "damaged")
		}
		check(t, os.Remove(path))
		refuse(t, dir, "no such file")
		check(t, os.WriteFile(path, whole, 0o600))
	}
	restored(t, dir).wantPictures([]string{name})
}

// TestRestoreNeedsAnEmptyPlace tries places that are in use, were used, or belong to another.
func TestRestoreNeedsAnEmptyPlace(t *testing.T) {
	p, other, dir := newPlace(t), newPlace(t), t.TempDir()
	check(t, p.claim())
	check(t, other.claim())
	names := p.captures(2)
	p.backup(dir)
	refuseInto(t, dir, "another savepage serves it", keeper.Target{Database: sqlite.At(other.dir), Pictures: other.store})
	used := newDatabase(t)
	records, err := sqlite.At(used).Open(t.Context(), ledger.Config{}, discard())
	check(t, err)
	_, _, err = records.Bootstrap(t.Context())
	check(t, errors.Join(err, records.Close()))
	refuseInto(t, dir, "is there already", keeper.Target{Database: sqlite.At(used), Pictures: p.store})
	refuseInto(t, dir, "belongs to the database", keeper.Target{Database: sqlite.At(t.TempDir()), Pictures: other.store})
	filled, err := folder.Open(t.TempDir())
	check(t, err)
	defer func() { check(t, filled.Close()) }()
	check(t, filled.Put(t.Context(), orphan(1), strings.NewReader("x")))
	refuseInto(t, dir, "not empty", keeper.Target{Database: sqlite.At(t.TempDir()), Pictures: filled})
	journal := t.TempDir()
	check(t, os.WriteFile(journal+"/savepage.db-wal", []byte("a log"), 0o600))
	refuseInto(t, dir, "is there already", keeper.Target{Database: sqlite.At(journal), Pictures: filled})
	restored(t, dir).wantPictures(names)
}

// TestRestoreAfterARefusedStart loses the database, and starts without it once.
func TestRestoreAfterARefusedStart(t *testing.T) {
	p, dir, data := newPlace(t), t.TempDir(), newDatabase(t)
	check(t, p.claim())
	names := p.captures(2)
	p.backup(dir)
	_, err := keeper.Restore(t.Context(), dir, keeper.Target{Database: sqlite.At(data), Pictures: p.store})
	check(t, err)
	(&place{t: t, store: p.store, records: opened(t, data)}).wantPictures(names)
}

// TestBackupNeedsItsOwnFolder does not write into folders of others.
func TestBackupNeedsItsOwnFolder(t *testing.T) {
	p, other, dir := newPlace(t), newPlace(t), t.TempDir()
	check(t, p.claim())
	check(t, other.claim())
	other.backup(dir)
	notes := t.TempDir()
	check(t, os.WriteFile(filepath.Join(notes, "notes.txt"), nil, 0o600))
	for where, says := range map[string]string{dir: "holds a backup of the database", notes: "notes.txt"} {
		if _, err := keeper.Backup(t.Context(), p.source(), where, discard()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("backup to %s: %v, want an error that says %q", where, err, says)
		}
	}
	restored(t, dir).wantPictures(nil)
}

// TestRestoreGoesOn is stopped in the middle, and then repeated.
func TestRestoreGoesOn(t *testing.T) {
	p, dir := newPlace(t), t.TempDir()
	check(t, p.claim())
	names := p.captures(6)
	p.backup(dir)
	data := t.TempDir()
	store, err := folder.Open(data + "/pictures")
	check(t, err)
	defer func() { check(t, store.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	to := keeper.Target{Database: sqlite.At(data), Pictures: stopping{store, cancel, names[3]}}
	if _, err := keeper.Restore(ctx, dir, to); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	// A server that starts now finds pictures of a database that is not there.
	fresh := newPlace(t)
	fresh.store, store = store, fresh.store.(*folder.Folder)
	if err := fresh.claim(); !errors.Is(err, keeper.ErrStranger) {
		t.Errorf("a new database took half a restore: %v", err)
	}
	fresh.store, store = store, fresh.store.(*folder.Folder)
	_, err = keeper.Restore(t.Context(), dir, keeper.Target{Database: sqlite.At(data), Pictures: store})
	check(t, err)
	(&place{t: t, store: store, records: opened(t, data)}).wantPictures(names)
}

func opened(t *testing.T, dir string) ledger.Store {
	t.Helper()
	records, err := sqlite.At(dir).Open(t.Context(), ledger.Config{}, discard())
	check(t, err)
	t.Cleanup(func() { check(t, records.Close()) })
	return records
}

// stopping is a store that ends the work at one key.
type stopping struct {
	blob.Store

	stop func()
	at   string
}

// Put stores the bytes, or ends the work.
func (s stopping) Put(ctx context.Context, key string, from io.Reader) error {
	if key == s.at {
		s.stop()
	}
	if err := s.Store.Put(ctx, key, from); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	return nil
}
