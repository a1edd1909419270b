package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/capture"
)

// outbox is a server's inside that holds one delivery.
type outbox struct {
	filter capture.DeliveryFilter
	since  time.Time
}

func (o *outbox) Delivery(_ context.Context, _, id string) (savepage.Delivery, error) {
	if id != "msg_1" {
		return savepage.Delivery{}, savepage.Errorf(savepage.CodeNotFound, "none")
	}
	at := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	return savepage.Delivery{
		ID: "msg_1", State: savepage.Dead, URL: "http://hook.test/", EndedAt: &at,
		Attempts: []savepage.Attempt{{Number: 1, At: at, Outcome: savepage.AttemptStatus, Status: 410, Answer: "gone"}},
	}, nil
}

func (o *outbox) ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) ([]savepage.Delivery, string, error) {
	o.filter = f
	d, err := o.Delivery(ctx, account, "msg_1")
	return []savepage.Delivery{d}, "next", err
}

func (o *outbox) Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error) {
	d, err := o.Delivery(ctx, account, id)
	d.State = savepage.Pending
	return d, err
}

func (o *outbox) RedeliverEnded(_ context.Context, _ string, which capture.Redelivery) (capture.Redelivered, error) {
	o.since = which.Since
	return capture.Redelivered{Count: 2, Last: which.Since.Add(time.Second)}, nil
}

func TestDeliveries(t *testing.T) {
	f, c := start(t)
	page, err := c.Deliveries(t.Context(), client.DeliveryFilter{State: savepage.Dead, CaptureID: "cap_1", Limit: 5, Cursor: "c"})
	if err != nil || page.Next != "next" || len(page.Deliveries) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if want := (capture.DeliveryFilter{State: savepage.Dead, CaptureID: "cap_1", Limit: 5, Cursor: "c"}); f.outbox.filter != want {
		t.Errorf("%+v", f.outbox.filter)
	}
	if a := page.Deliveries[0].Attempts; len(a) != 1 || a[0].Status != 410 || a[0].Answer != "gone" {
		t.Errorf("%+v", a)
	}
	if _, err := c.Deliveries(t.Context(), client.DeliveryFilter{}); err != nil || f.outbox.filter.State != "" || f.outbox.filter.Limit != 20 {
		t.Errorf("%+v, %v", f.outbox.filter, err)
	}
	d, err := c.Delivery(t.Context(), "msg_1")
	if err != nil || d.ID != "msg_1" || d.EndedAt == nil {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := c.Delivery(t.Context(), "msg_2"); !isCode(err, savepage.CodeNotFound) {
		t.Errorf("%v", err)
	}
}

func TestRedeliver(t *testing.T) {
	f, c := start(t)
	d, err := c.Redeliver(t.Context(), "msg_1")
	if err != nil || d.State != savepage.Pending {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := c.Redeliver(t.Context(), "msg_2"); !isCode(err, savepage.CodeNotFound) {
		t.Errorf("%v", err)
	}
	since := time.Date(2026, 4, 1, 12, 0, 0, 5000, time.UTC)
	again, err := c.RedeliverDead(t.Context(), since)
	if err != nil || again.Count != 2 || !again.LastAt.Equal(since.Add(time.Second)) || !f.outbox.since.Equal(since) {
		t.Errorf("%+v, %v, %v", again, f.outbox.since, err)
	}
}
