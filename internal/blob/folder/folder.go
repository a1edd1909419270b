// Package folder keeps each blob as a file of a folder on this machine. What a killed process left half written is removed
// when the folder is opened. It refuses to share a folder with another process that
// has not opened it to share it too.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/savepage/savepage/internal/blob"
)

// Kind is a folder, named by its path.
func Kind() blob.Kind {
	return blob.Kind{
		Form:  "a folder",
		Takes: func(setting string) bool { return setting != "" && !strings.Contains(setting, "://") },
		Open: func(_ context.Context, setting string) (blob.Store, error) {
			f, err := Open(setting)
			if err != nil {
				return nil, err // a nil *Folder would be a Store that is not nil
			}
			return f, nil
		},
		Share: func(_ context.Context, setting string) (blob.Store, error) {
			f, err := Share(setting)
			if err != nil {
				return nil, err
			}
			return f, nil
		},
		View: func(_ context.Context, setting string) (blob.View, error) {
			f, err := viewTree(setting)
			if err != nil {
				return nil, err
			}
			return f, nil
		},
	}
}

// Folder is a blob.Store of files. When its folder is removed or replaced while it is open, nothing is stored until Ready has
// found it again. It is safe for use by many goroutines.
type Folder struct {
	dir  string
	open func(dir string) (*tree, error)

	mu   sync.Mutex
	tree *tree
}

// Open opens the store in dir and makes the folder when it is not there. What an earlier process left half
// written is removed. An error names the folder when another process has it open. The caller closes the store.
func Open(dir string) (*Folder, error) { return openBy(openTree, dir) }

// Share is Open for a folder that several processes on this machine have open together, such as the nodes of one database. Who has
// it alone keeps them out, and they keep out who wants it alone.
func Share(dir string) (*Folder, error) { return openBy(shareTree, dir) }

func openBy(open func(dir string) (*tree, error), dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the picture folder: %w", err)
	}
	t, err := open(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, open: open, tree: t}, nil
}

// Close gives the folder back. Blobs that are open stay readable.
func (f *Folder) Close() error { return f.now().Close() }

func (f *Folder) now() *tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tree
}

// Put stores all that it reads under the key and returns when they are on disk. A key that exists gets the new bytes; a reader
// sees the old or the new ones, never a mix.
func (f *Folder) Put(ctx context.Context, key string, from io.Reader) error {
	t := f.now()
	if err := f.inPlace(t); err != nil {
		return err
	}
	if err := t.Put(ctx, key, from); err != nil {
		return err
	}
	return f.inPlace(t) // or the blob went with a folder that was moved away
}

// Create stores a blob under a key that has none, and returns when it is on disk.
func (f *Folder) Create(ctx context.Context, key string, data []byte) error {
	t := f.now()
	if err := f.inPlace(t); err != nil {
		return err
	}
	if err := t.Create(ctx, key, data); err != nil {
		return err
	}
	return f.inPlace(t)
}

// Tidy removes files that were written half before the time and are no blobs.
func (f *Folder) Tidy(ctx context.Context, before time.Time, _ func(key string) bool) (int, error) {
	t := f.now()
	if err := f.inPlace(t); err != nil {
		return 0, err
	}
	return t.Tidy(ctx, before)
}

// Open opens a blob for reading; the caller closes it. Where there is none, and for a key that cannot be one, the error is
// fs.ErrNotExist.
func (f *Folder) Open(ctx context.Context, key string) (blob.Blob, error) {
	t := f.now()
	opened, err := t.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		if gone := f.inPlace(t); gone != nil {
			return nil, gone // it may be in the folder that is not there now
		}
	}
	return opened, err
}

// Delete removes a blob. An unknown key is no error.
func (f *Folder) Delete(ctx context.Context, key string) error {
	t := f.now()
	if err := f.inPlace(t); err != nil {
		return err
	}
	return t.Delete(ctx, key)
}

// Usage adds up the blobs and tells what is left of the disk.
func (f *Folder) Usage(ctx context.Context) (blob.Usage, error) {
	t := f.now()
	if err := f.inPlace(t); err != nil {
		return blob.Usage{}, err
	}
	return t.Usage(ctx)
}

// Keys yields every key that was stored before the time, in no order. It stops at the first error. Blobs may be put and
// deleted meanwhile.
func (f *Folder) Keys(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	t := f.now()
	return func(yield func(string, error) bool) {
		if err := f.inPlace(t); err != nil {
			yield("", err)
			return
		}
		t.Keys(ctx, before)(yield)
	}
}

// inPlace returns nil while the folder's name leads to the folder that is open. Its errors hide what they wrap: that the folder
// does not exist says nothing of a blob.
func (f *Folder) inPlace(t *tree) error {
	info, err := os.Stat(f.dir)
	if at, is := errors.AsType[*fs.PathError](err); is {
		return errors.New("the picture folder cannot be found: " + at.Err.Error())
	}
	if err != nil || !os.SameFile(info, t.info) {
		return errors.New("the picture folder was replaced by another")
	}
	return nil
}

// Ready reports whether the folder can be written: a file is written to disk and removed again. A folder that was deleted is
// made anew, and one that has come in its place is opened; one that was moved away is waited for.
func (f *Folder) Ready(ctx context.Context) error {
	t := f.now()
	if f.inPlace(t) != nil {
		var err error
		if t, err = f.reopen(t); err != nil {
			return err
		}
	}
	return t.Ready(ctx)
}

func (f *Folder) reopen(former *tree) (*tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tree != former {
		return f.tree, nil
	}
	if err := f.mayReopen(former); err != nil {
		return nil, err
	}
	t, err := f.open(f.dir)
	if err != nil {
		return nil, err
	}
	f.tree = t
	_ = former.Close() // nobody writes there any more
	return t, nil
}

// mayReopen makes a folder that was deleted, and refuses the empty one below a disk that is not mounted any more.
func (f *Folder) mayReopen(former *tree) error {
	info, err := os.Stat(f.dir)
	switch {
	case err == nil && device(info) != device(former.info) && !hasBlobs(f.dir):
		return errors.New("the picture folder is empty and on another disk than before: mount the disk again, or restart the server " +
			"to use the folder as it is")
	case err == nil:
		return nil
	case !former.deleted():
		return f.inPlace(former)
	}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return f.inPlace(former)
	}
	return nil
}

// deleted reports whether the folder has no name any more, anywhere.
func (f *tree) deleted() bool {
	info, err := f.root.Stat(".")
	if err != nil {
		return false
	}
	stat, is := info.Sys().(*syscall.Stat_t)
	return is && stat.Nlink == 0
}

// device is the disk that a file is on.
func device(info fs.FileInfo) uint64 {
	if stat, is := info.Sys().(*syscall.Stat_t); is {
		return uint64(stat.Dev) //nolint:unconvert // of another type on other systems
	}
	return 0
}

// hasBlobs reports whether a folder has a subfolder of blobs.
func hasBlobs(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.IsDir() && len(e.Name()) == shardLength {
			return true
		}
	}
	return false
}
