package capture

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
)

// ErrCrashed says of a lost browser that it ended by itself or by what the page made it do, and of a page that crashed that it
// sent the browser more than any page may, or that it ended its own process. A browser or process that was killed may have been
// killed by anybody.
var ErrCrashed = errors.New("the page was more than its browser can take, or the browser crashed")

// maxRetryWait is the longest wait of a capture that meets a fault again and again.
const maxRetryWait = 4 * time.Minute

// judge decides what becomes of captures that did not end well.
type judge struct {
	health *health.Board
	clock  *clock.Clock
	cfg    Config
}

func (s *Service) judge() judge { return judge{s.health, s.clock, s.cfg} }

// decide says what becomes of a claimed capture whose render or picture has met err: it goes back, or has ended when back
// is nil. told is what a client may see of err.
func (j judge) decide(claim Claim, err error) (told *savepage.Error, back *Back) {
	if err == nil {
		return nil, nil
	}
	if fault, ours := health.Find(err); ours {
		return j.fault(claim, fault)
	}
	told = clientError(err)
	switch crashed := errors.Is(err, ErrCrashed); {
	case crashed, told.Code == savepage.CodeBrowserLost:
		return j.loss(claim, told, crashed)
	case told.Code.Info().Retried && claim.Spent < j.cfg.MaxAttempts && claim.Deaths < j.cfg.MaxDeaths:
		back = &Back{Wait: j.cfg.RetryWait}
		if told.Code == savepage.CodePageCrashed {
			back.Lost = 1 // apart: what ended its renderer may harm others as well
		}
		return told, back
	default:
		return told, nil
	}
}

// fault puts back what a part of the service kept from its end, until that has gone on for too long.
func (j judge) fault(claim Claim, fault *health.Fault) (*savepage.Error, *Back) {
	j.health.Report(fault)
	var since time.Duration
	if !claim.FaultedAt.IsZero() {
		since = j.clock.Date().Sub(claim.FaultedAt)
	}
	if since >= j.cfg.Patience {
		return j.serviceFault(fault.Part), nil
	}
	// Parts are waited for elsewhere. This wait grows for a capture that goes on meeting the fault when others do not, such as
	// one with a picture that is too large for what the disk has left.
	wait := max(j.cfg.RetryWait, min(since/4, maxRetryWait))
	return j.serviceFault(fault.Part), &Back{Wait: wait, Free: true, Fault: true}
}

func (j judge) serviceFault(part health.Part) *savepage.Error {
	return savepage.Errorf(savepage.CodeServiceFault, "the %s of the service did not work for %s; the page is not the cause: "+
		"submit it again", part, j.cfg.Patience)
}

// loss puts back what was rendered when its browser ended, until it must be the page that ends its browsers: a crash is its doing
// once it had the browser to itself, and a browser that somebody kills harms no capture.
func (j judge) loss(claim Claim, told *savepage.Error, crashed bool) (*savepage.Error, *Back) {
	if caught := crashed && claim.apart(); !caught && claim.Lost+1 < j.cfg.MaxLost {
		return told, &Back{Wait: j.cfg.RetryWait, Free: true, Lost: 1}
	}
	if told.Code == savepage.CodeBrowserLost {
		told = savepage.Errorf(savepage.CodePageCrashed, "the page ended its browser on every attempt, also when it had one to itself")
	}
	return told, nil
}

// clientError is what the client may see of err; everything that is not already meant for it is an internal error.
func clientError(err error) *savepage.Error {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault
	}
	return savepage.Errorf(savepage.CodeInternal, "the capture failed on our side")
}

func (s *Service) release(ctx context.Context, claim Claim, back Back, told *savepage.Error, cause error) error {
	s.log.WarnContext(ctx, "render will be tried again", slog.String("capture", claim.Capture.ID),
		slog.Int("attempt", claim.Capture.Attempt), slog.String("code", string(told.Code)), slog.Any("error", cause))
	s.observer.Retried(told.Code)
	err := s.judge().durably(ctx, func() error { return s.ledger.Release(ctx, claim, back) })
	if err == nil {
		trackerOf(ctx).report(Step{Seq: SeqRetried(claim.Capture.Attempt), Kind: StepRetried, Code: told.Code})
	}
	return err
}

// durably records what must be recorded. While the database does not work it waits and records it then: what was rendered is
// not rendered again.
func (j judge) durably(ctx context.Context, record func() error) error {
	for {
		err := record()
		if _, fault := health.Find(err); !fault || j.health == nil {
			return err
		}
		j.health.Report(err)
		if j.health.Await(ctx, health.Database) != nil {
			return err
		}
	}
}

// GiveUp ends captures that have waited for a sick part longer than Config.Patience, and returns how many. Their clients are
// told which part it was. The part is asked once more before: its last probe may be older than its mending.
func (s *Service) GiveUp(ctx context.Context, now time.Time) (int, error) {
	part, sick := s.judge().sickTooLong(now)
	if !sick || s.health.Probe(ctx, part) == nil {
		return 0, nil
	}
	ended := 0
	for {
		claims, err := s.overdue.Overdue(ctx, now.Add(-s.cfg.Patience), expireBatch)
		if err != nil {
			return ended, err
		}
		for _, claim := range claims {
			fault := s.judge().serviceFault(part)
			begun := start{at: s.clock.Now(), measured: time.Now()}
			if err := s.finish(ctx, claim, s.outcome(claim.Capture, begun, Shot{}, nil, fault), fault); err != nil && !errors.Is(err, ErrLost) {
				return ended, err
			}
			ended++
		}
		if len(claims) < expireBatch {
			return ended, nil
		}
	}
}

// sickTooLong returns the part that has been sick for the longest time, if that is longer than Config.Patience. Without the
// database nothing can be ended.
func (j judge) sickTooLong(now time.Time) (part health.Part, sick bool) {
	since := now.Add(-j.cfg.Patience)
	for _, state := range j.health.States() {
		switch {
		case !state.Sick:
		case state.Part == health.Database:
			return "", false
		case !state.Since.After(since):
			part, since, sick = state.Part, state.Since, true
		}
	}
	return part, sick
}
