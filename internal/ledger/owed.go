package ledger

import (
	"net/url"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// HostOf is the host and port of an address, which tells receivers apart.
func HostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Host)
}

// ReceiverOf is who gets a delivery. The inbox of each account is a receiver of its own, and so is each of its stores:
// what one does to them delays no other.
func ReceiverOf(d savepage.Delivery) Receiver {
	if savepage.IsInbox(d.URL) {
		return Receiver{Account: d.Account, Host: savepage.InboxHost + "/" + d.Account}
	}
	if d.Store != "" {
		return Receiver{Account: d.Account, Host: "store/" + d.Account + "/" + d.Store}
	}
	return Receiver{Account: d.Account, Host: HostOf(d.URL)}
}

// FirstAttempt is when a new delivery is due: now, unless it says otherwise.
func FirstAttempt(d savepage.Delivery, now time.Time) time.Time {
	if d.NextAt != nil {
		return *d.NextAt
	}
	return now
}

// OwedByBatch returns the event of a batch, after some of its captures have ended: none while others have not, and none
// without an address.
func OwedByBatch(b savepage.Batch) ([]savepage.Delivery, error) {
	if b.EndedAt.IsZero() || b.CallbackURL == "" {
		return nil, nil
	}
	event, err := capture.OwedForBatch(b)
	if err != nil {
		return nil, err
	}
	return []savepage.Delivery{event}, nil
}

// Redelivered is a delivery that is to be sent now, attempts being how many were made of it. One that has ended starts a
// schedule of its own; one that is pending keeps the schedule that it is in. An attempt that is on its way meanwhile is not
// the one that was asked for: see Settled.
func Redelivered(d savepage.Delivery, attempts int, now time.Time) savepage.Delivery {
	if d.State != savepage.Pending {
		d.Earlier = attempts
	}
	d.State, d.NextAt, d.EndedAt = savepage.Pending, &now, nil
	d.Asked++
	return d
}

// Settled is a pending delivery after an attempt, the attempts now being so many. One that was sent again by hand while the
// attempt was on its way is still to be sent, at the time that was asked for: in its schedule if that goes on, else in one of
// its own.
func Settled(d savepage.Delivery, sent Sent, attempts int, now time.Time) savepage.Delivery {
	switch {
	case d.Asked != sent.Asked:
		if sent.State != savepage.Pending {
			d.Earlier = attempts
		}
	case sent.State == savepage.Pending:
		d.NextAt = &sent.NextAt
	default:
		d.State, d.NextAt, d.EndedAt = sent.State, nil, &now
	}
	return d
}

// How dead deliveries that are all sent again step in: so many in one transaction, and one after the other.
const (
	RedeliverRows = 1000
	RedeliverStep = 20 * time.Millisecond
)

// RedeliverTurn is when the nth of the dead deliveries that are sent again from a time is due, the first being number 0.
func RedeliverTurn(begin time.Time, n int) time.Time {
	return begin.Add(time.Duration(n) * RedeliverStep)
}

// ShowWait marks a delivery, with its attempts, that an open breaker holds back, and says when its receiver is tried next.
func ShowWait(d *savepage.Delivery, b Breaker) {
	waits := b.Silent() || b.Open() && len(d.Attempts) > 0
	if waits && d.State == savepage.Pending && d.NextAt != nil && !d.NextAt.After(b.ProbeAt) {
		d.WaitingFor = savepage.WaitingForReceiver
		d.NextAt = &b.ProbeAt
	}
}
