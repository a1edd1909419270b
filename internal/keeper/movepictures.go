package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync"

	"github.com/savepage/savepage/internal/blob"
)

// movedAtOnce is how many pictures are carried or compared at once: each waits for the network.
const movedAtOnce = 8

// movePictures carries the pictures that records name, compares every byte, and removes what no record names any more.
func (w *moving) movePictures(ctx context.Context) error {
	owner, err := Owner(ctx, w.Pictures)
	if err != nil {
		return err
	}
	if owner != "" && owner != w.id {
		return stranger("it belongs to the database " + owner + ", and this one is " + w.id)
	}
	if err := vacant(ctx, w.Into, w.id); err != nil {
		return err
	}
	if err := own(ctx, w.Into, w.id); err != nil {
		return err
	}
	named, err := w.Records.Pictures(ctx)
	if err != nil {
		return err
	}
	stored, err := pictures(ctx, w.Into)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(stored))
	for _, name := range stored {
		there[name] = true
	}
	lacking := slices.DeleteFunc(slices.Clone(named), func(name string) bool { return there[name] })
	if err := w.each(ctx, "pictures", lacking, w.copyPicture); err != nil {
		return err
	}
	if err := w.each(ctx, "checking pictures", named, w.comparePicture); err != nil {
		return err
	}
	slices.Sort(w.moved.Missing)
	for _, name := range w.moved.Missing {
		w.Log.WarnContext(ctx, "a picture that a capture names is missing in the store", slog.String("picture", name))
	}
	return w.tidy(ctx, named, stored)
}

// tidy removes the pictures of the new store that no record names: they were removed after a move that was interrupted.
func (w *moving) tidy(ctx context.Context, named, stored []string) error {
	known := make(map[string]bool, len(named))
	for _, name := range named {
		known[name] = true
	}
	for _, name := range stored {
		if known[name] {
			continue
		}
		if err := w.Into.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove a picture that no record names: %w", err)
		}
	}
	return nil
}

// each does something with every name, several at once, tells how far it has come, and stops at the first error.
func (w *moving) each(ctx context.Context, step string, names []string, do func(ctx context.Context, name string) error) error {
	var mu sync.Mutex
	done := 0
	return each(ctx, names, movedAtOnce, func(ctx context.Context, name string) error {
		if err := do(ctx, name); err != nil {
			return fmt.Errorf("picture %s: %w", name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		w.tell(step, done, len(names))
		return nil
	})
}

// copyPicture copies a picture, if it is there.
func (w *moving) copyPicture(ctx context.Context, name string) error {
	picture, err := w.Pictures.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // comparePicture tells
	}
	if err != nil {
		return err
	}
	return errors.Join(w.Into.Put(ctx, name, picture), picture.Close())
}

// comparePicture compares the bytes of a picture on both sides. One that differs is copied once more.
func (w *moving) comparePicture(ctx context.Context, name string) error {
	here, err := sumPicture(ctx, w.Pictures, name)
	if errors.Is(err, fs.ErrNotExist) {
		w.counting.Lock()
		defer w.counting.Unlock()
		w.moved.Missing = append(w.moved.Missing, name)
		return nil
	}
	if err != nil {
		return err
	}
	there, err := sumPicture(ctx, w.Into, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && there != here {
		if err := w.copyPicture(ctx, name); err != nil {
			return err
		}
		there, err = sumPicture(ctx, w.Into, name)
	}
	if err != nil {
		return err
	}
	if there != here {
		return fmt.Errorf("it has %d bytes with the checksum %s, and %d with %s in the new store", here.Size, here.SHA256, there.Size,
			there.SHA256)
	}
	w.counting.Lock()
	defer w.counting.Unlock()
	w.moved.Pictures++
	w.moved.Bytes += here.Size
	return nil
}

// sumPicture reads a picture to its end.
func sumPicture(ctx context.Context, store blob.Reader, name string) (File, error) {
	picture, err := store.Open(ctx, name)
	if err != nil {
		return File{}, err
	}
	through := newSum(picture)
	_, err = io.Copy(io.Discard, through)
	return through.file(name), errors.Join(err, picture.Close())
}
