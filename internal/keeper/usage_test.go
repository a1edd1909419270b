package keeper_test

import (
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/keeper"
)

// TestUsage counts pictures, and not the name of the store's owner.
func TestUsage(t *testing.T) {
	p := newPlace(t)
	look := func(blobs int, bytes int64) {
		t.Helper()
		u, err := keeper.Usage(t.Context(), p.store)
		if err != nil || u.Blobs != blobs || u.Bytes != bytes || u.Free <= 0 {
			t.Errorf("%+v %v, want %d of %d bytes", u, err, blobs, bytes)
		}
	}
	look(0, 0)
	check(t, keeper.Claim(t.Context(), p.store, p.records, discard()))
	look(0, 0)
	check(t, p.store.Put(t.Context(), "abc.png", strings.NewReader("12345")))
	look(1, 5)
}
