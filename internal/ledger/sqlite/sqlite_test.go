package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

func TestSecondOpenNamesTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, ledger.Config{})
	_, err := sqlite.At(dir).Open(t.Context(), ledger.Config{}, logger(t))
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another savepage") {
		t.Fatalf("opened twice: %v", err)
	}
	if err := sqlite.At(dir).Migrate(t.Context(), logger(t)); err == nil {
		t.Fatal("migrated while it is served")
	}
}

func TestMigrateThenOpen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a folder?with#odd%20name")
	check(t, sqlite.At(dir).Migrate(t.Context(), logger(t)))
	check(t, sqlite.At(dir).Migrate(t.Context(), logger(t)))
	keys, err := sqlite.At(dir).OpenKeys(t.Context(), ledger.Vault{}, clock.System())
	check(t, err)
	issued, err := keys.Create(t.Context(), "", savepage.KeyTerms{})
	check(t, err)
	check(t, keys.Close())
	l := open(t, dir, ledger.Config{})
	if _, err := l.Authenticate(t.Context(), issued.Key); err != nil {
		t.Fatal(err)
	}
	if _, created, err := l.Bootstrap(t.Context()); err != nil || created {
		t.Fatalf("a first key was made beside another: %v", err)
	}
}

// TestTakeOver opens a copy of the database as it was while a capture and a delivery ran.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	dir, copied := sqlite.NewFolder(t), t.TempDir()
	l := open(t, dir, ledger.Config{Workers: 3})
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	running := make(chan string, 4)
	hang := func(ctx context.Context, id string) {
		running <- id
		<-ctx.Done()
	}
	first := benchSubmission(issued.Account, time.Now())
	stop := work(t, l, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			if c.Capture.ID == first.Capture.ID {
				return churn(l)(ctx, c)
			}
			hang(ctx, c.Capture.ID)
			return ctx.Err()
		},
		Deliver: func(ctx context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			hang(ctx, d.CaptureID)
			return savepage.Verdict{}
		},
	})
	_, err = l.Accept(t.Context(), first)
	check(t, err)
	<-running
	second := benchSubmission(issued.Account, time.Now())
	_, err = l.Accept(t.Context(), second)
	check(t, err)
	<-running
	_, err = raw(t, dir).ExecContext(t.Context(), `VACUUM INTO ?`, filepath.Join(copied, "savepage.db"))
	check(t, err)
	stop()

	// By a clock that stands still no job is ever old enough to be found without a worker: the take-over itself must do it.
	begin := time.Now()
	next := open(t, copied, ledger.Config{Workers: 3, Clock: clock.Manual(begin)})
	taken := make(chan string, 4)
	defer work(t, next, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			taken <- c.Capture.ID
			if c.Capture.Attempt != 2 {
				t.Errorf("attempt %d", c.Capture.Attempt)
			}
			return next.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
		},
		Deliver: func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			taken <- d.CaptureID
			return savepage.Verdict{State: savepage.Delivered}
		},
	})()
	got, late := map[string]bool{}, time.After(patience)
	for range 2 {
		select {
		case id := <-taken:
			got[id] = true
		case <-late:
			t.Fatalf("taken over: only %v", got)
		}
	}
	if !got[first.Capture.ID] || !got[second.Capture.ID] {
		t.Fatalf("taken over: %v", got)
	}
}

// TestOrphan has a job count as running that no worker has.
func TestOrphan(t *testing.T) {
	t.Parallel()
	dir, now := sqlite.NewFolder(t), clock.Manual(time.Now())
	l := open(t, dir, ledger.Config{Clock: now})
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	sub := benchSubmission(issued.Account, time.Now())
	_, err = l.Accept(t.Context(), sub)
	check(t, err)
	_, err = raw(t, dir).ExecContext(t.Context(), `UPDATE river_job SET state = 'running', attempted_at = '2020-01-01 00:00:00.000'`)
	check(t, err)
	defer work(t, l, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
	}})()
	ended := make(chan error, 1)
	go func() { _, err := l.Await(t.Context(), sub.Capture.ID); ended <- err }()
	tick, late := time.NewTicker(time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			check(t, err)
			return
		case <-tick.C:
			now.Advance(100 * time.Millisecond)
		case <-late:
			t.Fatal("the capture was not rendered")
		}
	}
}

// work runs the ledger's workers until the function it returns.
func work(t *testing.T, l ledger.Store, h ledger.Handlers) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.Work(ctx, h) }()
	return func() {
		cancel()
		check(t, <-done)
	}
}
