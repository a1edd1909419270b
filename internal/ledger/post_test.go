package ledger

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// outbox is a record of one delivery.
type outbox struct {
	owed     error
	recorded error
	breakers []Breaker
}

func (o *outbox) Due(context.Context, Receiver, Kind, int) ([]string, time.Time, error) {
	return []string{"m"}, time.Time{}, o.owed
}

func (o *outbox) Owed(context.Context, string) (savepage.Delivery, []string, error) {
	return savepage.Delivery{ID: "m", Asked: 3}, []string{"s"}, o.owed
}

func (o *outbox) Record(_ context.Context, _ Receiver, _ string, sent Sent, b func() Breaker) (Recorded, error) {
	if b != nil {
		o.breakers = append(o.breakers, b())
	}
	return Recorded{Attempts: 4, State: sent.State}, o.recorded
}

func posting(o *outbox, verdict savepage.Verdict) (*Post, *bytes.Buffer) {
	var log bytes.Buffer
	return &Post{
		Outbox: o, Lanes: NewLanes(limits), Totals: &DeliveryTotals{}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict { return verdict },
	}, &log
}

func TestPostAttempts(t *testing.T) {
	pending, done := savepage.Verdict{State: savepage.Pending}, savepage.Verdict{State: savepage.Delivered}
	fault := errors.New("the disk is full")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		owed    error
		verdict savepage.Verdict
		made    bool
		err     error
	}{
		"sent":                        {t.Context(), nil, pending, true, nil},
		"not pending any more":        {t.Context(), ErrNothingOwed, pending, false, nil},
		"a fault":                     {t.Context(), fault, pending, false, fault},
		"cut off by the stop":         {ended, nil, pending, false, nil},
		"taken in spite of the stop":  {ended, nil, done, true, nil},
		"a fault because of the stop": {ended, fault, pending, false, fault},
	} {
		p, log := posting(&outbox{owed: c.owed}, c.verdict)
		v, err := p.Attempt(c.ctx, "m", func() {})
		if (v != nil) != c.made || v != nil && v.Asked != 3 || !errors.Is(err, c.err) || (log.Len() > 0) != (c.err != nil && c.ctx.Err() == nil) {
			t.Errorf("%s: %+v, %v, log %s", name, v, err, log)
		}
	}
	p, _ := posting(&outbox{}, pending)
	p.Deliver = func(context.Context, savepage.Delivery, []string) savepage.Verdict { panic("a receiver") }
	if v, err := p.Attempt(t.Context(), "m", func() {}); v != nil || err == nil {
		t.Errorf("a panic: %+v, %v", v, err)
	}
}

func TestPostRecords(t *testing.T) {
	fault := errors.New("the disk is full")
	for name, c := range map[string]struct {
		state    savepage.DeliveryState
		change   Change
		recorded error
		err      error
		totals   [2]uint64
		log      string
	}{
		"delivered":               {savepage.Delivered, Unchanged, nil, nil, [2]uint64{1, 0}, ""},
		"dead":                    {savepage.Dead, Unchanged, nil, nil, [2]uint64{0, 1}, "delivery is dead"},
		"to be tried again":       {savepage.Pending, Opened, nil, nil, [2]uint64{0, 0}, "receiver fails"},
		"answers again":           {savepage.Delivered, Closed, nil, nil, [2]uint64{1, 0}, "answers again"},
		"not pending any more":    {savepage.Delivered, Closed, ErrNothingOwed, nil, [2]uint64{0, 0}, "answers again"},
		"it could not be written": {savepage.Delivered, Closed, fault, fault, [2]uint64{0, 0}, "met a fault"},
	} {
		o := &outbox{recorded: c.recorded}
		p, log := posting(o, savepage.Verdict{})
		_, err := p.Record(t.Context(), Receiver{"a", "h"}, "m", Sent{Verdict: savepage.Verdict{State: c.state}}, c.change)
		totals := [2]uint64{p.Totals.Delivered.Load(), p.Totals.Died.Load()}
		if !errors.Is(err, c.err) || totals != c.totals || (len(o.breakers) == 1) != (c.change != Unchanged) {
			t.Errorf("%s: %v, totals %v, breakers %v", name, err, totals, o.breakers)
		}
		if !strings.Contains(log.String(), c.log) || (c.log == "") != (log.Len() == 0) {
			t.Errorf("%s: log %q, want %q", name, log, c.log)
		}
	}
}
