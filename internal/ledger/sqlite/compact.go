package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Free pages are given back in small steps, so that no commit waits for long.
const (
	freeShare = 5   // one in so many pages may be free: they are used again
	freeMin   = 256 // pages that may be free in any case: 1 MiB
	freeStep  = 512 // pages given back at once: 2 MiB
)

// shortenEvery is how often the length of the file is looked at.
const shortenEvery = 3 * time.Second

// keepShort gives free space back until ctx ends.
func (l *Ledger) keepShort(ctx context.Context) {
	for l.folder.clock.Pause(ctx, shortenEvery) {
		if err := l.giveBack(ctx); err != nil && ctx.Err() == nil {
			l.folder.log.ErrorContext(ctx, "giving back free space failed", "error", err)
		}
	}
}

// giveBack shortens the file by some of its free pages when there are many. A file that an earlier version made keeps its
// length until Compact.
func (l *Ledger) giveBack(ctx context.Context) error {
	var pages, free, mode int
	const sizes = `SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count),
		(SELECT auto_vacuum FROM pragma_auto_vacuum)`
	if err := l.folder.read.QueryRowContext(ctx, sizes).Scan(&pages, &free, &mode); err != nil {
		return fmt.Errorf("look for free space: %w", err)
	}
	const incremental = 2
	if mode != incremental || free <= freeMin || free <= pages/freeShare {
		return nil
	}
	err := l.Do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, min(freeStep, free-freeMin)))
		return err
	})
	if err != nil {
		return fmt.Errorf("give back free space: %w", err)
	}
	return nil
}

// Compact writes the database anew without free space, and makes one of an earlier version give it back from then on. The
// folder must not be served meanwhile, and the disk needs as much free space as the database is large.
func (d Database) Compact(ctx context.Context) (err error) {
	lock, err := lockDir(d.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	db, err := openWriter(d.dir)
	if err != nil {
		return err
	}
	for _, statement := range []string{`PRAGMA auto_vacuum = INCREMENTAL`, `VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("compact the database: %w", naming(d.dir, err)), db.Close())
		}
	}
	return db.Close()
}
