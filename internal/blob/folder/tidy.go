package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// Tidy removes files that were written half before the time: who wrote them was killed.
func (f *tree) Tidy(ctx context.Context, before time.Time) (removed int, err error) {
	entries, err := fs.ReadDir(f.root.FS(), unfinished)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("list unfinished blobs: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return removed, fmt.Errorf("remove unfinished blobs: %w", err)
		}
		if !storedBefore(entry, before) {
			continue
		}
		if err := f.abandon(path.Join(unfinished, entry.Name()), nil); err != nil {
			return removed, fmt.Errorf("remove unfinished blobs: %w", err)
		}
		removed++
	}
	return removed, nil
}
