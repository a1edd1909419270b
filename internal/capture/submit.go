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
func (s *Service) Submit(ctx context.Context, r Request) (Accepted, error) {
	options, err := s.admit(r.Options.WithDefaults())
	if err != nil {
		return Accepted{}, err
	}
	hash, err := optionsHash(options)
	if err != nil {
		return Accepted{}, fmt.Errorf("hash the options: %w", err)
	}
	now := time.Now().UTC()
	accepted, err := s.ledger.Accept(ctx, Submission{
		Capture: savepage.Capture{
			ID: NewID("cap_", now), Account: r.Account, State: savepage.Queued,
			Options: options, Interactive: r.Interactive, CreatedAt: now,
		},
		IdempotencyKey: r.IdempotencyKey,
		Fingerprint:    r.Fingerprint,
		OptionsHash:    hash,
	})
	if err != nil {
		return Accepted{}, err
	}
	s.observer.Accepted(accepted.Replayed)
	return accepted, nil
}

// admit checks what the schema of single fields can not say, and puts the addresses into their normal form.
func (s *Service) admit(o savepage.Options) (savepage.Options, error) {
	wrong := o.Cross()
	for _, address := range []struct {
		field string
		value *string
	}{{"url", &o.URL}, {"callback_url", &o.CallbackURL}} {
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
	said := make([]string, len(wrong))
	for i, field := range wrong {
		said[i] = field.Location + " " + field.Message
	}
	fault := savepage.Errorf(savepage.CodeInvalidRequest, "%s", strings.Join(said, "; "))
	fault.Fields = wrong
	return fault
}

// Key returns what finds a kept picture of the same options: the OptionsHash of the submission they would make.
func (s *Service) Key(o savepage.Options) (string, error) {
	admitted, err := s.admit(o.WithDefaults())
	if err != nil {
		return "", err
	}
	return optionsHash(admitted)
}
