package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/health"
)

// Run carries a claimed capture to its end: load, shoot, put, finish. It returns nil when the capture has ended or was put
// back, ErrLost when another has it, and any other error when nothing could be recorded; the queue then offers the
// capture again.
func (s *Service) Run(ctx context.Context, claim Claim) error {
	begun := start{at: s.clock.Now(), measured: time.Now()}
	ctx, over := s.spans.run(ctx, claim.Capture)
	ctx, end := s.track(ctx, claim.Capture)
	defer end()
	shot, err := s.render(ctx, claim)
	if ctx.Err() != nil {
		_ = shot.Close()
		over(ctx.Err())
		return ctx.Err() // canceled or shutting down: not the page's fault, and not ours to record
	}
	picture, err := s.store(ctx, claim, &shot, err)
	trackerOf(ctx).over()
	defer s.making.end(picture)
	told, back := s.judge().decide(claim, errors.Join(err, shot.Close()))
	defer over(causeOf(told))
	if back != nil {
		return s.release(ctx, claim, *back, told, err)
	}
	return s.finish(ctx, claim, s.outcome(claim.Capture, begun, shot, picture, told), err)
}

// causeOf is the error that a client is told of, as any error: nil without one.
func causeOf(told *savepage.Error) error {
	if told == nil {
		return nil
	}
	return told
}

// render gives the renderer the capture's own timeout and some slack: the renderer names what it awaited, the slack only
// catches a renderer that hangs. The time begins with the first phase, when there is a browser.
func (s *Service) render(ctx context.Context, claim Claim) (Shot, error) {
	if claim.Deaths >= s.cfg.MaxDeaths {
		return Shot{}, savepage.Errorf(savepage.CodePageCrashed, "the service ended each of the %d times that it rendered the page",
			claim.Deaths)
	}
	if claim.apart() {
		ctx = Apart(ctx)
	}
	o := claim.Capture.Options
	limit := time.Duration(o.Timeout)*time.Millisecond + s.cfg.Slack
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	trackerOf(ctx).onBegin(func() { timer.Reset(limit) })
	shot, err := s.renderer.Render(limited, o)
	if _, fault := health.Find(err); err != nil && !fault && limited.Err() != nil && ctx.Err() == nil {
		return shot, savepage.Errorf(savepage.CodeRenderTimeout, "the page did not let go of the browser within %s", limit)
	}
	return shot, health.OfMachine(err)
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
		return nil, health.Of(health.Pictures, fmt.Errorf("store the picture: %w", err))
	}
	shot.Phases.Store = time.Since(began).Milliseconds()
	return picture, nil
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
	if !Stores(c) {
		owed, err := s.owe(c)
		if err != nil {
			return err
		}
		o.Deliveries = append(o.Deliveries, owed...)
	}
	sharing := map[string]savepage.Capture{}
	o.Owe = func(c savepage.Capture) ([]savepage.Delivery, error) {
		sharing[c.ID] = c
		return s.owe(c)
	}
	recording, recorded := s.spans.record(ctx)
	err := s.judge().durably(recording, func() error { return s.ledger.Finish(recording, claim, o) })
	recorded(err)
	if err != nil {
		if errors.Is(err, ErrLost) && o.Picture != nil {
			err = errors.Join(err, s.blobs.Delete(context.WithoutCancel(ctx), o.Picture.Name))
		}
		return fmt.Errorf("record the end of %s: %w", c.ID, err)
	}
	if Stores(c) {
		s.log.InfoContext(ctx, "capture goes to its store", slog.String("capture", c.ID), slog.String("account", c.Account),
			slog.String("store", c.Options.Store.Name), slog.Int64("render_ms", c.Timing.RenderMS))
	} else {
		s.ended(ctx, c, cause)
	}
	for _, shared := range sharing {
		s.ended(ctx, shared, cause)
	}
	return nil
}

// owe returns the callbacks for an ended capture.
func (s *Service) owe(c savepage.Capture) ([]savepage.Delivery, error) {
	if !c.Options.Tells(c.State) {
		return nil, nil
	}
	body, err := callbackBody(c, s.cfg.Links)
	if err != nil {
		return nil, fmt.Errorf("write the event of %s: %w", c.ID, err)
	}
	return []savepage.Delivery{{
		ID: NewID("msg_", c.FinishedAt), CaptureID: c.ID, Account: c.Account, URL: c.Options.CallbackTo(c.State),
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
