package records

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/savepage/savepage/internal/ledger"
)

// About tells what a database holds.
func About(ctx context.Context, q Queries) (ledger.About, error) {
	var about ledger.About
	var err error
	if about.Identity, err = identity(ctx, q); err != nil {
		return about, fmt.Errorf("%w; a database of an earlier version is brought up by a start of the server or savepage migrate", err)
	}
	const versions = `SELECT max(version_id), (SELECT count(*) FROM captures) FROM goose_db_version WHERE is_applied`
	if err := q.QueryRowContext(ctx, versions).Scan(&about.Schema, &about.Captures); err != nil {
		return about, fmt.Errorf("read the version of the tables: %w", err)
	}
	for _, column := range sealedColumns() {
		query := fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s WHERE substr(%s, 1, %d) = ?)`, column.table, column.name,
			len(ledger.SealedPrefix))
		var sealed bool
		if err := q.QueryRowContext(ctx, query, ledger.SealedPrefix).Scan(&sealed); err != nil {
			return about, fmt.Errorf("look for secrets: %w", err)
		}
		about.Sealed = about.Sealed || sealed
	}
	return about, nil
}

// Pictures returns the names of the pictures that the captures of a database name.
func Pictures(ctx context.Context, q Queries) ([]string, error) {
	const query = `SELECT DISTINCT picture_name FROM captures WHERE picture_name IS NOT NULL ORDER BY picture_name`
	names, err := collect(ctx, q, scanText, query)
	if err != nil {
		return nil, fmt.Errorf("list the pictures of the records: %w", err)
	}
	return names, nil
}

// Drop removes from the copy of a database the captures with these pictures that the live one has removed since. It returns
// the pictures whose captures are still there.
func Drop(ctx context.Context, copied Writer, live Queries, pictures []string) ([]string, error) {
	list, err := textList(pictures)
	if err != nil {
		return nil, err
	}
	const named = ` FROM captures WHERE picture_name IN (SELECT value FROM json_each(?))`
	kept, err := collect(ctx, live, scanText, `SELECT DISTINCT picture_name`+named, list)
	if err != nil {
		return nil, fmt.Errorf("look for removed captures: %w", err)
	}
	there := make(map[string]bool, len(kept))
	for _, name := range kept {
		there[name] = true
	}
	err = copied.InTx(ctx, func(tx *sql.Tx) error {
		records, err := collect(ctx, tx, scanPictured, `SELECT id, picture_name`+named, list)
		if err != nil {
			return err
		}
		var gone []string
		for _, r := range records {
			if !there[r.picture] {
				gone = append(gone, r.id)
			}
		}
		return forget(ctx, tx, gone)
	})
	if err != nil {
		return nil, fmt.Errorf("drop removed captures from the copy: %w", err)
	}
	return kept, nil
}

type pictured struct{ id, picture string }

func scanPictured(scan func(dest ...any) error) (pictured, error) {
	var p pictured
	err := scan(&p.id, &p.picture)
	return p, err
}
