package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Sizes of the measurements of scale.
const (
	many     = 1_000_000 // captures that wait, and as many that have ended
	chunk    = 50_000    // of them that are written at once
	aged     = 100_000   // of the ended ones that are past the time that they are kept
	reads    = 200       // requests of each kind
	newcomer = 20        // captures of which the time from commit to start is taken
)

// scale measures accepts, reads and the way to a page on both engines, while they are empty and while a million captures wait
// and a million have ended, and the removal of old ones.
func scale(ctx context.Context, s settings, site string) (err error) {
	all, stop, err := engines(ctx)
	if err != nil {
		return err
	}
	defer func() { err = first(err, stop()) }()
	for _, e := range all {
		u, err := e.fresh(ctx, s.binary)
		if err != nil {
			return err
		}
		if err := e.scale(ctx, s, u, site); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if err := os.RemoveAll(u.dir); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) scale(ctx context.Context, s settings, u setup, site string) error {
	fmt.Printf("\n## %s, load generator and database on the same machine, %s for each number of clients\n\n", e.name, s.cell)
	u.single = true
	var keys [2]string // of two accounts
	for i := range keys {
		key, err := createKey(ctx, u)
		if err != nil {
			return err
		}
		keys[i] = key
	}
	if err := u.measure(ctx, s, keys, site, "empty"); err != nil {
		return err
	}
	if err := e.fill(ctx, u, keys[0], site); err != nil {
		return err
	}
	if err := u.measure(ctx, s, keys, site, fmt.Sprintf("%d waiting, %d ended", many, many)); err != nil {
		return err
	}
	return e.retention(ctx, s, u, keys[0])
}

// measure takes all measures of a place in one state.
func (u setup) measure(ctx context.Context, s settings, keys [2]string, site, state string) error {
	syscall.Sync() // what was written before is not to be waited for by these commits
	began := time.Now()
	ours, err := start(ctx, u, keys[0])
	if err != nil {
		return err
	}
	if err := ours.occupy(ctx, site); err != nil {
		return err
	}
	fmt.Printf("\n%s; from the start to the first answer: %.0f ms\n\n", state, ms(ours.ready.Sub(began)))
	fmt.Println("| clients | accepts/s | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|")
	for _, clients := range []int{1, 16, 64, 256} {
		took, elapsed, err := submitAll(ctx, ours, clients, s.cell)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.1f | %.1f | %.1f |\n", clients, float64(len(took))/elapsed.Seconds(),
			ms(quantile(took, 0.5)), ms(quantile(took, 0.99)), ms(slices.Max(took)))
	}
	if err := ours.reads(ctx); err != nil {
		return err
	}
	if err := ours.stop(); err != nil {
		return err
	}
	if ours, err = start(ctx, u, keys[1]); err != nil {
		return err
	}
	if err := ours.starts(ctx, site+"/a"); err != nil {
		return err
	}
	return ours.stop()
}

// read reads a path of the API.
func (s *service) read(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, answer.StatusCode, text)
	}
	return text, err
}

// reads measures a list, its later pages, one capture and a search.
func (s *service) reads(ctx context.Context) error {
	type page struct {
		Captures []struct {
			ID string `json:"capture_id"`
		} `json:"captures"`
		Next string `json:"next_cursor"`
	}
	var list page
	text, err := s.read(ctx, "/v1/captures?limit=50")
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil || len(list.Captures) == 0 {
		return errors.Join(err, errors.New("the list is empty"))
	}
	fmt.Println("\n| read | p50 ms | p99 ms |\n|---|---|---|")
	for _, one := range []struct{ name, path string }{
		{"the newest 50", "/v1/captures?limit=50"},
		{"the 50 after them", "/v1/captures?limit=50&cursor=" + url.QueryEscape(list.Next)},
		{"one capture", "/v1/captures/" + list.Captures[0].ID},
		{"50 that were canceled", "/v1/captures?limit=50&state=canceled"},
		{"50 of an address", "/v1/captures?limit=50&url=" + url.QueryEscape("https://example.com/")},
		{"none of an address", "/v1/captures?limit=50&url=" + url.QueryEscape("https://example.com/none")},
	} {
		var took []time.Duration
		for range reads {
			began := time.Now()
			if _, err := s.read(ctx, one.path); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		fmt.Printf("| %s | %.1f | %.1f |\n", one.name, ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
	}
	return nil
}

// starts measures the time from the commit of a capture to its start, of one that another account asks for.
func (s *service) starts(ctx context.Context, page string) error {
	var took []time.Duration
	for range newcomer {
		answer, err := s.post(ctx, "", map[string]any{"url": page})
		if err != nil {
			return err
		}
		var made struct {
			Status string `json:"status"`
			Timing struct {
				Queue float64 `json:"queue_ms"`
			} `json:"timing"`
		}
		err = json.NewDecoder(answer.Body).Decode(&made)
		_ = answer.Body.Close()
		if err != nil || made.Status != "success" {
			return errors.Join(err, fmt.Errorf("a capture is %q", made.Status))
		}
		took = append(took, time.Duration(made.Timing.Queue*float64(time.Millisecond)))
	}
	fmt.Printf("\nFrom commit to start, of another account's captures, one at a time: median %.0f ms, longest %.0f ms\n",
		ms(quantile(took, 0.5)), ms(slices.Max(took)))
	return nil
}

// fill writes captures that wait and captures that have ended: copies of one each, with turns of their own. The account of those
// that wait may have one page.
func (e *engine) fill(ctx context.Context, u setup, key, site string) error {
	ours, err := start(ctx, u, key)
	if err != nil {
		return err
	}
	if err := ours.occupy(ctx, site); err != nil {
		return err
	}
	waits, err := ours.submitted(ctx, map[string]any{"url": "https://example.com/"})
	if err != nil {
		return err
	}
	ended, err := ours.submitted(ctx, map[string]any{"url": "https://example.com/"})
	if err != nil {
		return err
	}
	if err := ours.cancel(ctx, ended); err != nil {
		return err
	}
	if err := ours.stop(); err != nil {
		return err
	}
	began := time.Now()
	tables, err := u.tables()
	if err != nil {
		return err
	}
	defer func() { _ = tables.Close() }()
	for n := 0; n < many; n += chunk {
		for _, statement := range []struct{ table, id, like string }{
			{"captures", waits, e.copied("captures")}, {"captures", ended, e.copied("captures")}, {"river_job", waits, e.copied("river_job")},
		} {
			to := statement.id[:len(statement.id)-8]
			if _, err := tables.ExecContext(ctx, statement.like, n, n+chunk, statement.id, to); err != nil {
				return fmt.Errorf("fill %s: %w", statement.table, err)
			}
		}
	}
	const counted = `UPDATE accounts SET pending = pending + $1,
			pending_bytes = pending_bytes + $1 * (SELECT bytes FROM captures WHERE id = $2)
		WHERE id = (SELECT account FROM captures WHERE id = $2)`
	if _, err := tables.ExecContext(ctx, counted, many, waits); err != nil {
		return err
	}
	if _, err := tables.ExecContext(ctx, `UPDATE turns SET last = last + $1`, many); err != nil {
		return err
	}
	if e.server != nil {
		if _, err := tables.ExecContext(ctx, "ANALYZE"); err != nil {
			return err
		}
	}
	size, err := u.bytes(ctx, tables)
	fmt.Printf("\n(filled in %.0f s; the database has %.0f MB)\n", time.Since(began).Seconds(), float64(size)/1e6)
	return err
}

// copied is a statement that copies a capture, or its job, under the ids that begin with $4 and end with the numbers from $1 on.
func (e *engine) copied(table string) string {
	id := "$4 || " + e.digits
	if table == "captures" {
		columns := `account, state, interactive, url, options, options_hash, attempt, free, due_at, finished_at, bytes, cost`
		return e.numbers + ` INSERT INTO captures (id, created_at, turn, ` + columns + `) SELECT ` + id +
			`, created_at - 1 - n, turn + 1 + n, ` + columns + ` FROM n, captures WHERE id = $3`
	}
	columns := `kind, max_attempts, metadata, priority, queue, state, created_at, tags, unique_states`
	return e.numbers + ` INSERT INTO river_job (args, unique_key, scheduled_at, ` + columns + `) SELECT ` + fmt.Sprintf(e.args, id) + `, ` +
		fmt.Sprintf(e.key, id) + `, ` + e.time + `, ` + columns + ` FROM n, river_job WHERE unique_key = ` + fmt.Sprintf(e.key, "$3")
}

// submitted accepts a capture that nobody waits for, and returns its id.
func (s *service) submitted(ctx context.Context, options map[string]any) (string, error) {
	options["async"] = true
	answer, err := s.post(ctx, "", options)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	var made struct {
		ID string `json:"capture_id"`
	}
	return made.ID, json.NewDecoder(answer.Body).Decode(&made)
}

func (s *service) cancel(ctx context.Context, id string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.base+"/v1/captures/"+id, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := s.http.Do(req)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// retention makes a part of the ended captures old, and measures accepts while they are removed.
func (e *engine) retention(ctx context.Context, s settings, u setup, key string) error {
	tables, err := u.tables()
	if err != nil {
		return err
	}
	defer func() { _ = tables.Close() }()
	const old = `UPDATE captures SET created_at = created_at - 90 * 86400000000 WHERE state = 'canceled' AND id IN
		(SELECT id FROM captures WHERE state = 'canceled' LIMIT $1)`
	if _, err := tables.ExecContext(ctx, old, aged); err != nil {
		return err
	}
	left := func() (n int, err error) {
		err = tables.QueryRowContext(ctx, `SELECT count(*) FROM captures WHERE state = 'canceled' AND created_at < $1`,
			time.Now().Add(-60*24*time.Hour).UnixMicro()).Scan(&n)
		return n, err
	}
	began := time.Now()
	ours, err := start(ctx, u, key)
	if err != nil {
		return err
	}
	var lines []string
	var accepted atomic.Int64
	for n := aged; n > 0; {
		took, elapsed, err := submitAll(ctx, ours, 16, s.cell)
		if err != nil {
			return err
		}
		accepted.Add(int64(len(took)))
		lines = append(lines, fmt.Sprintf("%.0f (p99 %.0f ms)", float64(len(took))/elapsed.Seconds(), ms(quantile(took, 0.99))))
		if n, err = left(); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d old captures were gone after %.0f s; accepts/s with 16 clients meanwhile: %s\n", aged, time.Since(began).Seconds(),
		strings.Join(lines, ", "))
	return ours.stop()
}
