package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/ledger"
)

// copiesAtOnce is how many pictures are copied at once: each waits for the disk at its end.
const copiesAtOnce = 4

// Source is what is backed up. A server may use both.
type Source struct {
	Database ledger.Carrier
	Pictures blob.View
	Version  string // of the program
	Now      time.Time
}

// Backup copies records and pictures to the folder, and writes the manifest when all is on disk. It reads the pictures, then
// the records at one moment, then the pictures that were added in between: a record is removed before its picture, so that
// every picture of the records is there, or its capture was removed meanwhile and is dropped from the copy. A folder with an
// earlier backup of the same database gets what is new and loses what is gone; until the new manifest is written, the
// earlier one holds.
func Backup(ctx context.Context, from Source, dir string, log *slog.Logger) (m Manifest, err error) {
	b := &backup{from: from, dir: dir, log: log, have: map[string]File{}}
	if err := b.open(ctx); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, b.to.Close()) }()
	stored, err := pictures(ctx, from.Pictures)
	if err != nil {
		return m, err
	}
	if _, err := b.copyAll(ctx, stored); err != nil {
		return m, err
	}
	if err := b.copyRecords(ctx); err != nil {
		return m, err
	}
	if err := b.manifest.write(dir); err != nil {
		return m, err
	}
	return b.manifest, b.tidy(ctx)
}

// backup is one that is being made.
type backup struct {
	from     Source
	dir      string
	log      *slog.Logger
	to       blob.Store
	owner    string
	earlier  map[string]File // of the manifest before
	manifest Manifest

	mu   sync.Mutex
	have map[string]File // pictures that are in the backup
}

// open makes the folder, or finds the earlier backup in it.
func (b *backup) open(ctx context.Context) (err error) {
	if b.owner, err = Owner(ctx, b.from.Pictures); err != nil {
		return err
	}
	if b.owner == "" {
		return errors.New("the store of pictures names no database: start the server once, which writes it")
	}
	if err := mayHold(b.dir); err != nil {
		return err
	}
	if b.to, err = stores.Open(ctx, filepath.Join(b.dir, picturesFolder)); err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	if err := b.begin(ctx); err != nil {
		return errors.Join(err, b.to.Close())
	}
	return nil
}

// mayHold returns nil when the folder can become a backup or is one already.
func mayHold(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !ofBackup(name) {
			return fmt.Errorf("%s is no folder of backups: there is %s; name an empty folder or an earlier backup", dir, name)
		}
	}
	return nil
}

// ofBackup reports whether a backup folder has a file of this name.
func ofBackup(name string) bool {
	records, _ := filepath.Match(recordsPattern+"*", name) // SQLite may have left a journal beside a copy
	return records || name == picturesFolder || strings.HasPrefix(name, manifestFile)
}

// begin marks the backup as one of this database and reads what is in it.
func (b *backup) begin(ctx context.Context) error {
	owner, err := Owner(ctx, b.to)
	if err != nil {
		return err
	}
	switch owner {
	case b.owner:
	case "":
		if err := own(ctx, b.to, b.owner); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s holds a backup of the database %s, and this one is %s: name another folder", b.dir, owner, b.owner)
	}
	before, err := ReadManifest(b.dir)
	if err != nil && !errors.Is(err, ErrNoBackup) {
		return err
	}
	b.earlier = make(map[string]File, len(before.Pictures))
	for _, file := range before.Pictures {
		b.earlier[file.Name] = file
	}
	return nil
}

// copyAll copies the pictures and returns those that are not there any more.
func (b *backup) copyAll(ctx context.Context, names []string) (gone []string, err error) {
	err = each(ctx, names, copiesAtOnce, func(ctx context.Context, name string) error {
		there, err := b.copy(ctx, name)
		if err == nil && !there {
			b.mu.Lock()
			defer b.mu.Unlock()
			gone = append(gone, name)
		}
		return err
	})
	return gone, err
}

// copy copies a picture that the backup does not have, and reports whether it is there.
func (b *backup) copy(ctx context.Context, name string) (there bool, err error) {
	b.mu.Lock()
	_, have := b.have[name]
	b.mu.Unlock()
	if have {
		return true, nil
	}
	picture, err := b.from.Pictures.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("copy the picture %s: %w", name, err)
	}
	file, err := b.reuse(ctx, name, picture.Size())
	if err == nil && file.Name == "" {
		through := newSum(picture)
		err = b.to.Put(ctx, name, through)
		file = through.file(name)
	}
	if err := errors.Join(err, picture.Close()); err != nil {
		return true, fmt.Errorf("copy the picture %s: %w", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.have[name] = file
	return true, nil
}

// reuse returns the file of a picture that the earlier backup has copied. A picture never changes under its name.
func (b *backup) reuse(ctx context.Context, name string, size int64) (File, error) {
	file, known := b.earlier[name]
	if !known || file.Size != size {
		return File{}, nil
	}
	copied, err := b.to.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, err
	}
	if copied.Size() != size {
		file = File{}
	}
	return file, copied.Close()
}

// copyRecords copies the records at one moment, and the pictures that they name and that are not copied yet.
func (b *backup) copyRecords(ctx context.Context) (err error) {
	name := filepath.Join(b.dir, fmt.Sprintf("records-%s.db", b.from.Now.UTC().Format("20060102T150405.000000000Z")))
	snapshot, err := b.from.Database.Snapshot(ctx, name)
	if err != nil {
		return err
	}
	err = b.complete(ctx, snapshot)
	if err := errors.Join(err, snapshot.Close()); err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the copy of the records: %w", err)
	}
	through := newSum(file)
	_, err = io.Copy(io.Discard, through)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read the copy of the records: %w", err)
	}
	b.manifest.Records = through.file(filepath.Base(name))
	b.manifest.Bytes += through.size
	return nil
}

// complete copies the pictures of the snapshot that are not copied yet, and fills the manifest.
func (b *backup) complete(ctx context.Context, snapshot ledger.Snapshot) error {
	names, err := snapshot.Pictures(ctx)
	if err != nil {
		return err
	}
	gone, err := b.copyAll(ctx, names)
	if err != nil {
		return err
	}
	kept, err := snapshot.Drop(ctx, gone)
	if err != nil {
		return err
	}
	for _, name := range kept {
		b.log.WarnContext(ctx, "a picture that a capture names is missing in the store", slog.String("picture", name))
	}
	about, err := snapshot.About(ctx)
	if err != nil {
		return err
	}
	if about.Identity != b.owner {
		return fmt.Errorf("%w: it belongs to the database %s, and this one is %s", ErrStranger, b.owner, about.Identity)
	}
	b.manifest = Manifest{
		Format: manifestFormat, Version: b.from.Version, Database: about.Identity, Schema: about.Schema, CreatedAt: b.from.Now.UTC(),
		Captures: about.Captures, MasterKey: about.Sealed, Missing: kept, Pictures: []File{},
	}
	for _, name := range names {
		if file, have := b.have[name]; have {
			b.manifest.Pictures = append(b.manifest.Pictures, file)
			b.manifest.Bytes += file.Size
		}
	}
	return nil
}

// tidy removes what the manifest does not name: what was removed since the backup before, and what an interrupted one left.
func (b *backup) tidy(ctx context.Context) error {
	named := make(map[string]bool, len(b.manifest.Pictures))
	for _, file := range b.manifest.Pictures {
		named[file.Name] = true
	}
	stored, err := pictures(ctx, b.to)
	if err != nil {
		return err
	}
	for _, name := range slices.DeleteFunc(stored, func(name string) bool { return named[name] }) {
		if err := b.to.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove what the backup does not need: %w", err)
		}
	}
	copies, err := filepath.Glob(filepath.Join(b.dir, recordsPattern+"*"))
	if err != nil {
		return fmt.Errorf("remove what the backup does not need: %w", err)
	}
	for _, name := range copies {
		if filepath.Base(name) == b.manifest.Records.Name {
			continue
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("remove what the backup does not need: %w", err)
		}
	}
	return nil
}
