package page

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
)

// overtime is how much longer than its timeout a render may take that takes what is there.
const overtime = 3 * time.Second

// Waits of a page that is shown as it is.
const (
	hastyPatience = 500 * time.Millisecond
	hastyDrawing  = 2 * time.Second
)

// errReserve is the cause of a wait that ended to leave time for the picture.
var errReserve = errors.New("time to take what is there")

// takesWhatIsThere reports whether the timeout ends the waiting and not the render.
func (j *job) takesWhatIsThere() bool { return j.o.OnTimeout == savepage.OnTimeoutCapture }

// reserve is the part of the timeout that is left for the picture.
func (j *job) reserve() time.Duration {
	return min(max(milliseconds(j.o.Timeout)/5, 500*time.Millisecond), 5*time.Second)
}

// limit is how long the render may take.
func (j *job) limit() time.Duration {
	if j.takesWhatIsThere() {
		return milliseconds(j.o.Timeout) + overtime
	}
	return milliseconds(j.o.Timeout)
}

// left is the time until the render ends without a picture.
func (j *job) left() time.Duration { return time.Until(j.began.Add(j.limit())) }

// within runs what comes before there is a document: it has the whole timeout, and no picture can be taken without.
func (j *job) within(ctx context.Context, do func(context.Context) error) error {
	if !j.takesWhatIsThere() {
		return do(ctx)
	}
	limited, stop := context.WithDeadline(ctx, j.began.Add(milliseconds(j.o.Timeout)))
	defer stop()
	err := do(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return j.timedOut()
	}
	return err
}

// inTime runs what makes the page ready. With on_timeout capture it is cut short to leave time for the picture; cut says
// that it was, now or before.
func (j *job) inTime(ctx context.Context, do func(context.Context) error) (cut bool, err error) {
	if !j.takesWhatIsThere() {
		return false, do(ctx)
	}
	if j.hasty {
		return true, nil
	}
	limited, stop := context.WithDeadlineCause(ctx, j.began.Add(milliseconds(j.o.Timeout)-j.reserve()), errReserve)
	defer stop()
	err = do(limited)
	if err == nil || ctx.Err() != nil || !errors.Is(context.Cause(limited), errReserve) {
		return false, err
	}
	if told, is := errors.AsType[*savepage.Error](err); is && told.Code != savepage.CodeRenderTimeout {
		return false, err
	}
	return true, j.cutShort(ctx)
}

// cutShort says what was still awaited and has the page show itself as it is.
func (j *job) cutShort(ctx context.Context) error {
	j.hasty = true
	j.partial("the timeout came while waiting for %s%s", j.awaiting, j.w.openList())
	j.awaiting = "the page as it is"
	j.metrics(j.o.Height) // it may have been woken
	if err := j.broken(); err != nil {
		return err
	}
	// Scripts that keep the page from answering are switched off here. What can not be asked is drawn all the same.
	asking, stop := j.briefly(ctx)
	defer stop()
	if err := j.whole(asking, 0, nil, "show", 0); err == nil {
		_ = j.look(asking, 0)
	}
	if j.muted {
		_, _ = j.measure(asking)
	}
	return ctx.Err()
}

// briefly bounds what is asked of a page that is shown as it is: time for the picture must be left.
func (j *job) briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(hastyDrawing, j.left()/3))
}
