package keeper

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// each does something with every name, so many at once, and stops at the first error or when ctx ends.
func each(ctx context.Context, names []string, atOnce int, do func(ctx context.Context, name string) error) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, name := range names {
		if within.Err() != nil {
			break
		}
		group.Go(func() error { return do(within, name) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}
