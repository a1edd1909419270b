package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// closedShare is how many captures of a closed account are removed in one go, so that no transaction holds up others.
const closedShare = 100

// Closed is the records of accounts that are closed: nothing is accepted for them any more.
type Closed interface {
	// ClosedAccounts returns the ids of the accounts that are closed and have not been removed whole.
	ClosedAccounts(ctx context.Context) ([]string, error)
	// RemoveSome ends at most limit captures of a closed account, has drop remove their pictures and then removes their
	// records, or removes a part of what else is left. Done says that nothing is left, the account included. A picture
	// that drop could not remove keeps its record.
	RemoveSome(ctx context.Context, account string, limit int, drop func(names []string) error) (captures int, done bool, err error)
}

// Dropper removes pictures. An unknown key is no error.
type Dropper interface {
	Delete(ctx context.Context, key string) error
}

// RemoveClosed removes everything of the closed accounts, share by share. What is left after a fault is removed the next
// time.
func (s *Service) RemoveClosed(ctx context.Context, from Closed) error {
	accounts, err := from.ClosedAccounts(ctx)
	if err != nil {
		return fmt.Errorf("look for closed accounts: %w", err)
	}
	var faults []error
	for _, account := range accounts {
		if err := RemoveAccount(ctx, from, s.blobs, account, s.log); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// RemoveAccount removes everything of one closed account.
func RemoveAccount(ctx context.Context, from Closed, pictures Dropper, account string, log *slog.Logger) error {
	drop := func(names []string) error {
		var faults []error
		for _, name := range names {
			faults = append(faults, pictures.Delete(ctx, name))
		}
		return errors.Join(faults...)
	}
	total := 0
	for {
		captures, done, err := from.RemoveSome(ctx, account, closedShare, drop)
		total += captures
		if err != nil {
			return fmt.Errorf("remove account %s: %w", account, err)
		}
		if done {
			log.InfoContext(ctx, "account removed", slog.String("account", account), slog.Int("captures", total))
			return nil
		}
	}
}
