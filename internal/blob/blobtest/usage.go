package blobtest

import (
	"bytes"
	"context"
	"errors"

	"github.com/savepage/savepage/internal/blob"
)

func (c check) usage() {
	t, s := c.t, c.store
	want := blob.Usage{}
	look := func() {
		t.Helper()
		got, err := s.Usage(t.Context())
		if err != nil || got.Blobs != want.Blobs || got.Bytes != want.Bytes {
			t.Errorf("%+v %v, want %d of %d bytes", got, err, want.Blobs, want.Bytes)
		}
		if got.Free == 0 || got.Free < blob.Unbounded {
			t.Errorf("%d bytes are free", got.Free)
		}
	}
	look()
	for key, size := range map[string]int{"aaa.png": 1000, "bbb.png": 1, "ccc.pdf": 70_000} {
		if err := s.Put(t.Context(), key, bytes.NewReader(content(size))); err != nil {
			t.Fatal(err)
		}
		want.Blobs, want.Bytes = want.Blobs+1, want.Bytes+int64(size)
	}
	look()
	if err := s.Delete(t.Context(), "aaa.png"); err != nil {
		t.Fatal(err)
	}
	want.Blobs, want.Bytes = 2, 70_001
	look()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Usage(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled look ends with %v", err)
	}
}
