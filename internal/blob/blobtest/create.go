package blobtest

import (
	"bytes"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage/internal/blob"
)

// create creates one key from many sides at once, and then again.
func (c check) create() {
	const sides = 16
	var wins atomic.Int64
	var work sync.WaitGroup
	for side := range sides {
		work.Go(func() {
			switch err := c.store.Create(c.t.Context(), "one.txt", content(side+1)); {
			case err == nil:
				wins.Add(int64(side) + 100)
			case !errors.Is(err, fs.ErrExist):
				c.t.Error(err)
			}
		})
	}
	work.Wait()
	winner := int(wins.Load()) - 100
	if winner < 0 || winner >= sides {
		c.t.Fatalf("several created the key, or none")
	}
	if err := c.store.Create(c.t.Context(), "one.txt", content(99)); !errors.Is(err, fs.ErrExist) {
		c.t.Errorf("a key that exists was created again: %v", err)
	}
	if got := readAll(c.t, mustOpen(c.t, c.store, "one.txt")); !bytes.Equal(got, content(winner+1)) {
		c.t.Errorf("the blob has %d bytes, or others than the winner's %d", len(got), winner+1)
	}
	if err := c.store.Create(c.t.Context(), "../one.txt", nil); !errors.Is(err, blob.ErrKey) {
		c.t.Errorf("a key that can not be one: %v", err)
	}
	if removed, err := c.store.Tidy(c.t.Context(), time.Now().Add(time.Hour), func(string) bool { return true }); removed != 0 || err != nil {
		c.t.Errorf("%d were removed of what is whole: %v", removed, err)
	}
}
