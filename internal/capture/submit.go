package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Submit admits a request and records it. When it returns without error the capture is durable and will end. Errors for
// the client are *savepage.Error; those of CodeInvalidRequest name every wrong field by its bare name.
func (s *Service) Submit(ctx context.Context, r Request) (_ Accepted, err error) {
	ctx, end := s.spans.submit(ctx, "submit", r.Account)
	defer func() { end(err) }()
	options, err := s.admit(r.Options, r.MaxTimeout)
	if err != nil {
		return Accepted{}, err
	}
	now := s.clock.Now()
	submission := Submission{
		Capture: savepage.Capture{
			ID: NewID("cap_", now), Account: r.Account, KeyID: r.KeyID, State: savepage.Queued,
			Options: options, Interactive: r.Interactive, CreatedAt: now,
			Trace: s.spans.carried(ctx),
		},
		IdempotencyKey: r.IdempotencyKey,
		Fingerprint:    r.Fingerprint,
	}
	if err := (knownStores{}).check(ctx, s, r.Account, options.Store); err != nil {
		return Accepted{}, err
	}
	if err := s.mayShare(ctx, &submission, new(hasher)); err != nil {
		return Accepted{}, err
	}
	accepted, err := s.ledger.Accept(ctx, submission)
	if err != nil {
		return Accepted{}, err
	}
	s.accepted(ctx, accepted)
	return accepted, nil
}

// mayShare says what the picture of a submission depends on, and with whom it may share it.
func (s *Service) mayShare(ctx context.Context, sub *Submission, h *hasher) (err error) {
	o := sub.Capture.Options
	if sub.OptionsHash, err = h.hash(o); err != nil {
		return fmt.Errorf("hash the options: %w", err)
	}
	if o.CacheTTL > 0 {
		// Those with another timeout may end otherwise: they do not share a render.
		sub.Flight = fmt.Sprintf("%s/%d/%s", sub.OptionsHash, o.Timeout, o.OnTimeout)
		sub.KeptSince = sub.Capture.CreatedAt.Add(-time.Duration(o.CacheTTL) * time.Second)
		sub.Owe = s.owe
		looking := context.WithoutCancel(ctx)
		sub.Stored = func(picture string) bool { return s.blobs.Has(looking, picture) }
	}
	return nil
}

// accepted counts an accepted capture, and its end where a kept picture has ended it.
func (s *Service) accepted(ctx context.Context, a Accepted) {
	s.observer.Accepted(a.Replayed, a.Reuse)
	if a.Reuse == ReuseHit && a.Capture.State.Final() {
		s.ended(ctx, a.Capture, nil)
	}
}

// Check returns the error of Submit, as far as it lies with the options.
func (s *Service) Check(o savepage.Options) error {
	_, err := s.admit(o, 0)
	return err
}

// minTimeout is the least timeout of a capture, in milliseconds, as the tag of savepage.Options says.
const minTimeout = 1000

// withDefaults fills the options that were not given. An account's limit of timeout shortens the default; a timeout that was
// given and is beyond it is wrong.
func withDefaults(o savepage.Options, longest int) (savepage.Options, []savepage.FieldError) {
	given := o.Timeout != 0
	o = o.WithDefaults()
	longest = max(longest, minTimeout)
	switch {
	case o.Timeout <= longest:
		return o, nil
	case !given:
		o.Timeout = longest
		return o, nil
	default:
		message := fmt.Sprintf("must be from %d to %d, the limit of the account", minTimeout, longest)
		return o, []savepage.FieldError{{Location: "timeout", Message: message, Value: o.Timeout}}
	}
}

// admit fills the options that were not given, checks what the schema of single fields cannot say, and puts the addresses into
// their normal form. The longest timeout is 0 for any.
func (s *Service) admit(o savepage.Options, longest int) (savepage.Options, error) {
	var wrong []savepage.FieldError
	if longest > 0 {
		o, wrong = withDefaults(o, longest)
	} else {
		o = o.WithDefaults()
	}
	wrong = append(o.ValidateFields(), wrong...)
	for _, address := range []struct {
		field string
		value *string
	}{{"url", &o.URL}, {"base_url", &o.BaseURL}, {"callback_url", &o.CallbackURL}, {"callback_error_url", &o.CallbackErrorURL}} {
		if *address.value == "" {
			continue
		}
		normal, err := s.guard.Admit(*address.value)
		if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeInvalidRequest {
			wrong = append(wrong, savepage.FieldError{Location: address.field, Message: fault.Message, Value: *address.value})
			continue
		} else if known {
			blocked := savepage.Errorf(fault.Code, "%s: %s", address.field, fault.Message)
			blocked.Fields = []savepage.FieldError{{Location: address.field, Message: fault.Message, Value: *address.value}}
			return o, blocked
		} else if err != nil {
			return o, err
		}
		*address.value = normal
	}
	if len(wrong) > 0 {
		return o, invalid(wrong)
	}
	return o, nil
}

// invalid makes one error of all wrong fields.
func invalid(wrong []savepage.FieldError) *savepage.Error {
	all := make([]string, len(wrong))
	for i, field := range wrong {
		all[i] = field.String()
	}
	fault := savepage.Errorf(savepage.CodeInvalidRequest, "%s", strings.Join(all, "; "))
	fault.Fields = wrong
	return fault
}
