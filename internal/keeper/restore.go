package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/ledger"
)

// Target is where a backup is put back.
type Target struct {
	Database ledger.Carrier
	Pictures blob.Store
}

// Restore puts a backup back into an empty place, and compares every file with its checksum. The database comes last: until
// then the place has none, and its pictures belong to the one that is missing, so that no server starts on half of it. A
// restore that was interrupted is continued by the next one.
func Restore(ctx context.Context, dir string, to Target) (Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return m, err
	}
	if err := to.Database.Vacant(ctx); err != nil {
		return m, err
	}
	if err := vacant(ctx, to.Pictures, m.Database); err != nil {
		return m, err
	}
	if err := own(ctx, to.Pictures, m.Database); err != nil {
		return m, err
	}
	if err := to.putPictures(ctx, dir, m); err != nil {
		return m, err
	}
	return m, to.putRecords(ctx, dir, m)
}

// vacant returns nil when the store is empty, or has nothing but pictures of the same database.
func vacant(ctx context.Context, store blob.View, database string) error {
	owner, err := Owner(ctx, store)
	if err != nil {
		return err
	}
	if owner == database {
		return nil
	}
	if owner != "" {
		return fmt.Errorf("the store of pictures belongs to the database %s, and these are of %s: name an empty one", owner, database)
	}
	for key, err := range store.Keys(ctx, always()) {
		if err != nil {
			return fmt.Errorf("list stored pictures: %w", err)
		}
		return fmt.Errorf("the store of pictures is not empty: there is %s; name an empty one", key)
	}
	return nil
}

func (t Target) putPictures(ctx context.Context, dir string, m Manifest) (err error) {
	from, err := stores.View(ctx, filepath.Join(dir, picturesFolder))
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	for _, file := range m.Pictures {
		if holds(ctx, t.Pictures, file) {
			continue
		}
		picture, err := from.Open(ctx, file.Name)
		if err != nil {
			return fmt.Errorf("restore the picture %s: %w", file.Name, err)
		}
		err = t.Pictures.Put(ctx, file.Name, newChecked(picture, file))
		if err := errors.Join(err, picture.Close()); err != nil {
			return fmt.Errorf("restore the picture %s: %w", file.Name, err)
		}
	}
	return nil
}

// holds reports whether the store has the file already, byte by byte.
func holds(ctx context.Context, store blob.Reader, file File) bool {
	picture, err := store.Open(ctx, file.Name)
	if err != nil {
		return false // it is put
	}
	_, err = io.Copy(io.Discard, newChecked(picture, file))
	return errors.Join(err, picture.Close()) == nil
}

func (t Target) putRecords(ctx context.Context, dir string, m Manifest) error {
	records, err := os.Open(filepath.Join(dir, m.Records.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the backup is damaged: %w", err)
	}
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	err = t.Database.Restore(ctx, newChecked(records, m.Records))
	return errors.Join(err, records.Close())
}
