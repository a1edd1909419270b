package ledgertest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
)

func faultTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"kept": testFaultsAreKept, "overdue": testOverdue, "sick part": testSickPart, "stop": testStopWhileSick,
		"sick database": testSickDatabase,
	}
}

// testFaultsAreKept has a claim tell what happened to the capture before, also after the ledger was opened again.
func testFaultsAreKept(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	backs := []capture.Back{{}, {Free: true, Lost: 3}, {Free: true, Fault: true}, {Free: true, Fault: true, Lost: 1}}
	var claims []capture.Claim
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		claims = append(claims, c)
		if len(claims) > len(backs) {
			return b.finisher(nil)(ctx, c)
		}
		now.Advance(time.Second)
		return b.Release(ctx, c, backs[len(claims)-1])
	}})
	begun := now.Now().Truncate(time.Microsecond)
	b.await(t, b.accept(t, b.account))
	stop()
	faulted := begun.Add(3 * time.Second) // the first of two
	for i, want := range []struct {
		spent, lost int
		faulted     time.Time
	}{{1, 0, time.Time{}}, {2, 0, time.Time{}}, {2, 3, time.Time{}}, {2, 3, faulted}, {2, 4, faulted}} {
		got := claims[i]
		if got.Spent != want.spent || got.Lost != want.lost || !got.FaultedAt.Equal(want.faulted) || got.Deaths != 0 {
			t.Errorf("claim %d: spent %d, lost %d, faulted %s, want %+v", i, got.Spent, got.Lost, got.FaultedAt, want)
		}
	}
}

// testOverdue claims what waits since before a time, and nothing else.
func testOverdue(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	old := []string{acceptAt(t, b, now.Now()), acceptAt(t, b, now.Now().Add(time.Millisecond))}
	now.Advance(time.Hour)
	young := acceptAt(t, b, now.Now())
	before := now.Now().Add(-time.Minute)
	first, err := b.Overdue(t.Context(), before, 1)
	must(t, err)
	second, err := b.Overdue(t.Context(), before, 10)
	must(t, err)
	none, err := b.Overdue(t.Context(), before, 10)
	must(t, err)
	equal(t, []int{1, 1, 0}, []int{len(first), len(second), len(none)})
	for i, c := range append(first, second...) {
		equal(t, old[i], c.Capture.ID)
		must(t, b.Finish(t.Context(), c, capture.Outcome{
			State: savepage.Failed, FinishedAt: now.Now(), Error: savepage.Errorf(savepage.CodeServiceFault, "x"),
		}))
	}
	b.work(t, ledger.Handlers{})
	equal(t, savepage.Success, b.await(t, young).State)
	for _, id := range old {
		got := b.get(t, id)
		equal(t, savepage.CodeServiceFault, got.Error.Code)
		equal(t, 1, got.Attempt) // no worker took it
	}
}

// acceptAt records a capture whose id has the time.
func acceptAt(t *scene, b *bench, at time.Time) string {
	t.Helper()
	s := b.submission()
	s.Capture.ID, s.Capture.CreatedAt = capture.NewID("cap_", at), at
	accepted, err := b.Accept(t.Context(), s)
	must(t, err)
	return accepted.Capture.ID
}

var errGone = errors.New("gone")

// sickBoard is a board with a sick part that works from the given probe on.
func sickBoard(probes int64) *health.Board {
	board := boardOf(health.Pictures, probes)
	board.Report(health.Of(health.Pictures, errGone))
	return board
}

// boardOf is a board with one part, whose probes fail before the given one.
func boardOf(part health.Part, probes int64) *health.Board {
	board := health.NewBoard(health.Config{First: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	var asked atomic.Int64
	board.Watch(part, func(context.Context) error {
		if asked.Add(1) < probes {
			return errGone
		}
		return nil
	})
	return board
}

// run looks after a board until the end of the test.
func run(t *scene, board *health.Board) {
	t.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); board.Run(ctx) }()
	t.Cleanup(func() { end(); <-ended })
}

// testSickDatabase sends nothing while the database is sick: what was sent could not be recorded.
func testSickDatabase(t *scene) {
	board := boardOf(health.Database, 4)
	b := setUp(t, ledger.Config{Health: board})
	id := b.owe(t, "http://a.test")
	board.Report(health.Of(health.Database, errGone))
	_, err := b.Redeliver(t.Context(), b.account, b.deliveries(t, id)[0].ID)
	must(t, err)
	sent := make(chan bool, 1)
	b.work(t, ledger.Handlers{Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
		sent <- board.Well()
		return delivered()
	}})
	run(t, board)
	equal(t, true, receive(t, "the delivery", sent))
	equal(t, 1, len(b.settled(t, id)[0].Attempts))
}

// testSickPart takes nothing while a part is sick: a capture can be canceled meanwhile, and the others are taken when it works
// again, for the first time.
func testSickPart(t *scene) {
	board := sickBoard(5) // after a second and a half, in which workers have asked several times
	b := setUp(t, ledger.Config{Workers: 2, Health: board})
	canceled := b.accept(t, b.account)
	ids := []string{b.accept(t, b.account), b.accept(t, b.account), b.accept(t, b.account)}
	finish := b.finisher(nil)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if !board.Well() {
			t.Errorf("%s was taken while a part is sick", c.Capture.ID)
		}
		return finish(ctx, c)
	}})
	_, err := b.Cancel(t.Context(), b.account, canceled)
	must(t, err)
	run(t, board)
	for _, id := range ids {
		equal(t, 1, b.await(t, id).Attempt)
	}
	equal(t, 0, b.get(t, canceled).Attempt)
}

// testStopWhileSick stops at once, whatever the grace, and the next worker finds what waited.
func testStopWhileSick(t *scene) {
	first := t.open(ledger.Config{Grace: time.Hour, Health: sickBoard(1)})
	issued, _, err := first.Bootstrap(t.Context())
	must(t, err)
	b := &bench{Store: first, account: issued.Account}
	id := b.accept(t, b.account)
	b.work(t, ledger.Handlers{})()
	equal(t, 0, b.get(t, id).Attempt)
	must(t, first.Close())
	b.Store = t.open(ledger.Config{})
	t.Cleanup(func() { must(t, b.Close()) })
	b.work(t, ledger.Handlers{})
	equal(t, 1, b.await(t, id).Attempt)
}
