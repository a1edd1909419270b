package records

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// TestPlans holds the queries that run all the time to their indexes: none may read a whole table.
func TestPlans(t *testing.T) {
	t.Parallel()
	l := openInside(t, newPlace(t), ledger.Config{})
	list := func(f capture.Filter) string {
		rest, _, err := listQuery("a", f, 5)
		if err != nil {
			t.Fatal(err)
		}
		return `SELECT ` + listed + ` FROM captures ` + rest
	}
	window := capture.Filter{CreatedAfter: time.Now(), Cursor: ledger.Cursor{ID: "x"}.String()}
	ofBatch := capture.Filter{BatchID: "b", States: []savepage.State{savepage.Failed}, Cursor: window.Cursor}
	for name, one := range map[string]struct {
		query string
		args  []any
		index []string
	}{
		"batch":       {list(ofBatch), values(7), []string{"captures_batch"}},
		"batches":     {listBatches, []any{"a", 1, "x", 5}, []string{"batches_account", "captures_batch"}},
		"old batches": {oldBatches, []any{1, 5}, []string{"batches_ended", "captures_batch", "deliveries_batch"}},
		"cancel batch": {
			`UPDATE captures SET state = 'canceled' WHERE batch = ? AND state IN ('queued', 'running')`,
			[]any{"b"},
			[]string{"captures_batch"},
		},
		"live job": {
			`DELETE FROM river_job WHERE unique_key = CAST(? AS BLOB) AND ` + Live,
			[]any{"x"},
			[]string{"river_job_unique_idx"},
		},
		"next due": {nextDueQuery, nil, []string{"savepage_job_due"}},
		"captures": {lackingQuery, []any{"", 5},
			[]string{"captures_single", "captures_batched", "river_job_unique_idx", "captures_flight"}},
		"due deliveries": {dueQuery, []any{"a", "r", 0, 1, 5}, []string{"deliveries_due"}},
		"next delivery":  {nextDeliveryQuery, []any{"a", "r", 0, 1}, []string{"deliveries_due"}},
		"next receiver":  {nextReceiverQuery, []any{"a", "r", 0}, []string{"deliveries_due"}},
		"all deliveries": {listing(t, ""), []any{"a"}, []string{"deliveries_account"}},
		"pending ones":   {listing(t, savepage.Pending), []any{"a"}, []string{"deliveries_pending"}},
		"dead ones":      {listing(t, savepage.Dead), []any{"a"}, []string{"deliveries_dead"}},
		"expired": {`SELECT id FROM captures WHERE state IN ('success', 'failed', 'canceled') AND created_at < ?
			ORDER BY created_at, id LIMIT 5`, []any{1}, []string{"captures_ended"}},
		"orphans": {
			`SELECT id FROM river_job WHERE state = 'running' AND attempted_at < ?`,
			[]any{"x"},
			[]string{"river_job_prioritized_fetching_index"},
		},
		"known": {
			`SELECT picture_name FROM captures WHERE picture_name IN (SELECT value FROM json_each(?))`,
			[]any{"[]"},
			[]string{"captures_picture"},
		},
		"overdue": {overdueQuery, []any{"cap_x", 5}, []string{"captures_single", "captures_batched"}},
		"kept":    {`SELECT id FROM captures WHERE ` + newestKept, []any{"a", "h", 1}, []string{"captures_kept"}},
		"leader":  {leader, []any{"a", "f"}, []string{"captures_flight"}},
		"waiting": {`SELECT id FROM ` + flying + ` AND waits = 1`, []any{"a", "f"}, []string{"captures_flight"}},
		"shared":  {`SELECT EXISTS (SELECT 1 FROM captures WHERE picture_name = ?)`, []any{"x"}, []string{"captures_picture"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := explain(t, l, one.query, one.args)
			for _, index := range one.index {
				if !strings.Contains(plan, index) {
					t.Errorf("does not use %s:\n%s", index, plan)
				}
			}
			for line := range strings.Lines(plan) {
				if strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "INDEX") && !strings.Contains(line, "json_each") &&
					!strings.HasPrefix(line, "SCAN r\n") && line != "SCAN CONSTANT ROW\n" {
					t.Errorf("reads a whole table:\n%s", plan)
				}
				if strings.Contains(line, "TEMP B-TREE") {
					t.Errorf("sorts:\n%s", plan)
				}
			}
		})
	}
}

func values(n int) []any { return slices.Repeat([]any{1}, n) }

func listing(t *testing.T, state savepage.DeliveryState) string {
	t.Helper()
	where, _, err := deliveryConditions("a", capture.DeliveryFilter{State: state})
	if err != nil {
		t.Fatal(err)
	}
	return `SELECT id FROM deliveries d WHERE ` + where + ` LIMIT 5`
}

func explain(t *testing.T, l *Ledger, query string, args []any) string {
	t.Helper()
	lines, err := collect(t.Context(), l.db.write, func(scan func(dest ...any) error) (string, error) {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestPurge(t *testing.T) {
	t.Parallel()
	now := clock.Manual(time.Now())
	l := openInside(t, newPlace(t), ledger.Config{Clock: now})
	l.stop() // the test alone purges
	l.background.Wait()
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		_, err := l.Accept(t.Context(), capture.Submission{IdempotencyKey: key, Capture: savepage.Capture{
			ID: capture.NewID("cap_", now.Now()), Account: issued.Account, CreatedAt: now.Now(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		now.Advance(time.Hour)
	}
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{0, 2}, {22 * time.Hour, 1}, {time.Second, 1}, {time.Hour, 0}} {
		now.Advance(step.after)
		if err := l.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := l.db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM idempotency`).Scan(&left); err != nil || left != step.left {
			t.Fatalf("after %s %d keys are left (%v)", step.after, left, err)
		}
	}
}

// TestFitting cuts a batch where its bytes would make the commit long.
func TestFitting(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		sizes []int
		want  int
	}{{[]int{1, 2, 3}, 3}, {[]int{batchBytes + 1, 1}, 1}, {[]int{batchBytes, 1}, 1}, {[]int{1, batchBytes, 1}, 1}, {[]int{0, 0}, 2}} {
		batch := make([]*write, len(one.sizes))
		for i, size := range one.sizes {
			batch[i] = &write{size: size}
		}
		if got := fitting(batch); got != one.want {
			t.Errorf("%v: %d", one.sizes, got)
		}
	}
}

// TestSharedOptionsAreStoredOnce has a batch whose captures have a long document in common.
func TestSharedOptionsAreStoredOnce(t *testing.T) {
	t.Parallel()
	l := openInside(t, newPlace(t), ledger.Config{})
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const long = 500_000
	html := strings.Repeat("x", long)
	s := capture.BatchSubmission{Batch: savepage.Batch{ID: "bat", Account: issued.Account, CreatedAt: time.Now()}}
	for i := range 1000 {
		o := savepage.Options{HTML: html, CSS: "p{}", Width: 400 + i%2, BlockAds: true}
		s.Captures = append(s.Captures, capture.Submission{Capture: savepage.Capture{
			ID: fmt.Sprintf("cap_%04d", i), Account: issued.Account, BatchID: "bat", Options: o, State: savepage.Queued, CreatedAt: time.Now(),
		}})
	}
	if _, err := l.AcceptBatch(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var stored, pages int64
	const bytes = `SELECT (SELECT sum(length(options)) FROM captures) + (SELECT sum(length(shared)) FROM batches),
		(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)`
	if err := l.db.read.QueryRowContext(t.Context(), bytes).Scan(&stored, &pages); err != nil {
		t.Fatal(err)
	}
	if stored < long || stored > 2*long || pages > 6*long {
		t.Errorf("the options take %d bytes and the database %d", stored, pages)
	}
	for i, id := range []string{"cap_0000", "cap_0999"} {
		got, err := l.Get(t.Context(), issued.Account, id)
		if err != nil || got.Options.HTML != html || got.Options.CSS != "p{}" || got.Options.Width != 400+i {
			t.Errorf("%s: %v, %d bytes of html, css %q, width %d", id, err, len(got.Options.HTML), got.Options.CSS, got.Options.Width)
		}
	}
	list, _, err := l.List(t.Context(), issued.Account, capture.Filter{Limit: 2})
	if err != nil || len(list) != 2 || list[0].Options.HTML != "" || list[0].Options.Width == list[1].Options.Width ||
		!list[0].Options.BlockAds {
		t.Errorf("the list: %v, %+v", err, list)
	}
}
