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

// River takes jobs in one order and knows no accounts. So a job that waits has its account as its queue, which River does not
// read, and its turn as its time: River's own index holds the jobs of each account in their order. Whenever River asks for
// jobs, those whose turn it is are moved into its queue first, in the same commit. ledger.Heads says which accounts to look at:
// what it costs depends neither on how many accounts have something waiting nor on how much.

const (
	anyQueue = ` FROM river_job INDEXED BY river_job_prioritized_fetching_index WHERE state = 'available'`
	// inLine selects the waiting jobs of an account, and lineOrder the first of them.
	inLine     = anyQueue + ` AND queue = ?1 AND priority = 1`
	lineOrder  = ` ORDER BY scheduled_at, unique_key LIMIT 1`
	headValues = `SELECT id, queue, json_extract(args, '$.class'), json_extract(args, '$.turn'), CAST(unique_key AS TEXT)`
	headQuery  = headValues + `, (SELECT limit_pages FROM accounts WHERE id = ?1)` + inLine + lineOrder
	// nextHeadQuery finds the job of an account after one.
	nextHeadQuery = headValues + `, NULL` + inLine + ` AND (scheduled_at, unique_key) > (?2, CAST(?3 AS BLOB))` + lineOrder
	// linesQuery finds the first job of each account by seeking from one account to the next.
	linesQuery = `WITH RECURSIVE waiting(account) AS (
			SELECT (SELECT queue` + anyQueue + ` ORDER BY queue LIMIT 1)
			UNION ALL
			SELECT (SELECT queue` + anyQueue + ` AND queue > waiting.account ORDER BY queue LIMIT 1)
			FROM waiting WHERE waiting.account IS NOT NULL)
		SELECT account, (SELECT json_extract(args, '$.turn')` + anyQueue + ` AND queue = waiting.account AND priority = 1
			ORDER BY scheduled_at LIMIT 1) FROM waiting WHERE account IS NOT NULL AND account <> ?`
	holdingQuery = `SELECT json_extract(args, '$.account'), count(*) FROM river_job WHERE state = 'running' GROUP BY 1`
	takeQuery    = `UPDATE river_job SET queue = ?, scheduled_at = ? WHERE id = ?`
	takenQuery   = `INSERT INTO turns (account, class, last) VALUES ('', 0, ?1)
		ON CONFLICT (account, class) DO UPDATE SET last = excluded.last WHERE turns.last < excluded.last`
)

// What selects jobs that are to wait for their turn again, and what makes them.
const (
	placeValues = `SELECT id, json_extract(args, '$.account'), json_extract(args, '$.turn'), CAST(unique_key AS TEXT) FROM river_job`
	strayQuery  = placeValues + ` WHERE state = 'available' AND queue = ?`
	lineQuery   = `UPDATE river_job SET state = 'available', queue = ?, scheduled_at = ? WHERE id = ?`
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
		if err := q.knowHeads(ctx, tx); err != nil {
			return err
		}
		// What River has put back itself waits for its turn again.
		if err := q.line(ctx, tx, strayQuery, p.Queue); err != nil {
			return fmt.Errorf("put back: %w", err)
		}
		chosen, err := q.choose(ctx, tx, p.MaxToLock)
		if err != nil || len(chosen) == 0 {
			return err
		}
		for i, h := range chosen {
			// River takes what is due in the order of time: each gets a time that has passed whatever the clock says.
			if _, err := tx.ExecContext(ctx, takeQuery, p.Queue, RiverTime(time.UnixMilli(int64(i))), h.Job); err != nil {
				return fmt.Errorf("move: %w", err)
			}
			if _, err := tx.ExecContext(ctx, takenQuery, h.Now()); err != nil {
				return fmt.Errorf("note the turn: %w", err)
			}
		}
		own := *p
		own.ClientID = q.self.ID() // of the node: what it has taken is given back when it ends
		taken, err = q.driver.UnwrapExecutor(tx).JobGetAvailable(ctx, &own)
		return err
	}, func(err error) { q.unsure = err != nil })
	if err != nil {
		return nil, fmt.Errorf("take jobs: %w", err)
	}
	return taken, nil
}

// knowHeads looks at all who wait when it is not sure whose turn it can be: at the start, and after a transaction that was
// rolled back had a look at what then was not so.
func (q *queue) knowHeads(ctx context.Context, tx *sql.Tx) error {
	if q.unsure {
		if err := q.noteHeads(ctx, tx); err != nil {
			return err
		}
	}
	q.unsure = true
	return nil
}

// noteHeads tells the first places of all accounts that have something waiting.
func (q *queue) noteHeads(ctx context.Context, from Queries) error {
	_, err := collect(ctx, from, func(scan func(dest ...any) error) (account string, err error) {
		var turn int64
		if err = scan(&account, &turn); err == nil {
			q.heads.Note(account, turn, "")
		}
		return account, err
	}, linesQuery, ledger.QueueInteractive)
	if err != nil {
		return fmt.Errorf("look for accounts that have captures waiting: %w", err)
	}
	return nil
}

// line has the jobs that a query of placeValues selects wait for their turn.
func (q *queue) line(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	jobs, err := collect(ctx, tx, func(scan func(dest ...any) error) (h ledger.Head, err error) {
		return h, scan(&h.Job, &h.Account, &h.Turn, &h.ID)
	}, query, args...)
	if err != nil {
		return err
	}
	for _, h := range jobs {
		if _, err := tx.ExecContext(ctx, lineQuery, h.Account, RiverTime(turnTime(h.Turn)), h.Job); err != nil {
			return err
		}
		q.tell.waits(h.Account, h.Turn, h.ID)
		q.heads.Note(h.Account, h.Turn, h.ID)
	}
	return nil
}

// choose returns at most limit jobs that are to be taken now, in their order.
func (q *queue) choose(ctx context.Context, tx *sql.Tx, limit int) ([]ledger.Head, error) {
	holding, err := q.holding(ctx, tx)
	if err != nil {
		return nil, err
	}
	pages := q.slots.now()
	if limit = min(limit, q.slots.left(pages, limit)); limit <= 0 {
		return nil, nil
	}
	if beside := q.peers.view.Load(); beside != nil {
		pages.Usual += beside.pages.Usual
		pages.Reserve += beside.pages.Reserve
	}
	// More accounts than there are pages change nobody's share of them.
	heads, err := q.heads.First(max(limit, pages.Usual), holding, func(account string) (ledger.Head, bool, error) {
		return findHead(ctx, tx, pages.Each, headQuery, account)
	})
	if err != nil {
		return nil, err
	}
	var chosen []ledger.Head
	for len(chosen) < limit {
		i := pages.Next(holding, heads)
		if i < 0 {
			break
		}
		h := heads[i]
		chosen = append(chosen, h)
		holding[h.Account]++
		var more bool
		after := RiverTime(turnTime(h.Turn))
		if heads[i], more, err = findHead(ctx, tx, h.Limit, nextHeadQuery, h.Account, after, h.ID); err != nil {
			return nil, fmt.Errorf("look for the next job of account %s: %w", h.Account, err)
		}
		if !more {
			heads = append(heads[:i], heads[i+1:]...)
		}
	}
	return chosen, nil
}

// findHead reads a waiting job, whose account has a limit of pages unless it has one of its own; false when there is none.
func findHead(ctx context.Context, tx *sql.Tx, limit int, query string, args ...any) (h ledger.Head, found bool, err error) {
	var own sql.NullInt64
	err = tx.QueryRowContext(ctx, query, args...).Scan(&h.Job, &h.Account, &h.Class, &h.Turn, &h.ID, &own)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if h.Limit = limit; own.Valid {
		h.Limit = int(own.Int64)
	}
	return h, err == nil, err
}

// holding counts the pages that accounts hold.
func (q *queue) holding(ctx context.Context, tx *sql.Tx) (map[string]int, error) {
	holding := map[string]int{}
	_, err := collect(ctx, tx, func(scan func(dest ...any) error) (account string, err error) {
		var pages int
		err = scan(&account, &pages)
		holding[account] = pages
		return account, err
	}, holdingQuery)
	if err != nil {
		return nil, fmt.Errorf("count what runs: %w", err)
	}
	return holding, nil
}

// giveTurns gives the captures of a transaction their turns, in their order. Those that need no page get one too: they may
// need it later.
func giveTurns(ctx context.Context, tx *sql.Tx, rows []*row) error {
	before, after := map[string]ledger.Turns{}, map[string]*ledger.Turns{}
	for _, r := range rows {
		turns := after[r.Capture.Account]
		if turns == nil {
			read, err := readTurns(ctx, tx, r.Capture.Account)
			if err != nil {
				return err
			}
			turns = &read
			before[r.Capture.Account], after[r.Capture.Account] = read, turns
		}
		if class := ledger.ClassOf(r.Capture); r.needsPage() {
			r.turn = turns.Next(class)
		} else {
			r.turn = turns.Beside(class)
		}
	}
	for account, turns := range after {
		for class, last := range turns.Last {
			if last == before[account].Last[class] {
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

func readTurns(ctx context.Context, tx *sql.Tx, account string) (turns ledger.Turns, err error) {
	_, err = collect(ctx, tx, func(scan func(dest ...any) error) (of string, err error) {
		var class ledger.Class
		var last int64
		err = scan(&of, &class, &last)
		if of == "" {
			turns.Now = last
		} else {
			turns.Last[class] = last
		}
		return of, err
	}, turnsQuery, account)
	if err != nil {
		return turns, fmt.Errorf("read the turns of account %s: %w", account, err)
	}
	return turns, nil
}
