package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
)

// Run carries a claimed capture to its end: load, shoot, put, finish. It returns nil when the capture has ended or was put
// back, ErrLost when another has it, and any other error when nothing could be recorded; the queue then offers the
// capture again.
func (s *Service) Run(ctx context.Context, claim Claim) error {
	begun := start{at: s.clock.Now(), measured: time.Now()}
	ctx, end := s.track(ctx, claim.Capture)
	defer end()
	shot, err := s.render(ctx, claim.Capture)
	if ctx.Err() != nil {
		_ = shot.Close()
		return ctx.Err() // canceled or shutting down: not the page's fault, and not ours to record
	}
	picture, err := s.store(ctx, claim, &shot, err)
	defer s.making.end(picture)
	err = errors.Join(err, shot.Close())
	fault := clientError(err)
	if fault != nil && s.mayRetry(claim, fault.Code) {
		return s.release(ctx, claim, fault, err)
	}
	return s.finish(ctx, claim, s.outcome(claim.Capture, begun, shot, picture, fault), err)
}

// render gives the renderer the capture's own timeout and some slack: the renderer names what it awaited, the slack only
// catches a renderer that hangs.
func (s *Service) render(ctx context.Context, c savepage.Capture) (Shot, error) {
	if c.Attempt > s.cfg.MaxTakes {
		return Shot{}, fmt.Errorf("taken %d times without an end: the service died each time", c.Attempt-1)
	}
	o := c.Options
	limit := time.Duration(o.Timeout)*time.Millisecond + s.cfg.Slack
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	shot, err := s.renderer.Render(limited, o)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return shot, savepage.Errorf(savepage.CodeRenderTimeout, "the page did not let go of the browser within %s", limit)
	}
	return shot, err
}

// store makes the picture durable under a new name. An error of the render passes through.
func (s *Service) store(ctx context.Context, claim Claim, shot *Shot, err error) (*savepage.Picture, error) {
	if err != nil {
		return nil, err
	}
	Report(ctx, PhaseStore)
	began := time.Now()
	size, err := shot.Size()
	if err != nil {
		return nil, err
	}
	format := claim.Capture.Options.Format
	picture := &savepage.Picture{
		Name: newName(format), Format: format, Width: shot.Width, Height: shot.Height, Size: size,
	}
	s.making.begin(picture.Name)
	if err := s.blobs.Put(ctx, picture.Name, shot.Reader()); err != nil {
		s.making.end(picture)
		return nil, fmt.Errorf("store the picture: %w", err)
	}
	shot.Phases.Store = time.Since(began).Milliseconds()
	return picture, nil
}

// clientError is what the client may see of err; everything that is not already meant for it is an internal error.
func clientError(err error) *savepage.Error {
	if err == nil {
		return nil
	}
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault
	}
	return savepage.Errorf(savepage.CodeInternal, "the capture failed on our side")
}

func (s *Service) mayRetry(claim Claim, code savepage.Code) bool {
	if !code.Info().Retried || claim.Capture.Attempt >= s.cfg.MaxFree {
		return false
	}
	return free(code) || claim.Spent < s.cfg.MaxAttempts
}

// free says whether a render that ended so costs the capture none of its attempts: the page was not the cause.
func free(code savepage.Code) bool { return code == savepage.CodeBrowserLost }

func (s *Service) release(ctx context.Context, claim Claim, fault *savepage.Error, cause error) error {
	s.log.WarnContext(ctx, "render will be tried again", slog.String("capture", claim.Capture.ID),
		slog.Int("attempt", claim.Capture.Attempt), slog.String("code", string(fault.Code)), slog.Any("error", cause))
	s.observer.Retried(fault.Code)
	err := s.ledger.Release(ctx, claim, s.cfg.RetryWait, free(fault.Code))
	if err == nil {
		trackerOf(ctx).report(Step{Seq: SeqRetried(claim.Capture.Attempt), Kind: StepRetried, Code: fault.Code})
	}
	return err
}

// start is when a worker took a capture, by the clock and for measuring.
type start struct{ at, measured time.Time }

// outcome is the record of the end, without what is owed for it.
func (s *Service) outcome(c savepage.Capture, begun start, shot Shot, p *savepage.Picture, fault *savepage.Error) Outcome {
	o := Outcome{
		State: savepage.Success, FinishedAt: s.clock.Now(), Picture: p, Error: fault, Fleeting: shot.PastDeadline,
		Timing: savepage.Timing{
			QueueMS:  max(begun.at.Sub(c.CreatedAt).Milliseconds(), 0), // a clock may have been set back
			RenderMS: time.Since(begun.measured).Milliseconds(),
			Phases:   shot.Phases,
		},
	}
	o.Timing.TotalMS = o.Timing.QueueMS + o.Timing.RenderMS
	if fault != nil {
		o.State = savepage.Failed
	}
	if shot.Loaded || fault == nil {
		o.Report = &shot.Report
	}
	return o
}

// finish writes the outcome and the callbacks that are owed for it in one commit, also for captures that share it. A
// picture that no record names is removed again.
func (s *Service) finish(ctx context.Context, claim Claim, o Outcome, cause error) error {
	c := claim.Capture
	c.State, c.FinishedAt, c.Picture, c.Report, c.Error, c.Timing = o.State, o.FinishedAt, o.Picture, o.Report, o.Error, o.Timing
	c.CapturedAt = o.FinishedAt
	owed, err := s.owe(c)
	if err != nil {
		return err
	}
	o.Deliveries = append(o.Deliveries, owed...)
	sharing := map[string]savepage.Capture{}
	o.Owe = func(c savepage.Capture) ([]savepage.Delivery, error) {
		sharing[c.ID] = c
		return s.owe(c)
	}
	if err := s.ledger.Finish(ctx, claim, o); err != nil {
		if errors.Is(err, ErrLost) && o.Picture != nil {
			err = errors.Join(err, s.blobs.Delete(context.WithoutCancel(ctx), o.Picture.Name))
		}
		return fmt.Errorf("record the end of %s: %w", c.ID, err)
	}
	s.ended(ctx, c, cause)
	for _, shared := range sharing {
		s.ended(ctx, shared, cause)
	}
	return nil
}

// owe returns the callbacks for an ended capture.
func (s *Service) owe(c savepage.Capture) ([]savepage.Delivery, error) {
	if c.Options.CallbackURL == "" {
		return nil, nil
	}
	body, err := Event(c, s.cfg.Links)
	if err != nil {
		return nil, fmt.Errorf("write the event of %s: %w", c.ID, err)
	}
	return []savepage.Delivery{{
		ID: NewID("msg_", c.FinishedAt), CaptureID: c.ID, Account: c.Account, URL: c.Options.CallbackURL,
		Body: body, State: savepage.Pending, CreatedAt: c.FinishedAt, NextAt: &c.FinishedAt,
	}}, nil
}

// ended writes the one line of a capture's end and counts it.
func (s *Service) ended(ctx context.Context, c savepage.Capture, cause error) {
	var code savepage.Code
	attrs := []slog.Attr{
		slog.String("capture", c.ID), slog.String("account", c.Account), slog.String("state", string(c.State)),
		slog.Int("attempt", c.Attempt), slog.Int64("queue_ms", c.Timing.QueueMS), slog.Int64("render_ms", c.Timing.RenderMS),
	}
	if c.Source != "" {
		attrs = append(attrs, slog.String("source", c.Source))
	}
	level := slog.LevelInfo
	if c.Error != nil {
		code = c.Error.Code
		attrs = append(attrs, slog.String("code", string(code)), slog.String("message", c.Error.Message))
	}
	if code == savepage.CodeInternal {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", cause))
	}
	s.log.LogAttrs(ctx, level, "capture ended", attrs...)
	s.observer.Ended(c.State, code, c.Timing)
}
