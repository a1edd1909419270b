package records

import (
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// TestDeaths has the service end again and again while it renders a capture: its ends are counted and cost no attempt, and
// from the fourth on the capture waits before it is taken.
func TestDeaths(t *testing.T) {
	t.Parallel()
	place, now := newPlace(t), clock.Manual(time.Now())
	l := openInside(t, place, ledger.Config{Clock: now})
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := capture.NewID("cap_", now.Now())
	_, err = l.Accept(t.Context(), capture.Submission{Capture: savepage.Capture{
		ID: id, Account: issued.Account, State: savepage.Queued, CreatedAt: now.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for deaths := range 6 {
		claim, found, err := (&claims{l.captures}).Start(t.Context(), id, 1)
		if err != nil || !found || claim.Deaths != deaths || claim.Spent != 1 || claim.Capture.Attempt != deaths+1 {
			t.Errorf("after %d ends: %v, found %t, deaths %d, spent %d", deaths, err, found, claim.Deaths, claim.Spent)
		}
		if err := l.Close(); err != nil { // the row says still that it runs
			t.Fatal(err)
		}
		l = openInside(t, place, ledger.Config{Clock: now})
		var at string
		job := `SELECT state FROM river_job WHERE unique_key = CAST(? AS BLOB)`
		if err := l.db.write.QueryRowContext(t.Context(), job, id).Scan(&at); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "pending", false: "available"}[deaths+1 > 3]; at != want {
			t.Errorf("after %d ends its job is %s, want %s", deaths+1, at, want)
		}
	}
}
