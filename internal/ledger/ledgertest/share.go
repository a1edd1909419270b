package ledgertest

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

func shareTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"kept":             testKept,
		"kept, queue full": testKeptInAFullQueue,
		"joined":           testJoined,
		"joined at once":   testJoinedAtOnce,
		"failure":          testSharedFailure,
		"canceled leader":  testCanceledLeader,
		"restart":          testSharedRestart,
		"lost jobs":        testSharedLostJobs,
		"clients first":    testClientsFirst,
		"forget":           testForgetShared,
		"batch":            testSharedBatch,
		"canceled batch":   testCanceledSharedBatch,
	}
}

// equals makes a submission that may share a render with others of the name.
func (b *bench) equals(name string) capture.Submission {
	sub := b.submission()
	sub.Capture.Options.CacheTTL = 60
	sub.OptionsHash, sub.Flight, sub.KeptSince = name, name, time.Now().Add(-time.Hour)
	return sub
}

// later gives a submission an id that sorts behind a capture's: those of one millisecond have no order.
func later(sub capture.Submission, than savepage.Capture) capture.Submission {
	for sub.Capture.ID <= than.ID {
		sub.Capture.ID = capture.NewID("cap_", time.Now())
	}
	return sub
}

// owing has the submission owe a callback that tells its picture.
func owing(sub capture.Submission) capture.Submission {
	sub.Capture.Options.CallbackURL = "http://a.test"
	sub.Owe = tells
	return sub
}

// tells owes a callback to each capture that asks for one.
func tells(c savepage.Capture) ([]savepage.Delivery, error) {
	if c.Options.CallbackURL == "" {
		return nil, nil
	}
	one := delivery(c, c.Options.CallbackURL)
	body, err := json.Marshal(c.Picture)
	one.Body = body
	return []savepage.Delivery{one}, err
}

// studio renders pictures that are named after their captures, when it is told to.
type studio struct {
	b       *bench
	proceed chan bool // closed or nil: at once
	started chan string
	end     capture.Outcome

	mu     sync.Mutex
	counts map[string]int
}

func (b *bench) studio() *studio {
	return &studio{b: b, started: make(chan string, 100), counts: map[string]int{}}
}

func (s *studio) render(ctx context.Context, c capture.Claim) error {
	s.mu.Lock()
	s.counts[c.Capture.ID]++
	s.mu.Unlock()
	s.started <- c.Capture.ID
	if s.proceed != nil {
		select {
		case <-s.proceed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	o := s.end
	if o.State == "" {
		o.State, o.Picture = savepage.Success, &savepage.Picture{
			Name: c.Capture.ID + ".png", Format: savepage.FormatPNG, Width: 1,
			Height: 1, Size: 1,
		}
		o.Report = &savepage.Report{Title: c.Capture.ID}
	}
	o.FinishedAt, o.Owe = time.Now(), tells
	return s.b.Finish(ctx, c, o)
}

func (s *studio) renders() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.counts {
		n += times
	}
	return n
}

func (b *bench) take(t *scene, sub capture.Submission, want capture.Reuse) savepage.Capture {
	t.Helper()
	a, err := b.Accept(t.Context(), sub)
	must(t, err)
	equal(t, want, a.Reuse)
	return a.Capture
}

func testKept(t *scene) {
	b := setUp(t, ledger.Config{})
	s := b.studio()
	b.work(t, ledger.Handlers{Render: s.render})
	first := b.await(t, b.take(t, b.equals("x"), capture.ReuseMiss).ID)
	equal(t, "", first.Source)

	sub := owing(b.equals("x"))
	sub.Capture.Options.Metadata = json.RawMessage(`"mine"`)
	hit := b.take(t, sub, capture.ReuseHit)
	equal(t, hit, b.get(t, hit.ID))
	equal(t, savepage.Success, hit.State)
	equal(t, first.ID, hit.Source)
	equal(t, first.Picture, hit.Picture)
	equal(t, first.Report, hit.Report)
	equal(t, first.FinishedAt, hit.CapturedAt)
	equal(t, `"mine"`, string(hit.Options.Metadata))
	if hit.FinishedAt.Before(first.FinishedAt) || hit.ID == first.ID {
		t.Errorf("the second capture is %+v", hit)
	}
	eventually(t, "the callback of a kept picture", func() bool {
		owed := b.deliveries(t, hit.ID)
		return len(owed) == 1 && owed[0].State == savepage.Delivered
	})
	second := b.take(t, b.equals("x"), capture.ReuseHit)
	equal(t, first.ID, second.Source)
	equal(t, first.FinishedAt, second.CapturedAt)

	gone := b.equals("x")
	gone.Stored = func(picture string) bool { return picture != first.Picture.Name }
	again := b.await(t, b.take(t, gone, capture.ReuseMiss).ID)
	equal(t, "", again.Source)
	first = again

	young := b.equals("x")
	young.KeptSince = first.FinishedAt.Add(time.Microsecond)
	b.await(t, b.take(t, young, capture.ReuseMiss).ID)
	b.await(t, b.take(t, b.submission(), capture.ReuseNone).ID)
	foreign := submission(b.other(t))
	foreign.OptionsHash, foreign.Flight, foreign.KeptSince = "x", "x", time.Now().Add(-time.Hour)
	b.await(t, b.take(t, foreign, capture.ReuseMiss).ID)

	s.end = capture.Outcome{State: savepage.Failed, Error: savepage.Errorf(savepage.CodeBlank, "white")}
	b.await(t, b.take(t, b.equals("failed"), capture.ReuseMiss).ID)
	b.await(t, b.take(t, b.equals("failed"), capture.ReuseMiss).ID)
	s.end = capture.Outcome{State: savepage.Success, Picture: &savepage.Picture{Name: "f.png"}, Fleeting: true}
	fleeting := b.await(t, b.take(t, b.equals("fleeting"), capture.ReuseMiss).ID)
	equal(t, fleeting.FinishedAt, fleeting.CapturedAt)
	b.await(t, b.take(t, b.equals("fleeting"), capture.ReuseMiss).ID)
	quiet(b, t)
}

// testKeptInAFullQueue has a picture kept for who comes when nothing more is accepted.
func testKeptInAFullQueue(t *scene) {
	b := setUp(t, ledger.Config{MaxPending: 1})
	stop := b.work(t, ledger.Handlers{Render: b.studio().render})
	first := b.await(t, b.take(t, b.equals("x"), capture.ReuseMiss).ID)
	stop()
	b.take(t, b.submission(), capture.ReuseNone)
	for range 3 {
		equal(t, first.ID, b.take(t, b.equals("x"), capture.ReuseHit).Source)
	}
	_, err := b.Accept(t.Context(), b.equals("y"))
	wantCode(t, savepage.CodeQueueFull, err)
	_, err = b.Accept(t.Context(), b.submission())
	wantCode(t, savepage.CodeQueueFull, err)
}

// quiet checks that nothing is left on the way.
func quiet(b *bench, t *scene) {
	t.Helper()
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 0, depth[0].Waiting+depth[0].Running)
}

func testJoined(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4, MaxPending: 6})
	s := b.studio()
	s.proceed = make(chan bool)
	b.work(t, ledger.Handlers{Render: s.render})
	leader := b.take(t, owing(b.equals("x")), capture.ReuseMiss)
	receive(t, "the render", s.started)
	var ids []string
	for range 5 {
		c := b.take(t, owing(b.equals("x")), capture.ReuseJoined)
		equal(t, savepage.Queued, c.State)
		ids = append(ids, c.ID)
	}
	_, err := b.Accept(t.Context(), b.equals("x"))
	wantCode(t, savepage.CodeQueueFull, err)
	_, err = b.Cancel(t.Context(), b.account, ids[4])
	must(t, err)
	other := b.take(t, b.equals("y"), capture.ReuseMiss)
	receive(t, "the other render", s.started)
	close(s.proceed)
	for _, id := range ids[:4] {
		c := b.await(t, id)
		equal(t, savepage.Success, c.State)
		equal(t, leader.ID, c.Source)
		equal(t, leader.ID+".png", c.Picture.Name)
		equal(t, leader.ID, c.Report.Title)
		equal(t, 0, c.Attempt)
		equal(t, b.get(t, leader.ID).FinishedAt, c.CapturedAt)
		equal(t, 1, len(b.deliveries(t, id)))
	}
	equal(t, savepage.Canceled, b.get(t, ids[4]).State)
	b.await(t, other.ID)
	equal(t, 2, s.renders())
	quiet(b, t)
	for range 6 {
		b.take(t, b.submission(), capture.ReuseNone) // every place is free again
	}
}

func testJoinedAtOnce(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4})
	s := b.studio()
	s.proceed = make(chan bool)
	b.work(t, ledger.Handlers{Render: s.render})
	var missed atomic.Int32
	var joined recorder
	each(40, func(int) {
		a, err := b.Accept(t.Context(), b.equals("x"))
		if err != nil {
			t.Error(err)
		}
		if a.Reuse == capture.ReuseMiss {
			missed.Add(1)
		}
		joined.add(a.Capture.ID)
	})
	equal(t, int32(1), missed.Load())
	close(s.proceed)
	for _, id := range joined.all() {
		equal(t, savepage.Success, b.await(t, id).State)
	}
	equal(t, 1, s.renders())
}

func testSharedFailure(t *scene) {
	b := setUp(t, ledger.Config{})
	s := b.studio()
	s.proceed = make(chan bool)
	s.end = capture.Outcome{State: savepage.Failed, Error: savepage.Errorf(savepage.CodeTLSError, "no certificate")}
	b.work(t, ledger.Handlers{Render: s.render})
	b.take(t, b.equals("x"), capture.ReuseMiss)
	receive(t, "the render", s.started)
	waiting := b.take(t, owing(b.equals("x")), capture.ReuseJoined)
	close(s.proceed)
	got := b.await(t, waiting.ID)
	equal(t, savepage.Failed, got.State)
	equal(t, savepage.CodeTLSError, got.Error.Code)
	equal(t, 1, len(b.deliveries(t, waiting.ID)))
}

// testCanceledLeader cancels captures that others wait for, while they are queued and while they run.
func testCanceledLeader(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	first := b.take(t, b.equals("x"), capture.ReuseMiss)
	second := b.take(t, b.equals("x"), capture.ReuseJoined)
	third := b.take(t, later(owing(b.equals("x")), second), capture.ReuseJoined)
	fourth := b.take(t, later(b.equals("x"), third), capture.ReuseJoined)
	_, err := b.Cancel(t.Context(), b.account, first.ID)
	must(t, err)
	s := b.studio()
	s.proceed = make(chan bool)
	b.work(t, ledger.Handlers{Render: s.render})
	equal(t, second.ID, receive(t, "the render of the second", s.started))
	_, err = b.Cancel(t.Context(), b.account, second.ID)
	must(t, err)
	equal(t, third.ID, receive(t, "the render of the third", s.started))
	close(s.proceed)
	equal(t, "", b.await(t, third.ID).Source)
	equal(t, third.ID, b.await(t, fourth.ID).Source)
	equal(t, savepage.Canceled, b.get(t, first.ID).State)
	quiet(b, t)
}

// testSharedRestart ends the ledger while a capture runs that others wait for.
func testSharedRestart(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4})
	s := b.studio()
	s.proceed = make(chan bool)
	stop := b.work(t, ledger.Handlers{Render: s.render})
	b.take(t, b.equals("x"), capture.ReuseMiss)
	receive(t, "the render", s.started)
	waiting := []string{b.take(t, b.equals("x"), capture.ReuseJoined).ID, b.take(t, b.equals("x"), capture.ReuseJoined).ID}
	stop()
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 4})
	s.b, s.proceed = b, nil
	b.work(t, ledger.Handlers{Render: s.render})
	for _, id := range waiting {
		equal(t, savepage.Success, b.await(t, id).State)
	}
	equal(t, 2, s.renders()) // the one that was cut off, and its repetition
}

// testSharedLostJobs loses all jobs: only the capture that leads gets a new one.
func testSharedLostJobs(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4})
	b.take(t, b.equals("x"), capture.ReuseMiss)
	waiting := b.take(t, b.equals("x"), capture.ReuseJoined)
	t.DropJobs(t)
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 4})
	s := b.studio()
	b.work(t, ledger.Handlers{Render: s.render})
	equal(t, savepage.Success, b.await(t, waiting.ID).State)
	equal(t, 1, s.renders())
}

// testClientsFirst: a capture that a client waits for does not wait for one that may be queued for long.
func testClientsFirst(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	patient := b.take(t, b.equals("x"), capture.ReuseMiss)
	sub := b.equals("x")
	sub.Capture.Interactive = true
	urgent := b.take(t, sub, capture.ReuseMiss)
	again := b.equals("x")
	again.Capture.Interactive = true
	joined := b.take(t, again, capture.ReuseJoined)
	_, err := b.Cancel(t.Context(), b.account, patient.ID)
	must(t, err) // another one leads: nobody follows
	s := b.studio()
	b.work(t, ledger.Handlers{Render: s.render})
	equal(t, urgent.ID, b.await(t, joined.ID).Source)
	equal(t, 1, s.renders())
}

func testForgetShared(t *scene) {
	b := setUp(t, ledger.Config{})
	b.work(t, ledger.Handlers{Render: b.studio().render})
	first := b.await(t, b.take(t, b.equals("x"), capture.ReuseMiss).ID)
	second := b.take(t, b.equals("x"), capture.ReuseHit)
	equal(t, "", b.forget(t, b.other(t), first.ID))
	equal(t, "", b.forget(t, b.account, first.ID))
	third := b.take(t, b.equals("x"), capture.ReuseHit)
	equal(t, first.ID, third.Source)
	equal(t, "", b.forget(t, b.account, third.ID))
	equal(t, first.Picture.Name, b.forget(t, b.account, second.ID))
	equal(t, "", b.forget(t, b.account, second.ID))
	b.take(t, b.equals("x"), capture.ReuseMiss)
}
