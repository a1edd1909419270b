package ledgertest

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func historyTests() map[string]func(*scene) {
	return map[string]func(*scene){"counts": testHistory, "shared": testHistoryShared, "is forgotten": testHistoryIsForgotten}
}

// rendered has a capture end so that its render took so many milliseconds, and its callback. One that took none failed.
func rendered(t *scene, b *bench, c *clock.Clock, ms int64) {
	t.Helper()
	sub := b.submission()
	sub.Capture.CreatedAt = c.Now()
	id := admits(t, b, sub)
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, claim capture.Claim) error {
		o := capture.Outcome{State: savepage.Failed, FinishedAt: c.Now(), Error: savepage.Errorf(savepage.CodeRenderTimeout, "too slow")}
		if ms > 0 {
			o = capture.Outcome{State: savepage.Success, FinishedAt: c.Now()}
			o.Picture = &savepage.Picture{Name: id + ".png", Size: 1000}
			o.Timing.RenderMS = ms
			owed := delivery(claim.Capture, "http://a.test")
			owed.CreatedAt = c.Now()
			o.Deliveries = []savepage.Delivery{owed}
		}
		return b.Finish(ctx, claim, o)
	}, Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict {
		if ms == deadMS {
			return savepage.Verdict{State: savepage.Dead, Attempt: savepage.Attempt{At: c.Now(), Outcome: savepage.AttemptStatus, Status: 410}}
		}
		well := delivered()
		well.Attempt.At = c.Now()
		return well
	}})
	defer stop()
	b.await(t, id)
	eventually(t, "its callback has ended", func() bool {
		owed, _, err := b.ListDeliveries(t.Context(), b.account, capture.DeliveryFilter{Limit: 10, State: savepage.Pending})
		must(t, err)
		return len(owed) == 0
	})
}

// deadMS is how long a render takes whose receiver wants no more.
const deadMS = 1249

// testHistory has captures and a callback end in three hours of two days.
func testHistory(t *scene) {
	c := clock.Manual(time.Date(2026, 12, 31, 22, 10, 0, 0, time.UTC))
	b := setUp(t, ledger.Config{Clock: c})
	past := func(span savepage.HistorySpan) savepage.UsageHistory {
		h, err := b.History(t.Context(), b.account, span)
		must(t, err)
		return h
	}
	equal(t, savepage.UsagePoint{At: time.Date(2026, 12, 30, 23, 0, 0, 0, time.UTC)}, past(savepage.HistoryDay).Total)

	for _, ms := range []int64{87, 1234, 98_765} {
		rendered(t, b, c, ms)
	}
	c.Advance(time.Hour)
	rendered(t, b, c, 0)
	canceled := admits(t, b, b.submission())
	_, err := b.Cancel(t.Context(), b.account, canceled)
	must(t, err)
	c.Advance(time.Hour) // the next day
	rendered(t, b, c, deadMS)

	day := past(savepage.HistoryDay)
	equal(t, 24, len(day.Points))
	equal(t, time.Date(2026, 12, 31, 1, 0, 0, 0, time.UTC), day.From)
	equal(t, time.Date(2027, 1, 1, 1, 0, 0, 0, time.UTC), day.Until)
	first := day.Points[21]
	equal(t, savepage.UsagePoint{
		At: time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC), Success: 3, Bytes: 3000, Delivered: 3,
		RenderMSP50: new(int64(1200)), RenderMSP95: new(int64(99_000)),
	}, first)
	equal(t, savepage.UsagePoint{At: first.At.Add(time.Hour), Failed: 1, Canceled: 1}, day.Points[22])
	for _, span := range savepage.HistorySpans() {
		h := past(span)
		equal(t, savepage.UsagePoint{
			At: h.From, Success: 4, Failed: 1, Canceled: 1, Bytes: 4000, Delivered: 3, Dead: 1, RenderMSP50: new(int64(1200)),
			RenderMSP95: new(int64(99_000)),
		}, h.Total)
	}
	week := past(savepage.HistoryWeek)
	equal(t, []int{7, 86_400}, []int{len(week.Points), week.StepSeconds})
	equal(t, []int64{3, 1, 1200}, []int64{week.Points[5].Success, week.Points[6].Success, *week.Points[5].RenderMSP50})
	_, err = b.History(t.Context(), "acc_none", savepage.HistoryDay)
	wantCode(t, savepage.CodeNotFound, err)
}

// testHistoryShared has captures end with the picture of another.
func testHistoryShared(t *scene) {
	b := setUp(t, ledger.Config{})
	s := b.studio()
	defer b.work(t, ledger.Handlers{Render: s.render})()
	first := admits(t, b, b.equals("a"))
	b.await(t, first)
	b.await(t, admits(t, b, b.equals("a")))
	h, err := b.History(t.Context(), b.account, savepage.HistoryMonth)
	must(t, err)
	equal(t, []int64{1, 1}, []int64{h.Total.Success, h.Total.Shared})
}

// testHistoryIsForgotten waits for 31 days.
func testHistoryIsForgotten(t *scene) {
	c := clock.Manual(time.Date(2026, 12, 31, 22, 10, 0, 0, time.UTC))
	b := setUp(t, ledger.Config{Clock: c})
	rendered(t, b, c, 100)
	equal(t, 2, t.Hours(t))
	stop := b.work(t, ledger.Handlers{})
	defer stop()
	eventually(t, "it is forgotten", func() bool {
		c.Advance(24 * time.Hour)
		return t.Hours(t) == 0
	})
	equal(t, true, c.Now().After(time.Date(2027, 1, 31, 22, 0, 0, 0, time.UTC)))
}
