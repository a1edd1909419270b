package ledger

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Leader is what is known of the captures of a flight that have a job: the first of them to end ends all.
type Leader struct {
	Found   bool
	Running bool  // one of them is rendered now
	Class   Class // of the one that is wanted soonest
}

// leads reports whether a submission of the class may wait for it: not for one that is wanted less soon and has not begun.
func (l Leader) leads(wanted Class) bool {
	return l.Found && (l.Running || l.Class <= wanted)
}

// Shared is what Sharing asks of the records, inside the transaction that records the submissions.
type Shared interface {
	// Kept returns the newest success of the account and the options that was captured at KeptSince or later; nil for none.
	Kept(ctx context.Context, s capture.Submission) (*savepage.Capture, error)
	// Leader returns what the submission's flight has on the way.
	Leader(ctx context.Context, s capture.Submission) (Leader, error)
}

// Sharing decides what becomes of the submissions of one transaction, in their order: each ends with a kept picture, waits
// for an equal capture, or is rendered. Make one for each transaction.
type Sharing struct {
	leading map[flight]Class // of those before that are rendered
}

type flight struct{ account, name string }

// Decide returns what a submission finds, with the capture whose result it gets for ReuseHit. A submission of ReuseNone or
// ReuseMiss needs a job.
func (s *Sharing) Decide(ctx context.Context, sub capture.Submission, records Shared) (capture.Reuse, *savepage.Capture, error) {
	if sub.Flight == "" {
		return capture.ReuseNone, nil, nil
	}
	kept, err := records.Kept(ctx, sub)
	if err != nil {
		return capture.ReuseNone, nil, err
	}
	if kept != nil {
		return capture.ReuseHit, kept, nil
	}
	key, wanted := flight{sub.Capture.Account, sub.Flight}, ClassOf(sub.Capture)
	if first, some := s.leading[key]; some && first <= wanted {
		return capture.ReuseJoined, nil, nil
	}
	leader, err := records.Leader(ctx, sub)
	if err != nil {
		return capture.ReuseNone, nil, err
	}
	if leader.leads(wanted) {
		return capture.ReuseJoined, nil, nil
	}
	if s.leading == nil {
		s.leading = map[flight]Class{}
	}
	s.leading[key] = wanted
	return capture.ReuseMiss, nil, nil
}

// ReuseResult is a capture that ends at a time with the result of another. Source names the capture that took the picture.
func ReuseResult(c, from savepage.Capture, at time.Time) savepage.Capture {
	c.State, c.FinishedAt = from.State, at.UTC().Truncate(time.Microsecond)
	c.Source, c.Picture, c.Report, c.Error, c.CapturedAt = from.ID, from.Picture, from.Report, from.Error, from.CapturedAt
	if from.Source != "" {
		c.Source = from.Source
	}
	waited := max(c.FinishedAt.Sub(c.CreatedAt).Milliseconds(), 0)
	c.Timing = savepage.Timing{QueueMS: waited, TotalMS: waited}
	return c
}

// Ended is a claimed capture with its outcome, as those that wait for it get it.
func Ended(c savepage.Capture, o capture.Outcome) savepage.Capture {
	c.State, c.Picture, c.Report, c.Error, c.CapturedAt, c.FinishedAt = o.State, o.Picture, o.Report, o.Error, o.FinishedAt, o.FinishedAt
	return c
}
