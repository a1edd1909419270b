package folder

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"sync"
	"syscall"
	"time"

	"github.com/savepage/savepage/internal/blob"
)

// tree is an open folder: blobs in subfolders named by the first two characters of the key.
type tree struct {
	root *os.Root
	info fs.FileInfo // of the folder when it was opened
	lock *folderLock // nil: the folder is only read

	making sync.Mutex
	made   map[string]bool // subfolders whose names are on disk
	needed int64           // bytes of the largest blob that could not be written since a probe succeeded
}

// unfinished is the subfolder of files that are being written. Its name is no shard's, since no key begins with a dot.
const unfinished = ".tmp"

// openTree opens a folder that is there, for this process alone. What an earlier process left half written is removed.
func openTree(dir string) (*tree, error) {
	t, err := viewTree(dir)
	if err != nil {
		return nil, err
	}
	if t.lock, err = lock(t.root); err != nil {
		return nil, errors.Join(fmt.Errorf("picture folder %s: %w", dir, err), t.root.Close())
	}
	if err := t.sweep(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// shareTree opens a folder that is there beside other processes that share it. What was left half written is removed by who finds
// nobody else there.
func shareTree(dir string) (*tree, error) {
	t, err := viewTree(dir)
	if err != nil {
		return nil, err
	}
	first := false
	for range shareTries {
		if t.lock, first, err = share(t.root); !errors.Is(err, errInUse) {
			break
		}
		time.Sleep(shareEvery) // another one has it alone for as long as it cleans up
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("picture folder %s: %w", dir, err), t.root.Close())
	}
	if first {
		err = errors.Join(t.sweep(), t.lock.let())
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// How often and how long who shares a folder waits for one that has it alone.
const (
	shareTries = 40
	shareEvery = 50 * time.Millisecond
)

// viewTree opens a folder that is there for reading, beside the process that has it open.
func viewTree(dir string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the picture folder: %w", err)
	}
	info, err := root.Stat(".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the picture folder: %w", err), root.Close())
	}
	return &tree{root: root, info: info, made: make(map[string]bool)}, nil
}

// Close gives the folder back. Blobs that are open stay readable.
func (f *tree) Close() error { return errors.Join(f.lock.Close(), f.root.Close()) }

// sweep removes what a killed process left half written.
func (f *tree) sweep() error {
	if err := f.root.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("sweep unfinished blobs: %w", err)
	}
	if err := f.root.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("make the folder of unfinished blobs: %w", err)
	}
	return f.syncDir(".")
}

// Put stores all that it reads under the key and returns when they are on disk. A key that exists gets the new bytes; a reader
// sees the old or the new ones, never a mix.
func (f *tree) Put(ctx context.Context, key string, from io.Reader) error {
	return f.put(ctx, key, from, f.root.Rename)
}

// Create stores a blob under a key that has none, and returns when it is on disk.
func (f *tree) Create(ctx context.Context, key string, data []byte) error {
	var temp string
	named := func(written, name string) error {
		temp = written
		return f.root.Link(written, name)
	}
	if err := f.put(ctx, key, bytes.NewReader(data), named); err != nil {
		return err
	}
	return f.abandon(temp, nil) // the file has two names now
}

// put writes a blob to a file of its own and then names it.
func (f *tree) put(ctx context.Context, key string, from io.Reader, named func(written, name string) error) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("put blob %q: %w", key, blob.ErrKey)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	temp := path.Join(unfinished, rand.Text())
	if n, err := f.write(temp, from); err != nil {
		f.lacks(n)
		return f.abandon(temp, fmt.Errorf("write blob: %w", err))
	}
	if err := f.publish(temp, key, named); err != nil {
		f.forget()
		return f.abandon(temp, fmt.Errorf("publish blob: %w", err))
	}
	return nil
}

// lacks notes that so many bytes of a blob were written and then no more.
func (f *tree) lacks(bytes int64) {
	f.making.Lock()
	defer f.making.Unlock()
	f.needed = max(f.needed, min(bytes+probeBytes, mostProbeBytes))
}

// forget has the subfolders looked for again: somebody may have removed some.
func (f *tree) forget() {
	f.making.Lock()
	defer f.making.Unlock()
	clear(f.made)
}

func (f *tree) write(name string, from io.Reader) (int64, error) {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(file, from)
	if err == nil {
		err = file.Sync()
	}
	return n, errors.Join(err, file.Close())
}

// publish gives a complete file its name. The file itself is on disk already, so whoever sees the name sees all of it.
func (f *tree) publish(temp, key string, named func(written, name string) error) error {
	shard, name := fileOf(key)
	if err := f.makeShard(shard); err != nil {
		return err
	}
	if err := named(temp, name); err != nil {
		return err
	}
	return f.syncDir(shard)
}

// makeShard returns when the subfolder's own name is on disk. Whoever finds it being made by another waits for that one.
func (f *tree) makeShard(shard string) error {
	f.making.Lock()
	defer f.making.Unlock()
	if f.made[shard] {
		return nil
	}
	if err := f.root.Mkdir(shard, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.syncDir("."); err != nil {
		return err
	}
	f.made[shard] = true
	return nil
}

func (f *tree) abandon(temp string, cause error) error {
	if err := f.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(cause, err)
	}
	return cause
}

// syncDir writes a folder's names to disk.
func (f *tree) syncDir(name string) error {
	dir, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open opens a blob for reading; the caller closes it. Where there is none, and for a key that cannot be one, the error is
// fs.ErrNotExist.
func (f *tree) Open(ctx context.Context, key string) (blob.Blob, error) {
	if !blob.ValidKey(key) {
		return nil, fmt.Errorf("open blob %q: %w", key, fs.ErrNotExist)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	_, name := fileOf(key)
	file, err := f.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blob: %w", err), file.Close())
	}
	return &fileBlob{File: file, info: info}, nil
}

// Delete removes a blob. An unknown key is no error.
func (f *tree) Delete(ctx context.Context, key string) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("delete blob %q: %w", key, blob.ErrKey)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	_, name := fileOf(key)
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// Keys yields every key that was stored before the time, in no order. It stops at the first error. Blobs may be put and
// deleted meanwhile.
func (f *tree) Keys(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for entry, err := range f.entries(ctx) {
			if err != nil {
				yield("", err)
				return
			}
			if storedBefore(entry, before) && !yield(entry.Name(), nil) {
				return
			}
		}
	}
}

// Usage adds up the blobs and tells what is left of the disk.
func (f *tree) Usage(ctx context.Context) (blob.Usage, error) {
	var u blob.Usage
	for entry, err := range f.entries(ctx) {
		if err != nil {
			return u, err
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() { // or it was deleted meanwhile
			u.Blobs, u.Bytes = u.Blobs+1, u.Bytes+info.Size()
		}
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(f.root.Name(), &disk); err != nil {
		return u, fmt.Errorf("free space of the picture folder: %w", err)
	}
	u.Free = int64(disk.Bavail) * int64(disk.Bsize) //nolint:gosec,unconvert // types differ between systems; no disk is that large
	return u, nil
}

// entries yields every file that has a key for its name, in no order. It stops at the first error.
func (f *tree) entries(ctx context.Context) iter.Seq2[fs.DirEntry, error] {
	return func(yield func(fs.DirEntry, error) bool) {
		shards, err := fs.ReadDir(f.root.FS(), ".")
		if err != nil {
			yield(nil, fmt.Errorf("list blobs: %w", err))
			return
		}
		for _, shard := range shards {
			if len(shard.Name()) != shardLength || !shard.IsDir() {
				continue
			}
			if !f.shardEntries(ctx, shard.Name(), yield) {
				return
			}
		}
	}
}

// shardEntries yields those of one subfolder and reports whether to go on.
func (f *tree) shardEntries(ctx context.Context, shard string, yield func(fs.DirEntry, error) bool) bool {
	entries, err := fs.ReadDir(f.root.FS(), shard)
	if err != nil {
		yield(nil, fmt.Errorf("list blobs: %w", err))
		return false
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			yield(nil, fmt.Errorf("list blobs: %w", err))
			return false
		}
		if blob.ValidKey(entry.Name()) && !yield(entry, nil) {
			return false
		}
	}
	return true
}

// storedBefore is false also for a file that was deleted since it was listed.
func storedBefore(entry fs.DirEntry, before time.Time) bool {
	info, err := entry.Info()
	return err == nil && info.Mode().IsRegular() && info.ModTime().Before(before)
}

// How much a probe writes: a little, and as much as could not be written before, up to a bound that harms nobody else on
// the same disk.
const (
	probeBytes     = 4 << 10
	mostProbeBytes = 1 << 20
)

// Ready reports whether the folder can be written: a file is written to disk and removed again.
func (f *tree) Ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("picture folder: %w", err)
	}
	if err := f.root.Mkdir(unfinished, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("picture folder: %w", err)
	}
	f.making.Lock()
	size := max(f.needed, probeBytes)
	f.making.Unlock()
	name := path.Join(unfinished, rand.Text())
	if _, err := f.write(name, bytes.NewReader(make([]byte, size))); err != nil {
		return f.abandon(name, fmt.Errorf("picture folder: %w", err))
	}
	if err := f.root.Remove(name); err != nil {
		return fmt.Errorf("picture folder: %w", err)
	}
	f.making.Lock()
	defer f.making.Unlock()
	if f.needed <= size {
		f.needed = 0
	}
	return nil
}

// shardLength is how many characters of a key name its subfolder.
const shardLength = 2

// fileOf returns the subfolder of a key and the file's name in the store.
func fileOf(key string) (shard, name string) {
	shard = key[:shardLength]
	return shard, path.Join(shard, key)
}

// fileBlob is a stored file with what was known of it when it was opened.
type fileBlob struct {
	*os.File
	info fs.FileInfo
}

// Size returns the bytes of the blob.
func (b *fileBlob) Size() int64 { return b.info.Size() }

// ModTime returns when the blob was stored.
func (b *fileBlob) ModTime() time.Time { return b.info.ModTime() }
