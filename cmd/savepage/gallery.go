package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/health"
)

// gallery serves stored pictures to the API, and reports a store that does not work.
type gallery struct {
	store  blob.Store
	health *health.Board
	valid  time.Duration // of links; 0: there are none
}

func (g gallery) open(ctx context.Context, name string) (api.Picture, error) {
	picture, err := g.store.Open(ctx, name)
	return picture, g.judged(ctx, err)
}

// file is open for who reads a picture from any place.
func (g gallery) file(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	return g.open(ctx, name)
}

// judged reports an error of the store that is the store's own.
func (g gallery) judged(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
		return err
	}
	err = health.Of(health.Pictures, err)
	g.health.Report(err)
	return err
}

// linker is how the API links to a stored picture; nil if the server sends pictures itself.
func (g gallery) linker() func(ctx context.Context, name, mediaType, disposition string) (string, error) {
	store, is := g.store.(blob.Linker)
	if !is || g.valid == 0 {
		return nil
	}
	return func(ctx context.Context, name, mediaType, disposition string) (string, error) {
		address, err := store.Link(ctx, name, blob.Served{MediaType: mediaType, Disposition: disposition, Valid: g.valid})
		return address, g.judged(ctx, err)
	}
}
