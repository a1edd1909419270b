// Package blob keeps bytes by key: the pictures of captures. Bytes are on disk before Put returns, a visible blob is
// always whole, and no key reaches outside the store. It does not know what the bytes mean, who may read them, or how
// long they are kept.
package blob

import (
	"errors"
	"io"
	"time"
)

// ErrKey says that a key is not written as keys must be: 3 to 200 characters of A-Z a-z 0-9 . _ -, the first one a
// letter or a digit, the second one no dot.
var ErrKey = errors.New("not a blob key")

// Blob is one stored blob, open for reading. The caller closes it.
type Blob interface {
	io.ReadSeekCloser
	Size() int64        // bytes
	ModTime() time.Time // when it was stored
}

// Longest and shortest key, in bytes.
const (
	minKey = 3
	maxKey = 200
)

// validKey keeps keys to what every file system and every object store takes as a plain name.
func validKey(key string) bool {
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
