package ledgertest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func inboxTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"keeps and answers": testInbox,
		"has bounds":        testInboxBounds,
		"forgets":           testInboxForgets,
		"is of one account": testInboxesApart,
		"closed accounts":   testInboxOfClosed,
	}
}

// arrival is an event in the inbox of an account.
func arrival(account string, at time.Time) savepage.InboxEvent {
	return savepage.InboxEvent{
		ID: capture.NewID("evt_", at), Account: account, Type: savepage.InboxCapture, WebhookID: "msg_1", CaptureID: "cap_1", Attempt: 2,
		ReceivedAt: whole(at), AfterMS: 7, Method: "POST", URL: savepage.InboxURL + "?a=1", Headers: map[string]string{"Webhook-Id": "msg_1"},
		Body: "{\"a\":\"\u00fc\u0000\"}", BodyBytes: 10, Verified: true,
		Checks: []savepage.InboxCheck{{What: "webhook-id", OK: true, Text: "is there."}},
		Answer: savepage.InboxOK,
	}
}

func arrive(t *scene, b *bench, e savepage.InboxEvent) savepage.InboxAnswer {
	t.Helper()
	answer, err := b.Receive(t.Context(), e)
	must(t, err)
	return answer
}

// inboxOf returns the ids of what is in an inbox, newest first.
func inboxOf(t *scene, b *bench, account string) []string {
	t.Helper()
	var ids []string
	for cursor := ""; ; {
		page, err := b.Inbox(t.Context(), account, 30, cursor)
		must(t, err)
		for _, e := range page.Events {
			ids = append(ids, e.ID)
		}
		if cursor = page.NextCursor; cursor == "" {
			return ids
		}
	}
}

// testInbox keeps events with the answer that the account has chosen, and returns them as they came, newest first, page by
// page and one by one, to their account alone.
func testInbox(t *scene) {
	b := setUp(t, ledger.Config{})
	none, err := b.Inbox(t.Context(), b.account, 10, "")
	must(t, err)
	equal(t, savepage.Inbox{URL: savepage.InboxURL, Answer: savepage.InboxOK}, none)
	var sent []savepage.InboxEvent
	now := time.Now()
	for n, answer := range savepage.InboxAnswers() {
		must(t, b.AnswerInbox(t.Context(), b.account, answer))
		e := arrival(b.account, now.Add(time.Duration(n)*time.Second))
		equal(t, answer, arrive(t, b, e))
		e.Account, e.Answer = "", answer
		sent = append([]savepage.InboxEvent{e}, sent...)
	}
	first, err := b.Inbox(t.Context(), b.account, 3, "")
	must(t, err)
	equal(t, savepage.InboxSlow, first.Answer)
	equal(t, sent[:3], first.Events)
	second, err := b.Inbox(t.Context(), b.account, 3, first.NextCursor)
	must(t, err)
	equal(t, sent[3:], second.Events)
	equal(t, "", second.NextCursor)
	_, err = b.Inbox(t.Context(), b.account, 3, "nonsense")
	wantCode(t, savepage.CodeInvalidRequest, err)
	one, err := b.InboxEvent(t.Context(), b.account, sent[2].ID)
	must(t, err)
	equal(t, sent[2], one)
	_, err = b.InboxEvent(t.Context(), b.account, "evt_none")
	wantCode(t, savepage.CodeNotFound, err)
	must(t, b.EmptyInbox(t.Context(), b.account))
	left, err := b.Inbox(t.Context(), b.account, 3, "")
	must(t, err)
	equal(t, savepage.Inbox{URL: savepage.InboxURL, Answer: savepage.InboxSlow}, left)
}

// testInboxBounds fills an inbox beyond its bounds, by number and by bytes: the newest stay.
func testInboxBounds(t *scene) {
	b := setUp(t, ledger.Config{})
	now, want := time.Now(), []string{}
	for n := range savepage.MaxInboxEvents + 5 {
		e := arrival(b.account, now.Add(time.Duration(n)*time.Second))
		arrive(t, b, e)
		want = append([]string{e.ID}, want...)
	}
	equal(t, want[:savepage.MaxInboxEvents], inboxOf(t, b, b.account))

	large := strings.Repeat("x", savepage.MaxInboxBodyBytes)
	want = nil
	for n := range savepage.MaxInboxBytes/savepage.MaxInboxBodyBytes + 3 {
		e := arrival(b.account, now.Add(time.Hour+time.Duration(n)*time.Second))
		e.Body = large
		arrive(t, b, e)
		want = append([]string{e.ID}, want...)
	}
	// Each is a little larger than its body, so one less has room.
	equal(t, want[:savepage.MaxInboxBytes/savepage.MaxInboxBodyBytes-1], inboxOf(t, b, b.account))
}

// testInboxForgets removes a capture with what has arrived about it, and what is old.
func testInboxForgets(t *scene) {
	now := clock.Manual(whole(time.Now()))
	b := setUp(t, ledger.Config{Clock: now})
	stop := b.work(t, ledger.Handlers{})
	id := b.accept(t, b.account)
	b.await(t, id)
	stop()
	about, other := arrival(b.account, now.Now()), arrival(b.account, now.Now().Add(time.Second))
	about.CaptureID = id
	arrive(t, b, about)
	arrive(t, b, other)
	b.forget(t, b.account, id)
	equal(t, []string{other.ID}, inboxOf(t, b, b.account))
	now.Advance(savepage.InboxRetention + 2*time.Hour)
	eventually(t, "the old event goes", func() bool {
		now.Advance(time.Minute)
		return len(inboxOf(t, b, b.account)) == 0
	})
}

// testInboxesApart gives one account nothing of another's inbox: neither its events, nor its answer, nor its lane. One whose
// inbox hangs delays no other.
func testInboxesApart(t *scene) {
	b := setUp(t, ledger.Config{DeliveryWorkers: 64})
	other := b.other(t)
	must(t, b.AnswerInbox(t.Context(), other, savepage.InboxGone))
	mine, theirs := arrival(b.account, time.Now()), arrival(other, time.Now())
	equal(t, savepage.InboxOK, arrive(t, b, mine))
	equal(t, savepage.InboxGone, arrive(t, b, theirs))
	equal(t, []string{mine.ID}, inboxOf(t, b, b.account))
	equal(t, []string{theirs.ID}, inboxOf(t, b, other))
	_, err := b.InboxEvent(t.Context(), b.account, theirs.ID)
	wantCode(t, savepage.CodeNotFound, err)
	must(t, b.EmptyInbox(t.Context(), b.account))
	equal(t, []string{theirs.ID}, inboxOf(t, b, other))

	arrived, hangs := make(chan string, 100), make(chan struct{})
	defer close(hangs)
	var hanging atomic.Bool
	b.work(t, ledger.Handlers{
		Render: b.finisher(func(c savepage.Capture) []savepage.Delivery {
			return []savepage.Delivery{delivery(c, fmt.Sprintf("%s?of=%s", savepage.InboxURL, c.Account))}
		}),
		Deliver: func(ctx context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
			arrived <- d.Account
			if d.Account == other && hanging.Load() {
				select {
				case <-hangs:
				case <-ctx.Done():
				}
			}
			return delivered()
		},
	})
	first := b.accept(t, other)
	equal(t, other, receive(t, "the first of the other account", arrived))
	eventually(t, "it is known to answer at once", func() bool {
		list, err := b.Deliveries(t.Context(), other, first)
		must(t, err)
		return list[0].State == savepage.Delivered
	})
	hanging.Store(true)
	for range 5 {
		b.accept(t, other)
	}
	for range 4 { // all that may be on their way to one receiver
		equal(t, other, receive(t, "those that hang", arrived))
	}
	for range 5 {
		b.accept(t, b.account)
	}
	for got := 0; got < 5; {
		if receive(t, "those of this account", arrived) == b.account {
			got++
		}
	}
}

// testInboxOfClosed closes an account: its inbox takes nothing more and goes with it.
func testInboxOfClosed(t *scene) {
	b := setUp(t, ledger.Config{})
	other := b.other(t)
	must(t, b.AnswerInbox(t.Context(), other, savepage.InboxError))
	arrive(t, b, arrival(other, time.Now()))
	must(t, b.Admin().CloseAccount(t.Context(), other))
	_, err := b.Receive(t.Context(), arrival(other, time.Now()))
	wantCode(t, savepage.CodeNotFound, err)
	wantCode(t, savepage.CodeNotFound, b.AnswerInbox(t.Context(), other, savepage.InboxOK))
	for done := false; !done; {
		_, done, err = b.RemoveSome(t.Context(), other, 10, func([]string) error { return nil })
		must(t, err)
	}
	equal(t, 0, len(inboxOf(t, b, other)))
}
