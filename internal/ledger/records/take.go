package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"github.com/savepage/savepage/internal/ledger"
)

// River takes jobs in one order and knows no accounts. So a job waits in a queue that River does not read, with the turn of
// its capture; whenever River asks for jobs, those whose turn it is are moved into its queue first, in the same commit. An
// account that may have no page now is passed over by one seek in an index, however much it has waiting.

// queueWaiting is the queue of jobs whose turn has not come.
const queueWaiting = "waiting"

const (
	// inLine selects waiting jobs, those of an account in their order.
	inLine    = `river_job INDEXED BY savepage_job_turn WHERE state = 'available' AND queue = 'waiting'`
	lineOrder = ` ORDER BY json_extract(args, '$.account'), json_extract(args, '$.turn'), unique_key LIMIT 1`
	// headsQuery finds the first job of each account by seeking from one account to the next.
	headsQuery = `WITH RECURSIVE head(id) AS (
			SELECT (SELECT id FROM ` + inLine + lineOrder + `)
			UNION ALL
			SELECT (SELECT id FROM ` + inLine + ` AND json_extract(args, '$.account') >
				(SELECT json_extract(h.args, '$.account') FROM river_job h WHERE h.id = head.id)` + lineOrder + `)
			FROM head WHERE head.id IS NOT NULL)
		SELECT json_extract(j.args, '$.account'), json_extract(j.args, '$.class'), json_extract(j.args, '$.turn'),
			CAST(j.unique_key AS TEXT), j.id, coalesce(a.limit_pages, ?1)
		FROM head CROSS JOIN river_job j ON j.id = head.id LEFT JOIN accounts a ON a.id = json_extract(j.args, '$.account')`
	// nextHeadQuery finds the first job of an account after one.
	nextHeadQuery = `SELECT json_extract(args, '$.account'), json_extract(args, '$.class'), json_extract(args, '$.turn'),
		CAST(unique_key AS TEXT), id, ?4 FROM ` + inLine + `
		AND json_extract(args, '$.account') = ?1 AND (json_extract(args, '$.turn'), unique_key) > (?2, CAST(?3 AS BLOB))` + lineOrder
	holdingQuery = `SELECT json_extract(args, '$.account'), count(*) FROM river_job WHERE state = 'running' GROUP BY 1`
	strayQuery   = `UPDATE river_job SET queue = 'waiting' WHERE state = 'available' AND queue = ?`
	takeQuery    = `UPDATE river_job SET queue = ?, scheduled_at = ? WHERE id = ?`
	takenQuery   = `INSERT INTO turns (account, class, last) VALUES ('', 0, ?1)
		ON CONFLICT (account, class) DO UPDATE SET last = max(last, excluded.last)`
)

// taker takes jobs for a producer of River.
type taker func(ctx context.Context, p *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error)

// taking is River's executor, but that the ledger chooses the jobs that it takes.
type taking struct {
	riverdriver.Executor

	take taker
}

// JobGetAvailable takes the jobs whose turn it is.
func (t *taking) JobGetAvailable(ctx context.Context, p *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	return t.take(ctx, p)
}

// take moves the jobs whose turn it is into River's queue and has River take them.
func (q *queue) take(ctx context.Context, p *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	taken := &riverdriver.JobGetAvailableResult{}
	if !q.health.Well() {
		return taken, nil // River asks again soon
	}
	err := q.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// What River has put back itself waits for its turn again.
		if _, err := tx.ExecContext(ctx, strayQuery, p.Queue); err != nil {
			return fmt.Errorf("put back: %w", err)
		}
		chosen, err := q.choose(ctx, tx, p.MaxToLock)
		if err != nil || len(chosen) == 0 {
			return err
		}
		for i, h := range chosen {
			// River takes what is due in the order of time: each gets a time that has passed whatever the clock says.
			if _, err := tx.ExecContext(ctx, takeQuery, p.Queue, riverTime(time.UnixMilli(int64(i))), h.Job); err != nil {
				return fmt.Errorf("move: %w", err)
			}
			if _, err := tx.ExecContext(ctx, takenQuery, h.Now()); err != nil {
				return fmt.Errorf("note the turn: %w", err)
			}
		}
		taken, err = q.driver.UnwrapExecutor(tx).JobGetAvailable(ctx, p)
		return err
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("take jobs: %w", err)
	}
	return taken, nil
}

// choose returns at most limit jobs that are to be taken now, in their order.
func (q *queue) choose(ctx context.Context, tx *sql.Tx, limit int) ([]ledger.Head, error) {
	heads, err := collect(ctx, tx, scanHead, headsQuery, q.pages.Each)
	if err != nil {
		return nil, fmt.Errorf("look for waiting jobs: %w", err)
	}
	if len(heads) == 0 {
		return nil, nil
	}
	holding, err := q.holding(ctx, tx)
	if err != nil {
		return nil, err
	}
	var chosen []ledger.Head
	for len(chosen) < limit {
		i := q.pages.Next(holding, heads)
		if i < 0 {
			break
		}
		h := heads[i]
		chosen = append(chosen, h)
		holding[h.Account]++
		heads[i], err = scanHead(tx.QueryRowContext(ctx, nextHeadQuery, h.Account, h.Turn, h.ID, h.Limit).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			heads = append(heads[:i], heads[i+1:]...)
		} else if err != nil {
			return nil, fmt.Errorf("look for the next job of account %s: %w", h.Account, err)
		}
	}
	return chosen, nil
}

// holding counts the pages that accounts hold.
func (q *queue) holding(ctx context.Context, tx *sql.Tx) (map[string]int, error) {
	type held struct {
		account string
		pages   int
	}
	list, err := collect(ctx, tx, func(scan func(dest ...any) error) (held, error) {
		var h held
		err := scan(&h.account, &h.pages)
		return h, err
	}, holdingQuery)
	if err != nil {
		return nil, fmt.Errorf("count what runs: %w", err)
	}
	holding := make(map[string]int, len(list))
	for _, h := range list {
		holding[h.account] = h.pages
	}
	return holding, nil
}

func scanHead(scan func(dest ...any) error) (ledger.Head, error) {
	var h ledger.Head
	err := scan(&h.Account, &h.Class, &h.Turn, &h.ID, &h.Job, &h.Limit)
	return h, err
}

// giveTurns gives the captures of a transaction their turns, in their order. Those that need no page get one too: they may
// need it later.
func giveTurns(ctx context.Context, tx *sql.Tx, rows []*row) error {
	accounts := map[string]*ledger.Turns{}
	for _, r := range rows {
		turns := accounts[r.Capture.Account]
		if turns == nil {
			var err error
			if turns, err = readTurns(ctx, tx, r.Capture.Account); err != nil {
				return err
			}
			accounts[r.Capture.Account] = turns
		}
		if class := ledger.ClassOf(r.Capture); r.needsPage() {
			r.turn = turns.Next(class)
		} else {
			r.turn = turns.Beside(class)
		}
	}
	for account, turns := range accounts {
		for class, last := range turns.Last {
			if last == 0 {
				continue
			}
			if _, err := tx.ExecContext(ctx, keepTurnQuery, account, class, last); err != nil {
				return fmt.Errorf("keep the turns of account %s: %w", account, err)
			}
		}
	}
	return nil
}

const (
	turnsQuery    = `SELECT account, class, last FROM turns WHERE account IN ('', ?)`
	keepTurnQuery = `INSERT INTO turns (account, class, last) VALUES (?1, ?2, ?3) ON CONFLICT (account, class) DO UPDATE SET last = ?3`
)

func readTurns(ctx context.Context, tx *sql.Tx, account string) (*ledger.Turns, error) {
	var id string
	if err := tx.QueryRowContext(ctx, `SELECT id FROM accounts WHERE id = ?`, account).Scan(&id); err != nil {
		return nil, fmt.Errorf("look for account %s: %w", account, err)
	}
	type kept struct {
		account string
		class   ledger.Class
		last    int64
	}
	list, err := collect(ctx, tx, func(scan func(dest ...any) error) (kept, error) {
		var k kept
		err := scan(&k.account, &k.class, &k.last)
		return k, err
	}, turnsQuery, account)
	if err != nil {
		return nil, fmt.Errorf("read the turns of account %s: %w", account, err)
	}
	var turns ledger.Turns
	for _, k := range list {
		if k.account == "" {
			turns.Now = k.last
		} else {
			turns.Last[k.class] = k.last
		}
	}
	return &turns, nil
}
