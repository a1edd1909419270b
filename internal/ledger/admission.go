package ledger

import (
	"time"

	"github.com/savepage/savepage"
)

// Load is what captures that are submitted together add to their account.
type Load struct {
	Captures int
	Bytes    int // that their options take
	Cost     int // captures of the month that they count as
}

// Plus is the sum of two loads.
func (l Load) Plus(m Load) Load {
	return Load{Captures: l.Captures + m.Captures, Bytes: l.Bytes + m.Bytes, Cost: l.Cost + m.Cost}
}

// Cost is how many captures of the month a capture with the options counts as.
func Cost(o savepage.Options) int {
	if o.Fullpage {
		return savepage.CostFullpage
	}
	return 1
}

// Charge is what a capture counts that was to cost so much and has ended with an error, or with nil: nothing where the fault
// was the service's.
func Charge(cost int, fault *savepage.Error) int {
	if fault != nil && fault.Code.Ours() {
		return 0
	}
	return cost
}

// Standing is what an account has on the way and has used, beside its limits.
type Standing struct {
	Limits   savepage.Limits
	Closed   bool      // the account is being deleted
	Pending  Load      // captures that have not ended; Cost is what those of the month of At have reserved
	Running  int       // captures that are rendered
	Used     int       // captures of the month of At that count
	At       time.Time // the moment of which all this is true
	Admitted Load      // by Admit since
}

// Admit adds a load to the account, or returns why it may not be added: then nothing is.
func (s *Standing) Admit(l Load) *savepage.Error {
	if fault := s.Refuse(l); fault != nil {
		return fault
	}
	s.Pending, s.Admitted = s.Pending.Plus(l), s.Admitted.Plus(l)
	return nil
}

// Refuse returns why a load may not be added to the account, or nil.
func (s *Standing) Refuse(l Load) *savepage.Error {
	sum := s.Pending.Plus(l)
	switch {
	case s.Closed:
		return savepage.Errorf(savepage.CodeUnauthorized, "the account is closed")
	case beyond(sum.Captures, s.Limits.Pending):
		return savepage.Errorf(savepage.CodeTooManyPending, "%d captures of the account have not ended, and with %d more they are beyond its "+
			"limit pending, %d; try again when some have ended", s.Pending.Captures, l.Captures, s.Limits.Pending)
	case beyond(sum.Bytes, s.Limits.PendingBytes):
		return savepage.Errorf(savepage.CodeTooManyPending, "the options of the account's captures that have not ended take %d bytes, and with "+
			"%d more they are beyond its limit pending_bytes, %d; try again when some have ended",
			s.Pending.Bytes, l.Bytes, s.Limits.PendingBytes)
	case beyond(s.Used+sum.Cost, s.Limits.CapturesPerMonth):
		return s.quotaExceeded(l)
	default:
		return nil
	}
}

// quotaExceeded refuses a load until the next month.
func (s *Standing) quotaExceeded(l Load) *savepage.Error {
	end := MonthOf(s.At).End()
	fault := savepage.Errorf(savepage.CodeQuotaExceeded, "the account has used %d of its %d captures of this month, captures that have not "+
		"ended have reserved %d more, and this request counts %d; the next month begins at %s",
		s.Used, s.Limits.CapturesPerMonth, s.Pending.Cost, l.Cost, end.Format(time.RFC3339))
	fault.RetryAfter = end.Sub(s.At)
	return fault
}

// beyond reports whether n is more than a limit allows; 0 is no limit.
func beyond(n, limit int) bool { return limit > 0 && n > limit }

// Usage is what clients may see of how an account stands.
func (s *Standing) Usage(account string) savepage.Usage {
	u := savepage.Usage{
		Account: account, From: MonthOf(s.At).Begin(), Until: MonthOf(s.At).End(),
		CapturesPerMonth:  savepage.UseOf(s.Limits.CapturesPerMonth, s.Used),
		RequestsPerMinute: savepage.UseOf(s.Limits.RequestsPerMinute, 0),
		Pending:           savepage.UseOf(s.Limits.Pending, s.Pending.Captures),
		PendingBytes:      savepage.UseOf(s.Limits.PendingBytes, s.Pending.Bytes),
		Pages:             savepage.UseOf(s.Limits.Pages, s.Running),
	}
	month := &u.CapturesPerMonth
	month.Reserved, month.Reset = &s.Pending.Cost, &u.Until
	if month.Remaining != nil {
		left := max(*month.Remaining-s.Pending.Cost, 0)
		month.Remaining = &left
	}
	if s.Limits.Timeout > 0 {
		u.Timeout = &s.Limits.Timeout
	}
	return u
}

// Month is a calendar month, UTC: 202611 is November 2026.
type Month int

// MonthOf is the month of a time.
func MonthOf(t time.Time) Month {
	t = t.UTC()
	return Month(t.Year()*100 + int(t.Month()))
}

// Begin is the first moment of the month.
func (m Month) Begin() time.Time {
	return time.Date(int(m)/100, time.Month(int(m)%100), 1, 0, 0, 0, 0, time.UTC)
}

// End is the first moment of the next month.
func (m Month) End() time.Time { return m.Begin().AddDate(0, 1, 0) }
