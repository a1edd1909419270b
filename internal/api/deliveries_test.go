package api_test

import (
	"context"
	"reflect"
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
	which   []capture.Redelivery
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

func (o *outbox) RedeliverEnded(_ context.Context, _ string, which capture.Redelivery) (capture.Redelivered, error) {
	o.which = append(o.which, which)
	switch {
	case which.CountOnly:
		return capture.Redelivered{Count: 7}, nil
	case len(o.which) > 1:
		return capture.Redelivered{}, nil
	}
	return capture.Redelivered{Count: 3, Last: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)}, nil
}

func withDeliveries(t *testing.T) *service {
	t.Helper()
	s := serve(t, nil)
	at := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	s.outbox.list = []savepage.Delivery{
		{
			ID: "msg_2", CaptureID: "cap_1", Account: "acc_a", URL: "http://hook.test/", Body: []byte(`{"status":"failed","x":"whole body"}`),
			State:  savepage.Pending,
			NextAt: &at, WaitingFor: savepage.WaitingForReceiver, Receiver: "hook.test", Earlier: 4,
			Attempts: []savepage.Attempt{{
				Number: 1, At: at, Outcome: savepage.AttemptStatus, Status: 503, LatencyMS: 3, Answer: "later",
				NextAt: &at, Request: &savepage.SentRequest{Method: "POST", Headers: map[string]string{"Webhook-Id": "msg_2"}},
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
	if len(list) != 2 || r.json(t)["next_cursor"] != "more" || strings.Contains(r.body, "whole body") ||
		strings.Contains(r.body, "Webhook-Id") || strings.Contains(r.body, "Earlier") {
		t.Errorf("%s", r.body)
	}
	for _, part := range []string{
		`"waiting_for":"receiver"`, `"next_attempt_at":"2026-04-01T12:00:00Z"`, `"status":503`, `"latency_ms":3`, `"answer":"later"`,
		`"outcome":"status"`, `"attempts":[]`, `"capture_id":"cap_1"`, `"event":"capture.failed"`,
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
	shown := one.json(t)
	if shown["id"] != "msg_2" || shown["state"] != "pending" || shown["event"] != "capture.failed" ||
		shown["body"] != `{"status":"failed","x":"whole body"}` {
		t.Errorf("%s", one.body)
	}
	if !strings.Contains(one.body, `"request":{"method":"POST","headers":{"Webhook-Id":"msg_2"}}`) {
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
	if which := s.outbox.which[0]; !which.Since.Equal(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)) ||
		!slices.Equal(which.States, []savepage.DeliveryState{savepage.Dead}) {
		t.Errorf("%v", which)
	}
	again := s.call(t, "POST", "/v1/deliveries/redeliver", `{"since":"2026-04-01T10:00:00Z"}`)
	if strings.TrimSpace(again.body) != `{"redelivered":0}` {
		t.Errorf("%q", r.body)
	}
	for _, body := range []string{
		"", "{}", "null", `{"since":null}`, `{"since":"yesterday"}`, `{"since":5}`,
		`{"since":"2026-04-01T10:00:00Z"} x`, `{"since":"2026-04-01T10:00:00Z","until":1}`, `[1]`,
		`{"count_only":true}`, `{"state":"pending"}`, `{"state":null}`, `{"capture_id":""}`, `{"capture_id":5}`, `{"state":"dead","since":null}`,
		`{"state":"dead","count_only":"yes"}`,
	} {
		wantProblem(t, s.call(t, "POST", "/v1/deliveries/redeliver", body), 400, savepage.CodeInvalidRequest)
	}
	if len(s.outbox.which) != 2 {
		t.Errorf("%v", s.outbox.which)
	}
}

// What has ended is sent again by its state and its capture, or is only counted.
func TestRedeliverEnded(t *testing.T) {
	s := withDeliveries(t)
	dead, delivered := savepage.Dead, savepage.Delivered
	for _, one := range []struct {
		body   string
		want   capture.Redelivery
		status int
		answer string
	}{
		{
			`{"state":"dead"}`, capture.Redelivery{States: []savepage.DeliveryState{dead}}, 202,
			`{"redelivered":3,"last_at":"2026-04-01T12:00:00Z"}`,
		},
		{`{"state":"delivered"}`, capture.Redelivery{States: []savepage.DeliveryState{delivered}}, 202, `{"redelivered":0}`},
		{
			`{"state":"ended","capture_id":"cap_1","count_only":true}`,
			capture.Redelivery{States: []savepage.DeliveryState{dead, delivered}, CaptureID: "cap_1", CountOnly: true}, 200,
			`{"redelivered":0,"matching":7}`,
		},
		{
			`{"capture_id":"cap_1","since":"1970-01-01T00:00:00Z"}`,
			capture.Redelivery{States: []savepage.DeliveryState{dead}, CaptureID: "cap_1", Since: time.Unix(0, 0).UTC()}, 202, `{"redelivered":0}`,
		},
	} {
		r := s.call(t, "POST", "/v1/deliveries/redeliver", one.body)
		wantStatus(t, r, one.status)
		if got := strings.TrimSpace(r.body); got != one.answer {
			t.Errorf("%s answers %s, want %s", one.body, got, one.answer)
		}
		if got := s.outbox.which[len(s.outbox.which)-1]; !reflect.DeepEqual(got, one.want) {
			t.Errorf("%s asks for %+v, want %+v", one.body, got, one.want)
		}
	}
}
