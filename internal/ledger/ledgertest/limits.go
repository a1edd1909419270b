package ledgertest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func limitTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"pending":        testPendingLimit,
		"pending bytes":  testPendingBytesLimit,
		"quota":          testQuota,
		"quota at once":  testQuotaAtOnce,
		"quota, month":   testQuotaMonth,
		"quota, batch":   testQuotaBatch,
		"quota, cache":   testQuotaCache,
		"quota, restart": testQuotaRestart,
	}
}

// limited is a configuration whose accounts have these limits.
func limited(change func(*savepage.Limits)) ledger.Config {
	limits := savepage.DefaultLimits()
	change(&limits)
	return ledger.Config{Limits: limits}
}

func quotaOf(n int) ledger.Config {
	return limited(func(l *savepage.Limits) { l.CapturesPerMonth = n })
}

// fullpage makes a submission that counts as several.
func fullpage(b *bench) capture.Submission {
	sub := b.submission()
	sub.Capture.Options.Fullpage = true
	return sub
}

// admits accepts a submission and returns its id.
func admits(t *scene, b *bench, sub capture.Submission) string {
	t.Helper()
	a, err := b.Accept(t.Context(), sub)
	must(t, err)
	return a.Capture.ID
}

// refuses wants a submission to be refused.
func refuses(t *scene, b *bench, code savepage.Code, sub capture.Submission) {
	t.Helper()
	_, err := b.Accept(t.Context(), sub)
	wantCode(t, code, err)
}

func testPendingLimit(t *scene) {
	b := setUp(t, limited(func(l *savepage.Limits) { l.Pending = 3 }))
	first := admits(t, b, b.submission())
	again := b.submission()
	again.IdempotencyKey = "k"
	second := admits(t, b, again)
	admits(t, b, b.submission())
	refused := b.submission()
	refused.IdempotencyKey = "free"
	refuses(t, b, savepage.CodeTooManyPending, refused)
	foreign := b.other(t)
	b.accept(t, foreign)

	// A repetition is no further capture, and a refused request leaves its key.
	again = b.submission()
	again.IdempotencyKey = "k"
	a, err := b.Accept(t.Context(), again)
	must(t, err)
	equal(t, second, a.Capture.ID)
	_, err = b.Cancel(t.Context(), b.account, first)
	must(t, err)
	once := b.submission()
	once.IdempotencyKey = refused.IdempotencyKey
	a, err = b.Accept(t.Context(), once)
	must(t, err)
	equal(t, []any{false, once.Capture.ID}, []any{a.Replayed, a.Capture.ID})
	refuses(t, b, savepage.CodeTooManyPending, b.submission())

	b.work(t, ledger.Handlers{})
	b.await(t, a.Capture.ID)
	b.await(t, second)
	admits(t, b, b.submission())
}

func testPendingBytesLimit(t *scene) {
	b := setUp(t, limited(func(l *savepage.Limits) { l.PendingBytes = 20_000 }))
	heavy := b.submission()
	heavy.Capture.Options.HTML, heavy.Capture.Options.URL = string(make([]byte, 3_000)), ""
	id := admits(t, b, heavy) // JSON takes six characters for each
	other := b.submission()
	other.Capture.Options.HTML, other.Capture.Options.URL = string(make([]byte, 3_000)), ""
	refuses(t, b, savepage.CodeTooManyPending, other)
	admits(t, b, b.submission())
	_, err := b.Cancel(t.Context(), b.account, id)
	must(t, err)
	admits(t, b, other)
}

func testQuota(t *scene) {
	b := setUp(t, quotaOf(4))
	for code, counted := range map[savepage.Code]bool{
		"": true, savepage.CodeNameNotResolved: true, savepage.CodeInternal: false, savepage.CodeBrowserLost: false,
	} {
		b.account = b.other(t)
		full, one := admits(t, b, fullpage(b)), admits(t, b, b.submission())
		refuses(t, b, savepage.CodeQuotaExceeded, b.submission())
		stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
			o := capture.Outcome{State: savepage.Success, FinishedAt: time.Now()}
			if code != "" {
				o.State, o.Error = savepage.Failed, savepage.Errorf(code, "it failed")
			}
			return b.Finish(ctx, c, o)
		}})
		b.await(t, full)
		b.await(t, one)
		stop()
		if counted {
			refuses(t, b, savepage.CodeQuotaExceeded, b.submission())
		} else {
			admits(t, b, fullpage(b))
			admits(t, b, b.submission())
		}
	}
}

func testQuotaAtOnce(t *scene) {
	b := setUp(t, quotaOf(10))
	var accepted atomic.Int32
	each(40, func(int) {
		_, err := b.Accept(t.Context(), b.submission())
		if err == nil {
			accepted.Add(1)
			return
		}
		wantCode(t, savepage.CodeQuotaExceeded, err)
	})
	equal(t, 10, int(accepted.Load()))
}

func testQuotaMonth(t *scene) {
	cfg := quotaOf(3)
	cfg.Clock = clock.Manual(time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC))
	b := setUp(t, cfg)
	at := func(sub capture.Submission) capture.Submission {
		sub.Capture.CreatedAt = cfg.Clock.Now()
		return sub
	}
	november := admits(t, b, at(fullpage(b)))
	refuses(t, b, savepage.CodeQuotaExceeded, at(b.submission()))
	cfg.Clock.Advance(time.Second)
	admits(t, b, at(b.submission()))
	// What ends in December counts in November, when it was accepted.
	_, err := b.Cancel(t.Context(), b.account, november)
	must(t, err)
	admits(t, b, at(b.submission()))
	admits(t, b, at(b.submission()))
	refuses(t, b, savepage.CodeQuotaExceeded, at(b.submission()))
}

func testQuotaBatch(t *scene) {
	b := setUp(t, quotaOf(4))
	one := batch(b.account, 3)
	one.IdempotencyKey = "k"
	a, err := b.AcceptBatch(t.Context(), one)
	must(t, err)
	two := batch(b.account, 2)
	two.IdempotencyKey = "two"
	_, err = b.AcceptBatch(t.Context(), two)
	wantCode(t, savepage.CodeQuotaExceeded, err)
	_, err = b.CancelBatch(t.Context(), b.account, a.Batch.ID)
	must(t, err)
	three := batch(b.account, 2)
	three.IdempotencyKey = two.IdempotencyKey
	again, err := b.AcceptBatch(t.Context(), three)
	must(t, err)
	equal(t, []any{false, three.Batch.ID}, []any{again.Replayed, again.Batch.ID})
	admits(t, b, b.submission())
	admits(t, b, b.submission())
	refuses(t, b, savepage.CodeQuotaExceeded, b.submission())
}

func testQuotaCache(t *scene) {
	b := setUp(t, quotaOf(2))
	b.work(t, ledger.Handlers{})
	b.await(t, admits(t, b, b.equals("same")))
	b.await(t, admits(t, b, b.submission()))
	refuses(t, b, savepage.CodeQuotaExceeded, b.submission())
	a, err := b.Accept(t.Context(), b.equals("same"))
	must(t, err)
	equal(t, capture.ReuseHit, a.Reuse)
	refuses(t, b, savepage.CodeQuotaExceeded, b.equals("another"))
}

func testQuotaRestart(t *scene) {
	cfg := quotaOf(3)
	b := setUp(t, cfg)
	waits := admits(t, b, b.submission())
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, _ capture.Claim) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	eventually(t, "it runs", func() bool { return b.get(t, waits).State == savepage.Running })
	stop()
	must(t, b.Close())
	b.Store = t.open(cfg)
	admits(t, b, b.submission())
	b.work(t, ledger.Handlers{})
	b.await(t, waits)
	admits(t, b, b.submission())
	refuses(t, b, savepage.CodeQuotaExceeded, b.submission())
}
