package ledgertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func secretTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"rotate":          testRotate,
		"rotate at once":  testRotateAtOnce,
		"private options": testPrivate,
		"private goes":    testPrivateGoes,
	}
}

// testRotate replaces a secret twice within the overlap: each stays valid for as long as it was told.
func testRotate(t *scene) {
	now := clock.Manual(whole(time.Now()))
	b := setUp(t, ledger.Config{Clock: now})
	signs := func(want ...string) {
		t.Helper()
		got, err := b.Signing(t.Context(), b.account)
		must(t, err)
		equal(t, want, got)
	}
	first := b.issued.WebhookSecret
	signs(first)
	known, err := b.Secrets(t.Context(), b.account)
	must(t, err)
	equal(t, []any{"", ledger.Hint(first), 0}, []any{known.Secret, known.Current.Hint, len(known.Previous)})
	if strings.Contains(known.Current.Hint, first[11:40]) || !strings.HasPrefix(first, strings.Split(known.Current.Hint, "…")[0]) {
		t.Errorf("hint %q", known.Current.Hint)
	}

	made, err := b.RotateSecret(t.Context(), b.account, 24*time.Hour)
	must(t, err)
	must(t, savepage.CheckSecret(made.Secret))
	end := now.Now().Add(24 * time.Hour)
	equal(t, []savepage.SecretInfo{{Hint: ledger.Hint(first), CreatedAt: known.Current.CreatedAt, ValidUntil: &end}}, made.Previous)
	signs(made.Secret, first)
	again, err := b.Secrets(t.Context(), b.account)
	must(t, err)
	equal(t, savepage.WebhookSecrets{Current: made.Current, Previous: made.Previous}, again)

	now.Advance(time.Hour)
	third, err := b.keys.RotateSecret(t.Context(), b.account, 24*time.Hour)
	must(t, err)
	signs(third.Secret, made.Secret, first)
	now.Advance(23 * time.Hour)
	signs(third.Secret, made.Secret)
	now.Advance(2 * time.Hour)
	signs(third.Secret)

	other := b.other(t)
	for _, call := range []func(context.Context, string, time.Duration) (savepage.WebhookSecrets, error){
		b.RotateSecret, b.keys.RotateSecret,
	} {
		_, err = call(t.Context(), "acc_none", 0)
		wantCode(t, savepage.CodeNotFound, err)
	}
	_, err = b.Secrets(t.Context(), "acc_none")
	wantCode(t, savepage.CodeNotFound, err)
	theirs, err := b.Signing(t.Context(), other)
	must(t, err)
	equal(t, 1, len(theirs))
	signs(third.Secret)
}

// testRotateAtOnce ends all older secrets, as one does when a secret has leaked.
func testRotateAtOnce(t *scene) {
	b := setUp(t, ledger.Config{})
	for range ledger.MaxOldSecrets {
		_, err := b.RotateSecret(t.Context(), b.account, time.Hour)
		must(t, err)
	}
	before, err := b.Signing(t.Context(), b.account)
	must(t, err)
	equal(t, ledger.MaxOldSecrets+1, len(before))
	_, err = b.RotateSecret(t.Context(), b.account, time.Hour)
	wantCode(t, savepage.CodeConflict, err)
	after, err := b.Signing(t.Context(), b.account)
	must(t, err)
	equal(t, before, after)
	made, err := b.RotateSecret(t.Context(), b.account, 0)
	must(t, err)
	equal(t, 0, len(made.Previous))
	after, err = b.Signing(t.Context(), b.account)
	must(t, err)
	equal(t, []string{made.Secret}, after)
}

const ownSecret = "whsec_b3duIHNlY3JldCBvZiBvbmUgY2FwdHVyZSE=" //nolint:gosec // nobody's

// testPrivate follows a secret and headers of a capture's own: every attempt gets them, over a restart, and no look-up does.
func testPrivate(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	sub := b.submission()
	sub.Capture.Options.CallbackURL = "http://a.test/"
	sub.Capture.Options.CallbackSecret = ownSecret
	sub.Capture.Options.CallbackHeaders = savepage.Headers{"Authorization": "Bearer of-the-receiver"}
	sub.IdempotencyKey = "k"
	accepted, err := b.Accept(t.Context(), sub)
	must(t, err)
	unseen := func(v any) {
		t.Helper()
		text, err := json.Marshal(v)
		must(t, err)
		if strings.Contains(string(text), ownSecret) || strings.Contains(string(text), "of-the-receiver") {
			t.Errorf("told: %s", text)
		}
	}
	id := accepted.Capture.ID
	sub.Capture.ID = capture.NewID("cap_", time.Now())
	replayed, err := b.Accept(t.Context(), sub)
	must(t, err)
	list, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 10})
	must(t, err)
	unseen([]any{accepted.Capture.Options, b.get(t, id).Options, replayed.Capture.Options, list[0].Options})

	got := make(chan []string, 1000) // the first start may make more than one attempt
	render := b.finisher(func(c savepage.Capture) []savepage.Delivery {
		unseen(c.Options)
		return []savepage.Delivery{delivery(c, c.Options.CallbackURL)}
	})
	attempt := func(v savepage.Verdict) func(context.Context, savepage.Delivery, []string) savepage.Verdict {
		return func(_ context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
			got <- append(slices.Clone(secrets), d.Headers["Authorization"])
			return v
		}
	}
	want := []string{ownSecret, "Bearer of-the-receiver"}
	stop := b.work(t, ledger.Handlers{Render: render, Deliver: attempt(tryAgain(time.Second))})
	equal(t, want, receive(t, "a first attempt", got))
	eventually(t, "the attempt is recorded", func() bool { return len(b.deliveries(t, id)[0].Attempts) > 0 })
	stop()
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Clock: now})
	for len(got) > 0 {
		<-got
	}
	b.work(t, ledger.Handlers{Deliver: attempt(delivered())})
	eventually(t, "an attempt after the restart", func() bool { now.Advance(100 * time.Millisecond); return len(got) > 0 })
	equal(t, want, <-got)
	unseen(b.settled(t, id))
	unseen(b.get(t, id))
}

// testPrivateGoes has what is private leave with the capture.
func testPrivateGoes(t *scene) {
	b := setUp(t, ledger.Config{})
	secretly := func() string {
		sub := b.submission()
		sub.Capture.Options.CallbackURL, sub.Capture.Options.CallbackSecret = "http://a.test/", ownSecret
		_, err := b.Accept(t.Context(), sub)
		must(t, err)
		return sub.Capture.ID
	}
	kept, canceled := secretly(), secretly()
	_, err := b.Cancel(t.Context(), b.account, canceled)
	must(t, err)
	many := batch(b.account, 2)
	for i := range many.Captures {
		o := &many.Captures[i].Capture.Options
		o.CallbackURL, o.CallbackSecret = "http://a.test/", ownSecret
	}
	_, err = b.AcceptBatch(t.Context(), many)
	must(t, err)
	equal(t, []string{kept, many.Captures[0].Capture.ID, many.Captures[1].Capture.ID}, t.Private(t))
	equal(t, "", b.get(t, many.Captures[0].Capture.ID).Options.CallbackSecret)
	_, err = b.CancelBatch(t.Context(), b.account, many.Batch.ID)
	must(t, err)
	equal(t, []string{kept}, t.Private(t))
	b.work(t, ledger.Handlers{})
	equal(t, savepage.Success, b.await(t, kept).State)
	equal(t, []string{kept}, t.Private(t))
	_, err = b.Forget(t.Context(), b.account, kept)
	must(t, err)
	equal(t, 0, len(t.Private(t)))
}
