package capture

import (
	"context"
	"fmt"
	"time"

	"github.com/savepage/savepage"
)

// storeGrace is how long a server that has just begun tries stores, whatever the time that their captures have waited: it was
// perhaps away itself.
const storeGrace = 5 * time.Minute

// knownStores remembers which stores an account has.
type knownStores map[string]bool

// check returns why a capture of an account may not name a store, or nil.
func (k knownStores) check(ctx context.Context, s *Service, account string, to *savepage.StoreTo) error {
	if to == nil {
		return nil
	}
	has, asked := k[to.Name]
	if !asked {
		var err error
		if has, err = s.stores.HasStore(ctx, account, to.Name); err != nil {
			return fmt.Errorf("look for store %s: %w", to.Name, err)
		}
		k[to.Name] = has
	}
	if has {
		return nil
	}
	return invalid([]savepage.FieldError{{
		Location: "store.name", Message: "is no store of the account; set it up with PUT /v1/stores/" + to.Name, Value: to.Name,
	}})
}

// StoreEnds is the flow as it goes on when the delivery of a picture to a store has ended, and with it the capture.
type StoreEnds struct{ Service *Service }

// Owe returns the callbacks of the capture.
func (e StoreEnds) Owe(c savepage.Capture) ([]savepage.Delivery, error) { return e.Service.owe(c) }

// Ended counts the end of the capture.
func (e StoreEnds) Ended(ctx context.Context, c savepage.Capture) { e.Service.ended(ctx, c, nil) }

// GiveUp ends captures whose stores have not taken their pictures within Config.StorePatience, and returns how many.
func (e StoreEnds) GiveUp(ctx context.Context, now time.Time) (int, error) {
	patience := e.Service.cfg.StorePatience
	if now.Sub(e.Service.began) < min(storeGrace, patience) {
		return 0, nil
	}
	total := 0
	for {
		ended, err := e.Service.overdue.EndOverlong(ctx, now.Add(-patience), patience, expireBatch, e.Owe)
		for _, c := range ended {
			e.Ended(ctx, c)
		}
		total += len(ended)
		if err != nil || len(ended) < expireBatch {
			return total, err
		}
	}
}
