package ledgertest

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func storingTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"ends with the store": testStoring,
		"store fails":         testStoreFails,
		"restart":             testStoringRestart,
		"canceled":            testStoringCanceled,
		"shared":              testStoringShared,
		"takes too long":      testStoringOverlong,
		"no attempt":          testStoringNoAttempt,
		"closed accounts":     testStoringOfClosed,
	}
}

// bound has a submission put its picture into the store archive, and tell that it has ended.
func bound(sub capture.Submission) capture.Submission {
	sub.Capture.Options.Store = &savepage.StoreTo{Name: "archive", Key: "{id}/home.{format}"}
	return owing(sub)
}

// bucket is a store that takes pictures when it is told to.
type bucket struct {
	b      *bench
	answer chan savepage.Verdict // to the next attempt
	asked  chan savepage.Delivery
	told   chan savepage.Delivery // callbacks
	ended  chan savepage.Capture
}

func newBucket(t *scene, b *bench) *bucket {
	t.Helper()
	keep(t, b, b.account, bucketOf("archive", "one"))
	return &bucket{
		b: b, answer: make(chan savepage.Verdict, 10), asked: make(chan savepage.Delivery, 10), told: make(chan savepage.Delivery, 10),
		ended: make(chan savepage.Capture, 10),
	}
}

// handlers render by the studio and put pictures into the bucket.
func (k *bucket) handlers(s *studio) ledger.Handlers {
	return ledger.Handlers{
		Render: s.render,
		Stored: ledger.StoredHandler{Owe: tells, Ended: func(_ context.Context, c savepage.Capture) { k.ended <- c }},
		Deliver: func(ctx context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			if d.Store == "" {
				k.told <- d
				return delivered()
			}
			k.asked <- d
			select {
			case v := <-k.answer:
				if v.State == savepage.Delivered && d.Upload != nil {
					v.Stored = &savepage.Stored{Name: d.Store, Key: d.Upload.Key, URL: "http://bucket.test/" + d.Upload.Key}
				}
				return v
			case <-ctx.Done():
				return savepage.Verdict{State: savepage.Pending}
			}
		},
	}
}

func refusedBy() savepage.Verdict {
	return savepage.Verdict{
		State:   savepage.Dead,
		Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptStatus, Status: 403, Error: "The bucket answered 403."},
	}
}

func usageOf(t *scene, b *bench) savepage.Usage {
	t.Helper()
	u, err := b.Usage(t.Context(), b.account)
	must(t, err)
	return u
}

// testStoring ends a capture of a batch when its store has the picture, at the second attempt. Meanwhile it runs for others, holds
// no page, and nobody is told.
func testStoring(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub := batch(b.account, 1)
	sub.Captures[0] = bound(sub.Captures[0])
	sub.Captures[0].Owe = nil
	_, err := b.AcceptBatch(t.Context(), sub)
	must(t, err)
	id := sub.Captures[0].Capture.ID
	first := <-k.asked
	equal(t, []any{id, "archive", "shots/" + id + "/home.png", id + ".png", "of-one"}, []any{
		first.CaptureID, first.Store, first.Upload.Key, first.Picture.Name, first.Upload.Store.Keys.SecretAccessKey,
	})
	equal(t, "https://one.s3.amazonaws.com/shots/"+id+"/home.png", first.URL)
	waiting := b.get(t, id)
	equal(t, []any{savepage.Running, true}, []any{waiting.State, waiting.FinishedAt.IsZero()})
	equal(t, []any{1, 0}, []any{usageOf(t, b).Pending.Used, usageOf(t, b).Pages.Used})
	equal(t, savepage.Counts{Total: 1, Running: 1}, b.batch(t, sub.Batch.ID).Counts)
	listed, _, err := b.List(t.Context(), b.account, capture.Filter{States: []savepage.State{savepage.Running}, Limit: 10})
	must(t, err)
	equal(t, 1, len(listed))
	// The one page is free for another.
	equal(t, savepage.Success, b.await(t, b.accept(t, b.account)).State)
	equal(t, 0, len(k.told))

	k.answer <- tryAgain(0)
	<-k.asked
	k.answer <- delivered()
	done := b.await(t, id)
	equal(t, &savepage.Stored{Name: "archive", Key: first.Upload.Key, URL: "http://bucket.test/" + first.Upload.Key}, done.Stored)
	equal(t, []any{savepage.Success, id + ".png"}, []any{done.State, done.Picture.Name})
	for range 2 { // the capture's and the batch's
		told := <-k.told
		equal(t, true, told.CaptureID == id || told.BatchID == sub.Batch.ID)
	}
	equal(t, id, (<-k.ended).ID)
	equal(t, savepage.Counts{Total: 1, Success: 1}, b.batch(t, sub.Batch.ID).Counts)
	equal(t, []any{0, 2}, []any{usageOf(t, b).Pending.Used, usageOf(t, b).CapturesPerMonth.Used})
	equal(t, 1, s.counts[id])
	var put savepage.Delivery
	for _, d := range b.settled(t, id) {
		if d.Store != "" {
			put = d
		}
	}
	equal(t, []any{savepage.Delivered, 2}, []any{put.State, len(put.Attempts)})
}

// testStoreFails ends a capture whose store refuses its picture. The picture stays, and can be put there by hand; the capture has
// failed all the same.
func testStoreFails(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub := bound(b.submission())
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	id := sub.Capture.ID
	<-k.asked
	k.answer <- refusedBy()
	failed := b.await(t, id)
	equal(t, []any{savepage.Failed, savepage.CodeStoreFailed, true, true}, []any{
		failed.State, failed.Error.Code, strings.Contains(failed.Error.Message, "archive: The bucket answered 403."), failed.Picture != nil,
	})
	equal(t, id, (<-k.told).CaptureID)
	equal(t, []any{0, 1}, []any{usageOf(t, b).Pending.Used, usageOf(t, b).CapturesPerMonth.Used})
	var put string
	for _, d := range b.settled(t, id) {
		if d.Store != "" {
			put = d.ID
		}
	}
	_, err = b.Redeliver(t.Context(), b.account, put)
	must(t, err)
	<-k.asked
	k.answer <- delivered()
	eventually(t, "it is put there", func() bool {
		d, err := b.Delivery(t.Context(), b.account, put)
		must(t, err)
		return d.State == savepage.Delivered
	})
	equal(t, savepage.Failed, b.get(t, id).State)
	equal(t, 0, len(k.told))
	equal(t, id+".png", b.forget(t, b.account, id))
}

// testStoringRestart goes on after a restart, and renders nothing again.
func testStoringRestart(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	stop := b.work(t, k.handlers(s))
	sub := bound(b.submission())
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	<-k.asked
	stop()
	equal(t, savepage.Running, b.get(t, sub.Capture.ID).State)
	must(t, b.Close())
	b.Store = t.open(ledger.Config{})
	s.b = b
	must(t, b.RemoveStore(t.Context(), b.account, "archive"))
	b.work(t, k.handlers(s))
	gone := <-k.asked
	equal(t, true, gone.Upload == nil)
	k.answer <- tryAgain(0)
	keep(t, b, b.account, bucketOf("archive", "two")) // set up anew, also for what waits
	again := <-k.asked
	for again.Upload == nil { // asked before that
		k.answer <- tryAgain(0)
		again = <-k.asked
	}
	equal(t, "two", again.Upload.Store.Bucket)
	k.answer <- delivered()
	equal(t, savepage.Success, b.await(t, sub.Capture.ID).State)
	equal(t, 1, s.renders())
}

// testStoringCanceled ends what waits for its store; an attempt that is under way changes nothing any more.
func testStoringCanceled(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub, many := bound(b.submission()), batch(b.account, 2)
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	<-k.asked
	many.Captures[0] = bound(many.Captures[0])
	many.Captures[0].Owe = nil
	_, err = b.AcceptBatch(t.Context(), many)
	must(t, err)
	eventually(t, "it waits for its store", func() bool {
		return len(b.deliveries(t, many.Captures[0].Capture.ID)) == 1 && b.get(t, many.Captures[1].Capture.ID).State.Final()
	})
	for _, id := range []string{sub.Capture.ID, many.Captures[0].Capture.ID} {
		if id == sub.Capture.ID {
			_, err = b.Cancel(t.Context(), b.account, id)
		} else {
			_, err = b.CancelBatch(t.Context(), b.account, many.Batch.ID)
		}
		must(t, err)
		equal(t, savepage.Canceled, b.get(t, id).State)
		equal(t, 0, len(b.deliveries(t, id)))
	}
	equal(t, savepage.Counts{Total: 2, Success: 1, Canceled: 1}, b.batch(t, many.Batch.ID).Counts)
	k.answer <- delivered()
	equal(t, many.Batch.ID, (<-k.told).BatchID)
	equal(t, []any{0, savepage.Canceled}, []any{usageOf(t, b).Pending.Used, b.get(t, sub.Capture.ID).State})
	equal(t, sub.Capture.ID+".png", b.forget(t, b.account, sub.Capture.ID))
}

// testStoringShared has captures share a render of which some have a store: each waits for its own alone.
func testStoringShared(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	s.proceed = make(chan bool)
	leader, plain, follower := bound(b.equals("x")), owing(b.equals("x")), bound(b.equals("x"))
	for _, sub := range []capture.Submission{leader, plain, follower} {
		_, err := b.Accept(t.Context(), sub)
		must(t, err)
	}
	b.work(t, k.handlers(s))
	led := <-s.started
	close(s.proceed)
	equal(t, savepage.Success, b.await(t, plain.Capture.ID).State)
	equal(t, plain.Capture.ID, (<-k.told).CaptureID)
	put := map[string]bool{}
	for range 2 {
		put[(<-k.asked).CaptureID] = true
		k.answer <- delivered()
	}
	equal(t, map[string]bool{leader.Capture.ID: true, follower.Capture.ID: true}, put)
	for id := range put {
		done := b.await(t, id)
		equal(t, []any{savepage.Success, led + ".png"}, []any{done.State, done.Picture.Name})
		equal(t, "shots/"+id+"/home.png", done.Stored.Key)
		<-k.told
	}
	kept := bound(b.equals("x"))
	accepted, err := b.Accept(t.Context(), kept)
	must(t, err)
	equal(t, []any{capture.ReuseHit, savepage.Running}, []any{accepted.Reuse, accepted.Capture.State})
	<-k.asked
	k.answer <- delivered()
	equal(t, "shots/"+kept.Capture.ID+"/home.png", b.await(t, kept.Capture.ID).Stored.Key)
	equal(t, 1, s.renders())
	equal(t, 0, usageOf(t, b).Pending.Used)
}

// testStoringOverlong gives up what a store has not taken for too long, with the reason of the last attempt.
func testStoringOverlong(t *scene) {
	now := clock.Manual(whole(time.Now()))
	b := setUp(t, ledger.Config{Clock: now})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub := bound(b.submission())
	sub.Capture.CreatedAt = now.Now()
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	<-k.asked
	v := tryAgain(0)
	v.NextAt, v.Attempt.Error = now.Now().Add(24*time.Hour), "The bucket is away."
	k.answer <- v
	eventually(t, "the attempt is written down", func() bool { return len(b.deliveries(t, sub.Capture.ID)[0].Attempts) == 1 })
	giveUp := func() int {
		ended, err := b.EndOverlong(t.Context(), now.Now().Add(-time.Hour), time.Hour, 10, tells)
		must(t, err)
		return len(ended)
	}
	now.Advance(59 * time.Minute)
	equal(t, 0, giveUp())
	now.Advance(2 * time.Minute)
	equal(t, 1, giveUp())
	equal(t, 0, giveUp())
	failed := b.await(t, sub.Capture.ID)
	equal(t, []any{savepage.CodeStoreFailed, true}, []any{failed.Error.Code, strings.Contains(failed.Error.Message, "The bucket is away.")})
	equal(t, sub.Capture.ID, (<-k.told).CaptureID)
	equal(t, 0, usageOf(t, b).Pending.Used)
}

// testStoringNoAttempt writes nothing down where no attempt was made: the delivery is owed as before.
func testStoringNoAttempt(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub := bound(b.submission())
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	<-k.asked
	k.answer <- savepage.Verdict{}
	other := bound(b.submission()) // brings the receiver to mind again
	_, err = b.Accept(t.Context(), other)
	must(t, err)
	for range 2 {
		<-k.asked
		k.answer <- delivered()
	}
	equal(t, savepage.Success, b.await(t, sub.Capture.ID).State)
	equal(t, savepage.Success, b.await(t, other.Capture.ID).State)
	for _, d := range b.settled(t, sub.Capture.ID) {
		equal(t, 1, len(d.Attempts))
	}
}

// testStoringOfClosed removes what waits for its store with its account.
func testStoringOfClosed(t *scene) {
	b := setUp(t, ledger.Config{})
	k, s := newBucket(t, b), b.studio()
	b.work(t, k.handlers(s))
	sub := bound(b.submission())
	_, err := b.Accept(t.Context(), sub)
	must(t, err)
	<-k.asked
	must(t, b.Admin().CloseAccount(t.Context(), b.account))
	var dropped atomic.Int64
	for done := false; !done; {
		_, done, err = b.RemoveSome(t.Context(), b.account, 10, func(names []string) error { dropped.Add(int64(len(names))); return nil })
		must(t, err)
	}
	equal(t, []any{int64(1), 0}, []any{dropped.Load(), len(t.Keys(t))})
	k.answer <- delivered()
	pending, err := b.PendingDeliveries(t.Context())
	must(t, err)
	equal(t, 0, pending)
}
