package ledger

import (
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// UploadOf is the delivery of a capture's picture to its store, which its record owes from the moment at which the picture is
// there. address is where it is to be, for people.
func UploadOf(c savepage.Capture, address string, at time.Time) savepage.Delivery {
	return savepage.Delivery{
		ID: capture.NewID("msg_", at), CaptureID: c.ID, Account: c.Account, URL: address, Store: c.Options.Store.Name, Body: []byte{},
		State: savepage.Pending, CreatedAt: at, NextAt: &at,
	}
}

// StoreEnded is a capture that waited for its store, after the delivery to it has ended at a time.
func StoreEnded(c savepage.Capture, d savepage.Delivery, last savepage.Verdict, at time.Time) savepage.Capture {
	c.FinishedAt = at.UTC().Truncate(time.Microsecond)
	if d.State == savepage.Delivered {
		c.State, c.Stored = savepage.Success, last.Stored
		if c.CapturedAt.IsZero() {
			c.CapturedAt = c.FinishedAt
		}
		return c
	}
	c.State = savepage.Failed
	c.Error = savepage.Errorf(savepage.CodeStoreFailed, "the picture is not in the store %s: %s", d.Store, last.Attempt.Error)
	return c
}

// Overlong is the verdict on a delivery to a store, with its attempts, that has taken longer than the patience.
func Overlong(d savepage.Delivery, patience time.Duration) savepage.Verdict {
	v := savepage.Verdict{State: savepage.Dead}
	if n := len(d.Attempts); n > 0 {
		v.Attempt = d.Attempts[n-1]
	}
	text := fmt.Sprintf("It was tried for %s, %d times.", patience, len(d.Attempts))
	if v.Attempt.Error != "" {
		text += " " + v.Attempt.Error
	}
	v.Attempt.Error = text
	return v
}
