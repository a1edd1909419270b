package ledgertest

import (
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

func redeliverDead(t *scene, b *bench, account string, since time.Time) (int, time.Time, error) {
	t.Helper()
	sent, err := b.RedeliverEnded(t.Context(), account, capture.Redelivery{States: []savepage.DeliveryState{savepage.Dead}, Since: since})
	return sent.Count, sent.Last, err
}

// testRedeliverEnded counts and sends what has ended, by state and by capture: once, and nothing of another account.
func testRedeliverEnded(t *scene) {
	b := setUp(t, ledger.Config{})
	dead := b.end(t, savepage.Dead, "http://a.test", "http://b.test")
	done := b.end(t, savepage.Delivered, "http://a.test", "http://b.test", "http://c.test")
	ask := func(account string, which capture.Redelivery, want int) {
		t.Helper()
		which.CountOnly = true
		for range 2 { // counting changes nothing
			counted, err := b.RedeliverEnded(t.Context(), account, which)
			must(t, err)
			equal(t, capture.Redelivered{Count: want}, counted)
		}
	}
	onlyDead, onlyDone := []savepage.DeliveryState{savepage.Dead}, []savepage.DeliveryState{savepage.Delivered}
	both := []savepage.DeliveryState{savepage.Dead, savepage.Delivered}
	ask(b.account, capture.Redelivery{States: onlyDead}, 2)
	ask(b.account, capture.Redelivery{States: onlyDone}, 3)
	ask(b.account, capture.Redelivery{States: both}, 5)
	ask(b.account, capture.Redelivery{States: both, Since: time.Now().Add(time.Hour)}, 0)
	ask(b.account, capture.Redelivery{States: both, CaptureID: done[0].CaptureID}, 3)
	ask(b.account, capture.Redelivery{States: onlyDead, CaptureID: done[0].CaptureID}, 0)
	ask(b.other(t), capture.Redelivery{States: both, CaptureID: done[0].CaptureID}, 0)

	sent, err := b.RedeliverEnded(t.Context(), b.account, capture.Redelivery{States: both, CaptureID: dead[0].CaptureID})
	must(t, err)
	equal(t, 2, sent.Count)
	ask(b.account, capture.Redelivery{States: both}, 3)
	sent, err = b.RedeliverEnded(t.Context(), b.account, capture.Redelivery{States: both})
	must(t, err)
	equal(t, 3, sent.Count)
	equal(t, whole(sent.Last), *b.delivery(t, done[2].ID).NextAt)
	a := &attempts{answer: ends(savepage.Delivered, 200)}
	b.work(t, ledger.Handlers{Deliver: a.deliver})
	for _, d := range append(b.settled(t, dead[0].CaptureID), b.settled(t, done[0].CaptureID)...) {
		equal(t, []any{savepage.Delivered, 2}, []any{d.State, len(d.Attempts)})
	}
	equal(t, 5, len(a.all()))
}
