// Package blob keeps bytes by key: the pictures of captures. A Store is what the program needs of any place for them;
// the packages below are the kinds of stores, and blob/stores opens the one that a setting names. Bytes are durable before
// Put returns, a visible blob is always whole, and no key reaches outside the store. A store does not know what the bytes
// mean, who may read them, or how long they are kept.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrKey says that a key is not written as keys must be: 3 to 200 characters of A-Z a-z 0-9 . _ -, the first one a
// letter or a digit, the second one no dot.
var ErrKey = errors.New("not a blob key")

// Store keeps blobs. It is safe for concurrent use. Whoever opens one closes it.
type Store interface {
	View
	Writer
	// Ready returns nil when the store can be read and written.
	Ready(ctx context.Context) error
	// Tidy removes what is left of blobs that began to be put before the time and never were, such as by a process that was
	// killed, where their key is one of ours, and returns how many went.
	Tidy(ctx context.Context, before time.Time, ours func(key string) bool) (removed int, err error)
}

// View is a store that is only read. It is safe for concurrent use. Whoever opens one closes it.
type View interface {
	Reader
	// Keys yields every key that was stored before the time, in no order. It stops at the first error. Blobs may be put
	// and deleted meanwhile.
	Keys(ctx context.Context, before time.Time) iter.Seq2[string, error]
	// Usage adds up what is stored. It looks at every blob, which takes a while where there are many.
	Usage(ctx context.Context) (Usage, error)
	// Close gives back what the store holds. Blobs that are open stay readable.
	Close() error
}

// Usage is what a store holds.
type Usage struct {
	Blobs int
	Bytes int64
	Free  int64 // bytes that are left on the disk; Unbounded: no disk is known that could be full
}

// Unbounded is Usage.Free of a store without a known end.
const Unbounded = -1

// Reader opens blobs.
type Reader interface {
	// Open opens a blob for reading; the caller closes it. Where there is none, and for a key that cannot be one, the
	// error is fs.ErrNotExist.
	Open(ctx context.Context, key string) (Blob, error)
}

// Writer stores and removes blobs.
type Writer interface {
	// Put stores all that it reads under the key and returns when it is durable. A key that exists gets the new bytes; a
	// reader sees the old or the new ones, never a mix. The error for a key that cannot be one is ErrKey.
	Put(ctx context.Context, key string, from io.Reader) error
	// Create stores a small blob under a key that has none, and returns when it is durable. Of several that do so at the same
	// time one succeeds. Where the key has a blob, that one stays and the error is fs.ErrExist.
	Create(ctx context.Context, key string, data []byte) error
	// Delete removes a blob. An unknown key is no error; a key that cannot be one is ErrKey.
	Delete(ctx context.Context, key string) error
}

// Blob is one stored blob, open for reading. The caller closes it.
type Blob interface {
	io.ReadSeekCloser
	Size() int64        // bytes
	ModTime() time.Time // when it was stored
}

// Linker is a store from which others can read a blob without the program, by an address that is valid for a time.
type Linker interface {
	// Link returns such an address. Where there is no blob, and for a key that cannot be one, the error is fs.ErrNotExist.
	Link(ctx context.Context, key string, served Served) (string, error)
}

// Served is how a link gives a blob to who follows it.
type Served struct {
	MediaType   string
	Disposition string        // the header Content-Disposition
	Valid       time.Duration // from now; at most 7 days
}

// Kind is one way to keep blobs.
type Kind struct {
	Form  string                    // what a setting that names such a store looks like, for people
	Takes func(setting string) bool // whether the setting names a store of this kind
	// Check returns nil for a setting that can name a store, and else what is wrong with it. It opens nothing. A kind without
	// it takes every setting that it Takes.
	Check func(setting string) error
	// Open opens the store that the setting names, and makes it where that is possible.
	Open func(ctx context.Context, setting string) (Store, error)
	// Share is Open beside other processes that share the store too. nil: Open is.
	Share func(ctx context.Context, setting string) (Store, error)
	// View opens the store that the setting names for reading, beside the process that has it open.
	View func(ctx context.Context, setting string) (View, error)
}

// Bounds of a key, in bytes.
const (
	minKey = 3
	maxKey = 200
)

// ValidKey reports whether a store may keep something under the key: every file system and every object store takes it
// as a plain name.
func ValidKey(key string) bool {
	if len(key) < minKey || len(key) > maxKey || !isAlphanumeric(key[0]) || key[1] == '.' {
		return false
	}
	for i := range len(key) {
		if c := key[i]; !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
