// Package blobtest is the suite that every blob store must pass. It refuses to know how a store keeps its bytes.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/savepage/savepage/internal/blob"
)

// Reopen opens one and the same store each time it is called.
type Reopen func(ctx context.Context) (blob.Store, error)

// check is one test of one store.
type check struct {
	t      *testing.T
	store  blob.Store
	reopen Reopen
}

// Run tests a kind of store. Each call of fresh is for a place of its own that is still empty; Run closes what it opens.
func Run(t *testing.T, fresh func(t *testing.T) Reopen) {
	t.Helper()
	tests := []struct {
		name string
		test func(check)
	}{
		{"a blob comes back as it was put", check.putAndOpen},
		{"a blob comes back as it was read", check.putFrom},
		{"a blob can be read from any place", check.seek},
		{"a blob outlives the store's closing", check.outlive},
		{"an unknown key does not exist", check.unknown},
		{"a second put replaces the first", check.replace},
		{"a key is created once", check.create},
		{"delete removes and may be repeated", check.remove},
		{"keys are those stored before the time", check.keys},
		{"keys can be deleted while they are listed", check.deleteWhileListing},
		{"keys stop when the caller does", check.stopListing},
		{"no key reaches outside the store", check.badKeys},
		{"a canceled context changes nothing", check.canceled},
		{"a reader sees whole blobs while they are replaced", check.readWhileReplacing},
		{"the store is ready", check.ready},
		{"what is stored is added up", check.usage},
	}
	for _, one := range tests {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			c := check{t: t, reopen: fresh(t)}
			c.store = c.open()
			one.test(c)
		})
	}
}

// open opens the test's store; the end of the test closes it.
func (c check) open() blob.Store {
	c.t.Helper()
	opened, err := c.reopen(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	s := &closedOnce{Store: opened}
	c.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return s
}

// closedOnce is a store that a test may close before its end.
type closedOnce struct {
	blob.Store

	once sync.Once
	err  error
}

// Close closes the store the first time that it is called.
func (s *closedOnce) Close() error {
	s.once.Do(func() { s.err = s.Store.Close() })
	return s.err
}

// outlive opens the store a second time, after the first one was closed.
func (c check) outlive() {
	t, data := c.t, content(7)
	mustPut(t, c.store, "abc.png", data)
	if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, mustOpen(t, c.open(), "abc.png")); !bytes.Equal(got, data) {
		t.Errorf("came back changed: %d bytes, want %d", len(got), len(data))
	}
}

func (c check) putAndOpen() {
	t, s := c.t, c.store
	for _, size := range []int{0, 1, 4096, 3 << 20} {
		key, data := fmt.Sprintf("k%09d.png", size), content(size)
		begun := time.Now().Add(-time.Minute)
		mustPut(t, s, key, data)
		b := mustOpen(t, s, key)
		if b.Size() != int64(size) {
			t.Errorf("size of %s is %d, want %d", key, b.Size(), size)
		}
		if b.ModTime().Before(begun) || b.ModTime().After(time.Now().Add(time.Minute)) {
			t.Errorf("time of %s is %s, want about now", key, b.ModTime())
		}
		if got := readAll(t, b); !bytes.Equal(got, data) {
			t.Errorf("%s came back changed: %d bytes, want %d", key, len(got), size)
		}
	}
}

// putFrom reads a source to its end, and stores nothing when the source fails.
func (c check) putFrom() {
	t, s, data := c.t, c.store, content(3<<20)
	if err := s.Put(t.Context(), "read.png", iotest.HalfReader(bytes.NewReader(data))); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, mustOpen(t, s, "read.png")); !bytes.Equal(got, data) {
		t.Errorf("came back changed: %d bytes, want %d", len(got), len(data))
	}
	broken := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := s.Put(t.Context(), "broken.png", broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that fails: %v", err)
	}
	if _, err := s.Open(t.Context(), "broken.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a blob is there: %v", err)
	}
}

func (c check) seek() {
	t, s := c.t, c.store
	data := content(10_000)
	mustPut(t, s, "seek.png", data)
	b := mustOpen(t, s, "seek.png")
	if _, err := b.Seek(-100, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, b); !bytes.Equal(got, data[9_900:]) {
		t.Errorf("the last 100 bytes came back changed: %d bytes", len(got))
	}
}

func (c check) unknown() {
	t, s := c.t, c.store
	if _, err := s.Open(t.Context(), "nothing.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open of an unknown key: %v, want fs.ErrNotExist", err)
	}
}

func (c check) replace() {
	t, s := c.t, c.store
	mustPut(t, s, "twice.png", content(5000))
	mustPut(t, s, "twice.png", content(70))
	if got := readAll(t, mustOpen(t, s, "twice.png")); !bytes.Equal(got, content(70)) {
		t.Errorf("got %d bytes, want the 70 of the second put", len(got))
	}
}

func (c check) remove() {
	t, s := c.t, c.store
	mustPut(t, s, "gone.png", content(10))
	for range 2 {
		if err := s.Delete(t.Context(), "gone.png"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Open(t.Context(), "gone.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open after delete: %v, want fs.ErrNotExist", err)
	}
}

func (c check) keys() {
	t, s := c.t, c.store
	want := []string{"0a.png", "aa-1.png", "aa-2.webp", "zz_9.jpeg"}
	for _, key := range want {
		mustPut(t, s, key, content(10))
	}
	if got := list(t, s, time.Now().Add(time.Hour)); !slices.Equal(got, want) {
		t.Errorf("keys are %q, want %q", got, want)
	}
	if got := list(t, s, time.Now().Add(-time.Hour)); len(got) != 0 {
		t.Errorf("keys of an hour ago are %q, want none", got)
	}
}

func (c check) deleteWhileListing() {
	t, s := c.t, c.store
	for i := range 300 {
		mustPut(t, s, fmt.Sprintf("%02d-%03d.png", i%7, i), nil)
	}
	seen := 0
	for key, err := range s.Keys(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if left := list(t, s, time.Now().Add(time.Hour)); seen != 300 || len(left) != 0 {
		t.Errorf("saw %d of 300 keys, %d are left", seen, len(left))
	}
}

func (c check) stopListing() {
	t, s := c.t, c.store
	for i := range 5 {
		mustPut(t, s, fmt.Sprintf("a%d.png", i), nil)
	}
	seen := 0
	for _, err := range s.Keys(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("saw %d keys after stopping at 2", seen)
	}
}

func (c check) badKeys() {
	t, s := c.t, c.store
	bad := []string{
		"", "a", "ab", ".", "..", "...", "../x", "../../etc/passwd", "/etc/passwd", "a/b", `a\b`, "a/../../b", ".hidden", ".tmp",
		"a..", "nul\x00byte", "new\nline", "ümlaut", "spa ce", "-dash", "_line", "x:y", strings.Repeat("a", 201),
	}
	for _, key := range bad {
		if err := s.Put(t.Context(), key, bytes.NewReader(content(1))); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put of %q: %v, want blob.ErrKey", key, err)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("delete of %q: %v, want blob.ErrKey", key, err)
		}
		if _, err := s.Open(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open of %q: %v, want fs.ErrNotExist", key, err)
		}
	}
	mustPut(t, s, strings.Repeat("a", 200), content(1))
}

func (c check) canceled() {
	t, s := c.t, c.store
	mustPut(t, s, "kept.png", content(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "kept.png", bytes.NewReader(content(20))); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want context.Canceled", err)
	}
	if err := s.Delete(ctx, "kept.png"); !errors.Is(err, context.Canceled) {
		t.Errorf("delete: %v, want context.Canceled", err)
	}
	if _, err := s.Open(ctx, "kept.png"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v, want context.Canceled", err)
	}
	for _, err := range s.Keys(ctx, time.Now().Add(time.Hour)) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("keys: %v, want context.Canceled", err)
		}
	}
	if got := mustOpen(t, s, "kept.png").Size(); got != 10 {
		t.Errorf("the blob has %d bytes, want 10", got)
	}
}

// readWhileReplacing puts self-checking blobs under few keys while others read and list them.
func (c check) readWhileReplacing() {
	t, s := c.t, c.store
	const writers, rounds = 4, 25
	var group sync.WaitGroup
	for w := range writers {
		mustPut(t, s, sharedKey(w), sealed(w))
		group.Go(func() {
			for round := range rounds {
				if err := s.Put(t.Context(), sharedKey(round%writers), bytes.NewReader(sealed(w*rounds+round))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range writers {
		group.Go(func() {
			for round := range rounds {
				b, err := s.Open(t.Context(), sharedKey(round%writers))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				data, err := io.ReadAll(b)
				if err := errors.Join(err, b.Close()); err != nil || !Whole(data) {
					t.Errorf("a blob of %d bytes is not whole: %v", len(data), err)
				}
			}
		})
	}
	group.Wait()
	if got := list(t, s, time.Now().Add(time.Hour)); len(got) != writers {
		t.Errorf("keys are %q, want %d", got, writers)
	}
}

func (c check) ready() {
	t, s := c.t, c.store
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if got := list(t, s, time.Now().Add(time.Hour)); len(got) != 0 {
		t.Errorf("asking left %q behind", got)
	}
}

// Sealed returns size bytes of content behind their own checksum, so that Whole knows them again.
func Sealed(size int) []byte {
	data := content(size)
	sum := sha256.Sum256(data)
	return append(sum[:], data...)
}

// Whole reports whether data is what Sealed returned, complete and unchanged.
func Whole(data []byte) bool {
	if len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	return bytes.Equal(sum[:], data[:sha256.Size])
}

func sealed(n int) []byte { return Sealed(1000 + n*777) }

func sharedKey(n int) string { return fmt.Sprintf("shared-%d.png", n) }

// content returns bytes that differ at every place and for every size.
func content(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte((i*7 + i>>8 + size) & 0xff)
	}
	return data
}

func mustPut(t *testing.T, s blob.Store, key string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t *testing.T, s blob.Store, key string) blob.Blob {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func readAll(t *testing.T, b blob.Blob) []byte {
	t.Helper()
	data, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func list(t *testing.T, s blob.Store, before time.Time) []string {
	t.Helper()
	var found []string
	for key, err := range s.Keys(t.Context(), before) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, key)
	}
	slices.Sort(found)
	return found
}
