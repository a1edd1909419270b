package ledger

import (
	"testing"
	"time"

	"github.com/savepage/savepage"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestReceivers(t *testing.T) {
	for address, want := range map[string]string{
		"https://Hooks.Example.com/a?b": "hooks.example.com", "http://[::1]:3000/x": "[::1]:3000",
		"https://example.com:444": "example.com:444", "%": "%",
	} {
		if got := ReceiverOf(savepage.Delivery{Account: "a", URL: address}); got != (Receiver{"a", want}) {
			t.Errorf("%s: %v, want %s", address, got, want)
		}
	}
}

func TestFirstAttempt(t *testing.T) {
	later := noon.Add(time.Hour)
	if FirstAttempt(savepage.Delivery{}, noon) != noon || FirstAttempt(savepage.Delivery{NextAt: &later}, noon) != later {
		t.Error("a new delivery is due now, unless it says otherwise")
	}
}

func TestOwedByBatch(t *testing.T) {
	b := savepage.Batch{ID: "bat_1", Account: "a", CallbackURL: "http://a.test", EndedAt: noon}
	owed, err := OwedByBatch(b)
	if err != nil || len(owed) != 1 || owed[0].BatchID != "bat_1" || owed[0].URL != b.CallbackURL {
		t.Errorf("an ended batch: %+v, %v", owed, err)
	}
	running, silent := b, b
	running.EndedAt, silent.CallbackURL = time.Time{}, ""
	for _, one := range []savepage.Batch{running, silent} {
		if owed, err := OwedByBatch(one); err != nil || len(owed) != 0 {
			t.Errorf("%+v owes %+v, %v", one, owed, err)
		}
	}
}

func TestRedelivered(t *testing.T) {
	later := noon.Add(time.Hour)
	for state, earlier := range map[savepage.DeliveryState]int{savepage.Pending: 2, savepage.Dead: 5, savepage.Delivered: 5} {
		got := Redelivered(savepage.Delivery{ID: "m", State: state, Earlier: 2, NextAt: &later, EndedAt: &later}, 5, noon)
		if got.ID != "m" || got.State != savepage.Pending || !got.NextAt.Equal(noon) || got.EndedAt != nil || got.Earlier != earlier ||
			got.Asked != 1 {
			t.Errorf("%s: %+v, want %d earlier attempts", state, got, earlier)
		}
	}
	if RedeliverTurn(noon, 0) != noon || RedeliverTurn(noon, 50) != noon.Add(time.Second) {
		t.Error("dead ones do not step in fifty a second")
	}
}

func TestSettled(t *testing.T) {
	asked, later := noon.Add(time.Minute), noon.Add(time.Hour)
	pending := savepage.Verdict{State: savepage.Pending, NextAt: later}
	done, dead := savepage.Verdict{State: savepage.Delivered}, savepage.Verdict{State: savepage.Dead}
	for name, c := range map[string]struct {
		sent    Sent
		state   savepage.DeliveryState
		next    *time.Time
		earlier int
	}{
		"to be tried again":           {Sent{Verdict: pending, Asked: 1}, savepage.Pending, &later, 2},
		"delivered":                   {Sent{Verdict: done, Asked: 1}, savepage.Delivered, nil, 2},
		"dead":                        {Sent{Verdict: dead, Asked: 1}, savepage.Dead, nil, 2},
		"asked for while it failed":   {Sent{Verdict: pending, Asked: 0}, savepage.Pending, &asked, 2},
		"asked for while it arrived":  {Sent{Verdict: done, Asked: 0}, savepage.Pending, &asked, 5},
		"asked for while it gave out": {Sent{Verdict: dead, Asked: 0}, savepage.Pending, &asked, 5},
	} {
		d := savepage.Delivery{State: savepage.Pending, Asked: 1, Earlier: 2, NextAt: &asked}
		d = Settled(d, c.sent, 5, noon)
		next := d.NextAt == nil && c.next == nil || d.NextAt != nil && c.next != nil && d.NextAt.Equal(*c.next)
		if d.State != c.state || !next || d.Earlier != c.earlier || (d.EndedAt == nil) != (c.state == savepage.Pending) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestShowWait(t *testing.T) {
	silent := Breaker{OpenedAt: noon, ProbeAt: noon.Add(time.Minute), Away: breakerFailures}
	refusing := Breaker{OpenedAt: noon, ProbeAt: noon.Add(time.Minute)}
	soon, late := noon.Add(time.Second), noon.Add(time.Hour)
	tried := []savepage.Attempt{{}}
	for name, c := range map[string]struct {
		d     savepage.Delivery
		b     Breaker
		waits bool
	}{
		"held back":                 {savepage.Delivery{State: savepage.Pending, NextAt: &soon}, silent, true},
		"refused before":            {savepage.Delivery{State: savepage.Pending, NextAt: &soon, Attempts: tried}, refusing, true},
		"never tried, and it lives": {savepage.Delivery{State: savepage.Pending, NextAt: &soon}, refusing, false},
		"due after the try":         {savepage.Delivery{State: savepage.Pending, NextAt: &late}, silent, false},
		"the breaker closed":        {savepage.Delivery{State: savepage.Pending, NextAt: &soon}, Breaker{}, false},
		"ended":                     {savepage.Delivery{State: savepage.Dead}, silent, false},
	} {
		before := c.d.NextAt
		ShowWait(&c.d, c.b)
		if (c.d.WaitingFor != "") != c.waits || c.waits && !c.d.NextAt.Equal(silent.ProbeAt) || !c.waits && c.d.NextAt != before {
			t.Errorf("%s: %+v", name, c.d)
		}
	}
}
