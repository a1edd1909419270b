package ledgertest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func runTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"finish":         testFinish,
		"finish failed":  testFinishFailed,
		"fence":          testFence,
		"release":        testRelease,
		"release first":  testReleaseFirst,
		"fault":          testFault,
		"panic":          testPanic,
		"cancel queued":  testCancelQueued,
		"cancel running": testCancelRunning,
		"await":          testAwait,
		"drain":          testDrain,
		"drain stubborn": testDrainStubborn,
		"clock steps":    testClockSteps,
	}
}

func testFinish(t *scene) {
	b := setUp(t, ledger.Config{})
	want := capture.Outcome{
		State: savepage.Success, FinishedAt: whole(time.Now()),
		Picture: &savepage.Picture{Name: "abc.png", Format: savepage.FormatPNG, Width: 10, Height: 20, Size: 30},
		Report:  &savepage.Report{HTTPStatus: 200, Title: "<t>", Requests: savepage.RequestReport{Named: []string{"x"}}},
		Timing:  savepage.Timing{QueueMS: 1, RenderMS: 2, TotalMS: 3, Phases: savepage.Phases{Navigate: 4, Store: 5}},
	}
	claims := make(chan capture.Claim, 1)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		claims <- c
		return b.Finish(ctx, c, want)
	}})
	before := time.Now()
	id := b.accept(t, b.account)
	got := b.await(t, id)
	c := receive(t, "a claim", claims).Capture
	equal(t, savepage.Running, c.State)
	equal(t, 1, c.Attempt)
	if c.StartedAt.Before(whole(before)) || c.StartedAt.After(time.Now()) {
		t.Errorf("started at %s", c.StartedAt)
	}
	c.State, c.FinishedAt, c.Picture, c.Report, c.Timing = want.State, want.FinishedAt, want.Picture, want.Report, want.Timing
	c.CapturedAt = want.FinishedAt
	equal(t, c, got)
	equal(t, c, b.get(t, id))

	known, err := b.Known(t.Context(), []string{"abc.png", "xyz.png"})
	must(t, err)
	equal(t, map[string]bool{"abc.png": true}, known)
}

func testFinishFailed(t *scene) {
	b := setUp(t, ledger.Config{})
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if err := b.Finish(ctx, c, capture.Outcome{State: savepage.Running}); err == nil {
			t.Error("a capture was finished as running")
		}
		return b.Finish(ctx, c, capture.Outcome{
			State: savepage.Failed, FinishedAt: time.Now(),
			Error: savepage.Errorf(savepage.CodeBlank, "one colour"),
		})
	}})
	got := b.await(t, b.accept(t, b.account))
	equal(t, savepage.Failed, got.State)
	equal(t, &savepage.Error{Code: savepage.CodeBlank, Message: "one colour"}, got.Error)
}

// testFence has a worker come back late, while another has the capture and after that one has finished.
func testFence(t *scene) {
	b := setUp(t, ledger.Config{Workers: 2})
	claims, finish := make(chan capture.Claim, 4), make(chan bool)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		claims <- c
		if c.Capture.Attempt == 1 {
			return b.Release(ctx, c, capture.Back{})
		}
		<-finish
		return b.finisher(func(c savepage.Capture) []savepage.Delivery { return []savepage.Delivery{delivery(c, "http://a.test")} })(ctx, c)
	}})
	id := b.accept(t, b.account)
	late := receive(t, "the first claim", claims)
	second := receive(t, "the second claim", claims)
	equal(t, 2, second.Capture.Attempt)
	outcome := capture.Outcome{
		State: savepage.Failed, FinishedAt: time.Now(),
		Deliveries: []savepage.Delivery{delivery(late.Capture, "http://b.test")},
	}
	for range 2 {
		if err := b.Finish(t.Context(), late, outcome); !errors.Is(err, capture.ErrLost) {
			t.Fatalf("a late worker finished: %v", err)
		}
		if err := b.Release(t.Context(), late, capture.Back{}); !errors.Is(err, capture.ErrLost) {
			t.Fatalf("a late worker released: %v", err)
		}
		if b.get(t, id).State == savepage.Running {
			finish <- true
			equal(t, savepage.Success, b.await(t, id).State)
		}
	}
	list, err := b.Deliveries(t.Context(), b.account, id)
	must(t, err)
	equal(t, 1, len(list))
	equal(t, "http://a.test", list[0].URL)
	equal(t, 2, b.get(t, id).Attempt)
}

// testRelease gives a capture back again and again: it is taken again, and not before the wait is over.
func testRelease(t *scene) {
	const wait = 300 * time.Millisecond
	b := setUp(t, ledger.Config{})
	var spent []int
	var released time.Time
	var took []time.Duration
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		spent = append(spent, c.Spent)
		if c.Capture.Attempt > 2 {
			took = append(took, time.Since(released))
		}
		released = time.Now()
		switch c.Capture.Attempt {
		case 1:
			return b.Release(ctx, c, capture.Back{Free: true})
		case 2, 3, 4:
			return b.Release(ctx, c, capture.Back{Wait: wait})
		default:
			return b.finisher(nil)(ctx, c)
		}
	}})
	got := b.await(t, b.accept(t, b.account))
	equal(t, 5, got.Attempt)
	equal(t, []int{1, 1, 2, 3, 4}, spent)
	if least := slices.Min(took); least < wait-time.Millisecond {
		t.Errorf("taken again after %s instead of %s", took, wait)
	}
}

// testReleaseFirst has a capture that was given back go before those that wait, once its own wait is over.
func testReleaseFirst(t *scene) {
	const wait = 50 * time.Millisecond
	c := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Workers: 1, Clock: c})
	for range 20 {
		b.accept(t, b.account)
	}
	turns, proceed := make(chan string), make(chan bool)
	nth := 0
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if nth++; nth > 3 {
			return b.finisher(nil)(ctx, c)
		}
		turns <- c.Capture.ID
		if nth == 1 {
			return b.Release(ctx, c, capture.Back{Wait: wait})
		}
		select { // holds the one worker
		case <-proceed:
		case <-ctx.Done():
		}
		return b.finisher(nil)(ctx, c)
	}})
	again, second := receive(t, "the first turn", turns), receive(t, "the second turn", turns)
	equal(t, false, second == again)
	equal(t, 1, t.Timed(t))
	c.Advance(wait + time.Millisecond) // which times of jobs are rounded to
	eventually(t, "the wait is over", func() bool { return t.Timed(t) == 0 })
	proceed <- true
	equal(t, again, receive(t, "the third turn", turns))
	proceed <- true
}

func testFault(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if c.Capture.Attempt == 1 {
			return errors.New("disk full")
		}
		return b.finisher(nil)(ctx, c)
	}})
	equal(t, 2, b.awaitAdvancing(t, b.accept(t, b.account), now).Attempt)
}

func testPanic(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if c.Capture.Attempt == 1 {
			panic("a page did this")
		}
		return b.finisher(nil)(ctx, c)
	}})
	equal(t, 2, b.awaitAdvancing(t, b.accept(t, b.account), now).Attempt)
}

func testCancelQueued(t *scene) {
	b := setUp(t, ledger.Config{})
	id, kept := b.accept(t, b.account), b.accept(t, b.account)
	got, err := b.Cancel(t.Context(), b.account, id)
	must(t, err)
	equal(t, savepage.Canceled, got.State)
	equal(t, false, got.FinishedAt.IsZero())
	equal(t, got, b.get(t, id))
	equal(t, got, b.await(t, id))
	_, err = b.Cancel(t.Context(), b.account, id)
	wantCode(t, savepage.CodeConflict, err)
	_, err = b.Cancel(t.Context(), b.account, "cap_none")
	wantCode(t, savepage.CodeNotFound, err)
	var order recorder
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		order.add(c.Capture.ID)
		return b.finisher(nil)(ctx, c)
	}})
	b.await(t, kept)
	stop()
	equal(t, []string{kept}, order.all())
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 0, depth[0].Waiting+depth[0].Running)
}

func testCancelRunning(t *scene) {
	b := setUp(t, ledger.Config{})
	running, results := make(chan string, 1), make(chan error, 1)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		running <- c.Capture.ID
		<-ctx.Done()
		results <- b.Finish(context.WithoutCancel(ctx), c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
		return ctx.Err()
	}})
	b.accept(t, b.account)
	id := receive(t, "a running capture", running)
	_, err := b.Cancel(t.Context(), b.account, id)
	must(t, err)
	if err := receive(t, "the worker's end", results); !errors.Is(err, capture.ErrLost) {
		t.Errorf("a canceled capture was finished: %v", err)
	}
	equal(t, savepage.Canceled, b.await(t, id).State)
}

func testAwait(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4})
	_, err := b.Await(t.Context(), "cap_none")
	wantCode(t, savepage.CodeNotFound, err)
	id := b.accept(t, b.account)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Await(short, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("want a deadline, got %v", err)
	}
	b.work(t, ledger.Handlers{})
	each(8, func(int) {
		for range 6 {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			a, err := b.Accept(ctx, b.submission())
			if err == nil {
				_, err = b.Await(ctx, a.Capture.ID)
			}
			if err != nil {
				t.Error(err)
			}
			cancel()
		}
	})
}

// testDrain stops while a capture runs that needs a moment more.
func testDrain(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1, Grace: patience})
	running, proceed := make(chan bool, 2), make(chan bool)
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		running <- true
		<-proceed
		return b.finisher(nil)(ctx, c)
	}})
	first, second := b.accept(t, b.account), b.accept(t, b.account)
	receive(t, "a running capture", running)
	stopped := make(chan bool)
	go func() {
		stop()
		close(stopped)
	}()
	select {
	case <-stopped:
		t.Fatal("Work returned while a capture ran")
	case <-time.After(50 * time.Millisecond):
	}
	close(proceed)
	receive(t, "the end of Work", stopped)
	equal(t, savepage.Success, b.get(t, first).State)
	equal(t, savepage.Queued, b.get(t, second).State)
}

// testDrainStubborn stops while captures run that do not end: they are given back and taken by the next start.
func testDrainStubborn(t *scene) {
	b := setUp(t, ledger.Config{Workers: 2, Grace: 50 * time.Millisecond})
	running := make(chan bool, 2)
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, _ capture.Claim) error {
		running <- true
		<-ctx.Done()
		return ctx.Err()
	}})
	ids := []string{b.accept(t, b.account), b.accept(t, b.account)}
	receive(t, "a running capture", running)
	receive(t, "a running capture", running)
	stop()
	for _, id := range ids {
		got := b.get(t, id)
		equal(t, savepage.Queued, got.State)
		equal(t, true, got.StartedAt.IsZero())
	}
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 2})
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		if c.Capture.Attempt != 2 || c.Spent != 1 {
			t.Errorf("attempt %d, of which %d count", c.Capture.Attempt, c.Spent)
		}
		return b.finisher(nil)(ctx, c)
	}})
	for _, id := range ids {
		equal(t, savepage.Success, b.await(t, id).State)
	}
}

// testClockSteps sets the clock a day forward and an hour back while captures and deliveries come and go: what comes
// after a step is done at once.
func testClockSteps(t *scene) {
	now := clock.System()
	b := setUp(t, ledger.Config{Clock: now})
	b.work(t, ledger.Handlers{Render: b.finisher(func(c savepage.Capture) []savepage.Delivery {
		return []savepage.Delivery{delivery(c, "http://a.test")}
	})})
	for _, step := range []time.Duration{0, 24 * time.Hour, -time.Hour} {
		now.Step(step)
		before := whole(now.Now())
		id := b.accept(t, b.account)
		if started := b.await(t, id).StartedAt; started.Before(before) || started.After(now.Now()) {
			t.Errorf("after a step of %s it was started at %s, not between %s and now", step, started, before)
		}
		d := b.settled(t, id)[0]
		equal(t, savepage.Delivered, d.State)
		equal(t, false, d.EndedAt.Before(before))
	}
}
