// Package keeper keeps records and pictures together: it makes sure that a store of pictures belongs to the database,
// removes pictures that no record names, copies both to a backup beside a running server, puts a backup back, and carries both
// to another place. It refuses to remove what the database has not written, and to restore or move over anything.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/capture"
)

// ownerKey is the key under which a store names the database that its pictures belong to.
const ownerKey = "savepage-owner"

// maxOwner is how much is read of the owner's name, in bytes.
const maxOwner = 200

// lookAtOnce is how many names of pictures are looked up at once, so that a large store holds no lock for long.
const lookAtOnce = 200

// Records are what the database knows of itself and of pictures.
type Records interface {
	// Identity returns the name that the database has had since it was made.
	Identity(ctx context.Context) (string, error)
	// Known tells which of the names are pictures of captures. The others belong to none.
	Known(ctx context.Context, names []string) (map[string]bool, error)
}

// ErrStranger says that a store of pictures does not belong to the database.
var ErrStranger = errors.New("the store of pictures does not belong to this database")

// Claim makes sure that the store belongs to the database. A store without an owner gets this one if it is empty or the
// database knows some of its pictures; those of a version that named no owner are found so. Otherwise the error is
// ErrStranger, with what to do.
func Claim(ctx context.Context, store blob.Store, records Records, log *slog.Logger) error {
	id, err := records.Identity(ctx)
	if err != nil {
		return err
	}
	if owner, err := Owner(ctx, store); err != nil || owner != "" {
		return belongs(owner, id, err)
	}
	someone, known, err := acquainted(ctx, store, records)
	if err != nil {
		return err
	}
	if someone && !known {
		return stranger("it has pictures, and the database " + id + " knows none of them")
	}
	switch err := store.Create(ctx, ownerKey, []byte(id+"\n")); {
	case errors.Is(err, fs.ErrExist): // somebody was faster: another node, or another database
		owner, err := Owner(ctx, store)
		return belongs(owner, id, err)
	case err != nil:
		return fmt.Errorf("write the owner of the pictures: %w", err)
	}
	log.InfoContext(ctx, "the store of pictures now belongs to this database", slog.String("database", id),
		slog.Bool("pictures", someone))
	return nil
}

// belongs returns ErrStranger where the store of an owner is not that of the database.
func belongs(owner, id string, err error) error {
	if err == nil && owner != id {
		err = stranger("it belongs to the database " + owner + ", and this one is " + id)
	}
	return err
}

// own makes the store belong to a database, whoever it belonged to.
func own(ctx context.Context, store blob.Writer, id string) error {
	if err := store.Put(ctx, ownerKey, strings.NewReader(id+"\n")); err != nil {
		return fmt.Errorf("write the owner of the pictures: %w", err)
	}
	return nil
}

func stranger(why string) error {
	return fmt.Errorf("%w: %s. Set SAVEPAGE_DATA and SAVEPAGE_BLOBS to a database and its own pictures, or restore the "+
		"missing one from a backup (savepage restore). If this database is to take the store over: savepage adopt", ErrStranger, why)
}

// Owner returns the name of the database that the store belongs to; empty for none.
func Owner(ctx context.Context, store blob.Reader) (string, error) {
	file, err := store.Open(ctx, ownerKey)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the owner of the pictures: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxOwner))
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("read the owner of the pictures: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// acquainted reports whether the store has pictures at all, and whether the database knows any.
func acquainted(ctx context.Context, store blob.View, records Records) (someone, known bool, err error) {
	names, err := pictures(ctx, store)
	if err != nil {
		return false, false, err
	}
	for chunk := range slices.Chunk(names, lookAtOnce) {
		found, err := records.Known(ctx, chunk)
		if err != nil {
			return true, false, fmt.Errorf("look up pictures: %w", err)
		}
		for _, name := range chunk {
			if found[name] {
				return true, true, nil
			}
		}
	}
	return len(names) > 0, false, nil
}

// always is after every time at which something was stored.
func always() time.Time { return time.Unix(1<<40, 0) }

// eachPicture yields the names of the stored pictures, and stops at the first error. Whatever else is there is not ours.
func eachPicture(ctx context.Context, store blob.View) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range store.Keys(ctx, always()) {
			if err != nil {
				yield("", fmt.Errorf("list stored pictures: %w", err))
				return
			}
			if capture.IsPictureName(key) && !yield(key, nil) {
				return
			}
		}
	}
}

// pictures returns the names of the stored pictures.
func pictures(ctx context.Context, store blob.View) (names []string, err error) {
	for name, err := range eachPicture(ctx, store) {
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// Usage adds up the pictures of a store, without the name of its owner.
func Usage(ctx context.Context, store blob.View) (blob.Usage, error) {
	u, err := store.Usage(ctx)
	if err != nil {
		return u, fmt.Errorf("add up the pictures: %w", err)
	}
	owner, err := store.Open(ctx, ownerKey)
	if errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	if err != nil {
		return u, fmt.Errorf("look for the store's owner: %w", err)
	}
	u.Blobs, u.Bytes = u.Blobs-1, u.Bytes-owner.Size()
	return u, owner.Close()
}

// Census is what a store holds, as the database sees it.
type Census struct{ Known, Unknown int }

// Count counts the pictures of the store.
func Count(ctx context.Context, store blob.View, records Records) (Census, error) {
	names, err := pictures(ctx, store)
	if err != nil {
		return Census{}, err
	}
	var all Census
	for chunk := range slices.Chunk(names, lookAtOnce) {
		found, err := records.Known(ctx, chunk)
		if err != nil {
			return Census{}, fmt.Errorf("look up pictures: %w", err)
		}
		for _, name := range chunk {
			if found[name] {
				all.Known++
			} else {
				all.Unknown++
			}
		}
	}
	return all, nil
}

// Adopt makes the store belong to the database, whoever it belonged to.
func Adopt(ctx context.Context, store blob.Store, records Records) error {
	id, err := records.Identity(ctx)
	if err != nil {
		return err
	}
	return own(ctx, store, id)
}
