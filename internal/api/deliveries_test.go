package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// outbox is what is known of deliveries, in memory. It remembers what was asked of it.
type outbox struct {
	list    []savepage.Delivery // newest first
	filters []capture.DeliveryFilter
	again   []string
	since   []time.Time
}

func (o *outbox) Delivery(_ context.Context, account, id string) (savepage.Delivery, error) {
	for _, d := range o.list {
		if d.ID == id && d.Account == account {
			return d, nil
		}
	}
	return savepage.Delivery{}, savepage.Errorf(savepage.CodeNotFound, "nothing has the id %s", id)
}

func (o *outbox) ListDeliveries(
	_ context.Context, account string, f capture.DeliveryFilter,
) (page []savepage.Delivery, next string, err error) {
	o.filters = append(o.filters, f)
	if f.Cursor == "broken" {
		return nil, "", savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not one of ours")
	}
	for _, d := range o.list {
		if d.Account == account {
			page = append(page, d)
		}
	}
	return page, "more", nil
}

func (o *outbox) Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error) {
	d, err := o.Delivery(ctx, account, id)
	if err == nil {
		o.again = append(o.again, id)
		d.State = savepage.Pending
	}
	return d, err
}

func (o *outbox) RedeliverDead(_ context.Context, _ string, since time.Time) (int, time.Time, error) {
	o.since = append(o.since, since)
	if len(o.since) > 1 {
		return 0, time.Time{}, nil
	}
	return 3, time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC), nil
}

func withDeliveries(t *testing.T) *service {
	t.Helper()
	s := serve(t, nil)
	at := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	s.outbox.list = []savepage.Delivery{
		{
			ID: "msg_2", CaptureID: "cap_1", Account: "acc_a", URL: "http://hook.test/", Body: []byte("secret body"), State: savepage.Pending,
			NextAt: &at, WaitingFor: savepage.WaitingForReceiver, Receiver: "hook.test", Earlier: 4,
			Attempts: []savepage.Attempt{{
				Number: 1, At: at, Outcome: savepage.AttemptStatus, Status: 503, LatencyMS: 3, Answer: "later",
				NextAt: &at,
			}},
		},
		{ID: "msg_1", CaptureID: "cap_1", Account: "acc_a", State: savepage.Dead},
		{ID: "msg_0", Account: "acc_b"},
	}
	return s
}

func TestDeliveries(t *testing.T) {
	s := withDeliveries(t)
	r := s.call(t, "GET", "/v1/deliveries?state=dead&capture_id=cap_1&limit=7&cursor=c", "")
	wantStatus(t, r, 200)
	if want := (capture.DeliveryFilter{State: savepage.Dead, CaptureID: "cap_1", Limit: 7, Cursor: "c"}); s.outbox.filters[0] != want {
		t.Errorf("%+v", s.outbox.filters)
	}
	list, _ := r.json(t)["deliveries"].([]any)
	if len(list) != 2 || r.json(t)["next_cursor"] != "more" || strings.Contains(r.body, "secret") || strings.Contains(r.body, "Earlier") {
		t.Errorf("%s", r.body)
	}
	for _, part := range []string{
		`"waiting_for":"receiver"`, `"next_attempt_at":"2026-04-01T12:00:00Z"`, `"status":503`, `"latency_ms":3`, `"answer":"later"`,
		`"outcome":"status"`, `"attempts":[]`, `"capture_id":"cap_1"`,
	} {
		if !strings.Contains(r.body, part) {
			t.Errorf("no %s in %s", part, r.body)
		}
	}
	s.call(t, "GET", "/v1/deliveries", "")
	if want := (capture.DeliveryFilter{Limit: 20}); s.outbox.filters[1] != want {
		t.Errorf("%+v", s.outbox.filters)
	}
	one := s.call(t, "GET", "/v1/deliveries/msg_2", "")
	wantStatus(t, one, 200)
	if one.json(t)["id"] != "msg_2" || one.json(t)["state"] != "pending" {
		t.Errorf("%s", one.body)
	}
}

func TestDeliveriesWrongly(t *testing.T) {
	s := withDeliveries(t)
	p := wantProblem(t, s.call(t, "GET", "/v1/deliveries?state=gone&limit=101&captureid=x", ""), 400, savepage.CodeInvalidRequest)
	wrong := errorsOf(t, p)
	if len(wrong) != 3 || !strings.Contains(wrong["query.captureid"], "capture_id") ||
		!strings.Contains(wrong["query.state"], "pending, delivered, dead") {
		t.Errorf("%v", p)
	}
	wantProblem(t, s.call(t, "GET", "/v1/deliveries?cursor=broken", ""), 400, savepage.CodeInvalidRequest)
	// Another's is as unknown as none.
	foreign := wantProblem(t, s.call(t, "GET", "/v1/deliveries/msg_0", ""), 404, savepage.CodeNotFound)
	unknown := wantProblem(t, s.call(t, "GET", "/v1/deliveries/msg_9", ""), 404, savepage.CodeNotFound)
	if foreign["detail"] != unknown["detail"] {
		t.Errorf("%v, %v", foreign, unknown)
	}
	wantProblem(t, s.call(t, "POST", "/v1/deliveries/msg_0/redeliver", ""), 404, savepage.CodeNotFound)
	wantProblem(t, s.call(t, "GET", "/v1/deliveries/msg_2?x=1", ""), 400, savepage.CodeInvalidRequest)
	wantProblem(t, s.call(t, "POST", "/v1/deliveries/msg_2/redeliver", `{"url":"http://other.test"}`), 400, savepage.CodeInvalidRequest)
	if len(s.outbox.again) != 0 {
		t.Errorf("sent again: %v", s.outbox.again)
	}
}

func TestRedeliver(t *testing.T) {
	s := withDeliveries(t)
	for _, body := range []string{"", "{}", " {} \n"} {
		r := s.call(t, "POST", "/v1/deliveries/msg_1/redeliver", body)
		wantStatus(t, r, 202)
		if r.json(t)["state"] != "pending" {
			t.Errorf("%s", r.body)
		}
	}
	if !slices.Equal(s.outbox.again, []string{"msg_1", "msg_1", "msg_1"}) {
		t.Errorf("%v", s.outbox.again)
	}
}

func TestRedeliverDead(t *testing.T) {
	s := withDeliveries(t)
	r := s.call(t, "POST", "/v1/deliveries/redeliver", `{"since":"2026-04-01T10:00:00+02:00"}`)
	wantStatus(t, r, 202)
	if r.body != `{"redelivered":3,"last_at":"2026-04-01T12:00:00Z"}`+"\n" && r.body != `{"redelivered":3,"last_at":"2026-04-01T12:00:00Z"}` {
		t.Errorf("%q", r.body)
	}
	if !s.outbox.since[0].Equal(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", s.outbox.since)
	}
	again := s.call(t, "POST", "/v1/deliveries/redeliver", `{"since":"2026-04-01T10:00:00Z"}`)
	if strings.TrimSpace(again.body) != `{"redelivered":0}` {
		t.Errorf("%q", r.body)
	}
	for _, body := range []string{
		"", "{}", "null", `{"since":null}`, `{"since":"yesterday"}`, `{"since":5}`,
		`{"since":"2026-04-01T10:00:00Z"} x`, `{"since":"2026-04-01T10:00:00Z","until":1}`, `[1]`,
	} {
		wantProblem(t, s.call(t, "POST", "/v1/deliveries/redeliver", body), 400, savepage.CodeInvalidRequest)
	}
	if len(s.outbox.since) != 2 {
		t.Errorf("%v", s.outbox.since)
	}
}
