package records

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// TestHeadsAfterARollback has a transaction find nothing to take because it has removed the one job there is, and be rolled
// back: the next one finds it.
func TestHeadsAfterARollback(t *testing.T) {
	t.Parallel()
	l := openInside(t, newPlace(t), ledger.Config{})
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := capture.NewID("cap_", time.Now())
	_, err = l.Accept(t.Context(), capture.Submission{Capture: savepage.Capture{
		ID: id, Account: issued.Account, State: savepage.Queued, CreatedAt: time.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	look := func(end error, change func(tx *sql.Tx) error) (found int) {
		t.Helper()
		err := l.db.write.InTx(t.Context(), func(tx *sql.Tx) error {
			err := change(tx)
			if err == nil {
				err = l.queue.knowHeads(t.Context(), tx)
			}
			chosen, err2 := l.queue.choose(t.Context(), tx, 4)
			found = len(chosen)
			return errors.Join(err, err2, end)
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		return found
	}
	nothing := func(*sql.Tx) error { return nil }
	if n := look(nil, nothing); n != 1 {
		t.Fatalf("%d jobs may be taken", n)
	}
	l.queue.unsure = false // as after a commit
	if n := look(errors.ErrUnsupported, func(tx *sql.Tx) error { return dropJob(t.Context(), tx, id) }); n != 0 {
		t.Errorf("%d jobs may be taken after the one was removed", n)
	}
	if n := look(nil, nothing); n != 1 {
		t.Errorf("%d jobs may be taken after the removal was rolled back", n)
	}
}

// TestLinesOfManyAccounts has many accounts wait, of which one's job is canceled and another holds pages: those that are
// first are taken, in their order.
func TestLinesOfManyAccounts(t *testing.T) {
	t.Parallel()
	l := openInside(t, newPlace(t), ledger.Config{Workers: 3, Reserve: 1})
	accounts := `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
		INSERT INTO river_job (kind, unique_states, args, queue, state, scheduled_at, unique_key)
		SELECT 'capture', ` + strconv.Itoa(liveBits) + `, 
			jsonb_object('id', 'cap_' || i, 'account', printf('acc_%03d', i), 'class', 1, 'turn', (i * 7) % 500 + 100),
			printf('acc_%03d', i), 'available', printf('1970-01-01 00:00:00.%03d', (i * 7) % 500 + 100), CAST('cap_' || i AS BLOB) FROM n`
	if _, err := l.db.write.ExecContext(t.Context(), accounts); err != nil {
		t.Fatal(err)
	}
	// The turns 100, 101, 102, … are those of acc_500, acc_143, acc_286, acc_429, acc_072.
	var got []string
	err := l.db.write.InTx(t.Context(), func(tx *sql.Tx) error {
		if err := dropJob(t.Context(), tx, "cap_286"); err != nil {
			return err
		}
		const runs = `UPDATE river_job SET state = 'running', queue = 'interactive' WHERE unique_key = CAST('cap_500' AS BLOB)`
		if _, err := tx.ExecContext(t.Context(), runs); err != nil {
			return err
		}
		if err := l.queue.knowHeads(t.Context(), tx); err != nil {
			return err
		}
		// A second one of the account that holds a page, before all others.
		job := captureJob{ID: "cap_last", Account: "acc_500", Class: ledger.Async, Turn: 1}
		if err := l.queue.enqueue(t.Context(), tx, job); err != nil {
			return err
		}
		chosen, err := l.queue.choose(t.Context(), tx, 3)
		for _, h := range chosen {
			got = append(got, fmt.Sprint(h.Account, " ", h.ID, " ", h.Turn, " ", h.Class))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "[acc_143 cap_143 101 1 acc_429 cap_429 103 1 acc_072 cap_72 104 1]"; fmt.Sprint(got) != want {
		t.Errorf("taken are %v, want %s", got, want)
	}
}
