package page

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// errReserve is the cause of a wait that ended to leave time for the picture.
var errReserve = errors.New("time to take what is there")

// step is a part of the render.
type step struct {
	phase capture.Phase
	end   limit
	do    func(context.Context) error
}

// limit is what ends a step that takes too long. They differ with on_timeout capture only, where the timeout ends the
// waiting and not the render.
type limit int

const (
	untilEnd      limit = iota // the end of the render
	untilTimeout               // the timeout: what comes before there is a document has all of it, and no picture can be taken without
	untilDeadline              // a part of it: what makes the page ready is cut short to leave time for the picture
)

// isOver reports whether a step would make the page ready after the time for that is over.
func (j *job) isOver(s step) bool { return s.end == untilDeadline && j.budget.PastDeadline() }

// enter begins a step. done ends it: it judges the error with which the step ended. errReserve means that showAsIs is next.
func (j *job) enter(ctx context.Context, s step) (limited context.Context, done func(error) error) {
	if j.phase != s.phase {
		capture.Report(ctx, s.phase)
		j.phase = s.phase
	}
	began := time.Now()
	limited, judged := j.until(ctx, s.end)
	return limited, func(err error) error {
		j.spent[s.phase] += time.Since(began)
		return judged(err)
	}
}

// until bounds a step.
func (j *job) until(ctx context.Context, end limit) (limited context.Context, done func(error) error) {
	switch {
	case !j.budget.Captures(), end == untilEnd:
		return ctx, func(err error) error { return err }
	case end == untilTimeout:
		limited, stop := context.WithDeadline(ctx, j.budget.End())
		return limited, func(err error) error {
			defer stop()
			if err != nil && limited.Err() != nil && ctx.Err() == nil {
				return j.timedOut()
			}
			return err
		}
	default:
		limited, stop := context.WithDeadlineCause(ctx, j.budget.Deadline(), errReserve)
		return limited, func(err error) error {
			defer stop()
			if cutShort(ctx, limited, err) {
				return errReserve
			}
			return err
		}
	}
}

// cutShort reports whether a step ended because it left time for the picture.
func cutShort(ctx, limited context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || !errors.Is(context.Cause(limited), errReserve) {
		return false
	}
	told, is := errors.AsType[*savepage.Error](err)
	return !is || told.Code == savepage.CodeRenderTimeout
}

// showAsIs says what was still awaited and has the page show itself as it is.
func (j *job) showAsIs(ctx context.Context) error {
	began := time.Now()
	defer func() { j.spent[j.phase] += time.Since(began) }()
	j.budget.SetPastDeadline()
	j.notes.Partial("the timeout came while waiting for %s%s", j.notes.Awaiting(), j.waiter.OpenList())
	j.notes.Await("the page as it is")
	j.view.set(j.o.Height) // it may have been taller, to load what is seen further down
	if err := j.broken(); err != nil {
		return err
	}
	j.hangs.Stay(ctx)
	j.hangs.Unblock(ctx)
	// Scripts that keep the page from answering are switched off here. What cannot be asked is drawn all the same.
	asking, stop := context.WithTimeout(ctx, j.budget.Brief())
	defer stop()
	if err := j.whole.ToTop(asking); err == nil {
		_ = j.waiter.Look(asking, 0)
	}
	if j.beside.Disabled() {
		_, _ = j.frame.measure(asking)
	}
	return ctx.Err()
}
