package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// inboxes are inboxes in memory, by account.
type inboxes struct {
	answers map[string]savepage.InboxAnswer
	events  map[string][]savepage.InboxEvent
	limits  []int
}

func (in *inboxes) Inbox(_ context.Context, account string, limit int, cursor string) (savepage.Inbox, error) {
	in.limits = append(in.limits, limit)
	if cursor == "broken" {
		return savepage.Inbox{}, savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not one of ours")
	}
	answer := in.answers[account]
	if answer == "" {
		answer = savepage.InboxOK
	}
	return savepage.Inbox{URL: savepage.InboxURL, Answer: answer, Events: in.events[account]}, nil
}

func (in *inboxes) InboxEvent(_ context.Context, account, id string) (savepage.InboxEvent, error) {
	for _, e := range in.events[account] {
		if e.ID == id {
			return e, nil
		}
	}
	return savepage.InboxEvent{}, savepage.Errorf(savepage.CodeNotFound, "there is no event %s", id)
}

func (in *inboxes) AnswerInbox(_ context.Context, account string, answer savepage.InboxAnswer) error {
	in.answers = map[string]savepage.InboxAnswer{account: answer}
	return nil
}

func (in *inboxes) EmptyInbox(_ context.Context, account string) error {
	delete(in.events, account)
	return nil
}

// The inbox of an account shows what has arrived to that account, answers as it is told, and is emptied.
func TestInbox(t *testing.T) {
	s := serve(t, nil)
	s.inboxes.events = map[string][]savepage.InboxEvent{"acc_a": {{
		ID: "evt_1", Account: "acc_a", Type: savepage.InboxCapture, WebhookID: "msg_1", CaptureID: "cap_1", Attempt: 1, Verified: true,
		ReceivedAt: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC), Body: `{"a":1}`, BodyBytes: 7,
		Headers: map[string]string{"Webhook-Id": "msg_1"},
		Checks:  []savepage.InboxCheck{{What: "webhook-signature", OK: true, Text: "matches."}}, Answer: savepage.InboxOK,
	}}}
	const event = `{"id":"evt_1","type":"capture","webhook_id":"msg_1","capture_id":"cap_1","attempt":1,` +
		`"received_at":"2026-04-01T12:00:00Z","after_ms":0,"method":"","url":"","headers":{"Webhook-Id":"msg_1"},"body":"{\"a\":1}",` +
		`"body_bytes":7,"verified":true,"checks":[{"what":"webhook-signature","ok":true,"text":"matches."}],"answer":"200"}`
	const empty = `{"url":"https://inbox.savepage.invalid/","answer":"200","events":[]}`
	for _, one := range []struct {
		method, path, body, key string
		status                  int
		want                    string
	}{
		{"GET", "/v1/inbox?limit=7", "", keyRead, 200, `{"url":"https://inbox.savepage.invalid/","answer":"200","events":[` + event + `]}`},
		{"GET", "/v1/inbox/evt_1", "", keyRead, 200, event},
		{"GET", "/v1/inbox", "", keyB, 200, empty},
		{"PATCH", "/v1/inbox", `{"answer":"slow"}`, keyB, 200, `{"url":"https://inbox.savepage.invalid/","answer":"slow","events":[]}`},
		{"DELETE", "/v1/inbox", "", keyA, 204, ""},
		{"GET", "/v1/inbox", "", keyA, 200, empty},
	} {
		r := s.call(t, one.method, one.path, one.body, "Authorization: Bearer "+one.key)
		wantStatus(t, r, one.status)
		if got := strings.TrimSpace(r.body); got != one.want {
			t.Errorf("%s %s answers\n%s, want\n%s", one.method, one.path, got, one.want)
		}
	}
	if s.inboxes.limits[0] != 7 {
		t.Errorf("%d events were asked for", s.inboxes.limits[0])
	}
	wantProblem(t, s.call(t, "GET", "/v1/inbox/evt_1", "", "Authorization: Bearer "+keyB), 404, savepage.CodeNotFound)
	wantProblem(t, s.call(t, "PATCH", "/v1/inbox", `{"answer":"200"}`, "Authorization: Bearer "+keyRead), 403, savepage.CodeForbidden)
	wantProblem(t, s.call(t, "DELETE", "/v1/inbox", "", "Authorization: Bearer "+keyRead), 403, savepage.CodeForbidden)
	for path, body := range map[string]string{
		"PATCH /v1/inbox": `{"answer":"201"}`, "GET /v1/inbox?limit=0": "", "GET /v1/inbox?cursor=broken": "", "GET /v1/inbox?url=x": "",
		"GET /v1/inbox/evt_1?limit=1": "", "DELETE /v1/inbox?limit=1": "", "PATCH /v1/inbox?limit=1": `{"answer":"200"}`,
	} {
		method, address, _ := strings.Cut(path, " ")
		wantProblem(t, s.call(t, method, address, body, "Authorization: Bearer "+keyA), 400, savepage.CodeInvalidRequest)
	}
	if r := s.call(t, "PATCH", "/v1/inbox", `{"answer":"201"}`); !strings.Contains(r.body, "must be one of 200, 500, 410, slow") {
		t.Errorf("a wrong answer is refused as %s", r.body)
	}
}
