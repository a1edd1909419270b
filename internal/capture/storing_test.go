package capture

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage"
)

// EndOverlong answers with a capture whose store took too long, once, and remembers what it was asked for.
func (r *records) EndOverlong(_ context.Context, before time.Time, _ time.Duration, _ int, owe Owe) ([]savepage.Capture, error) {
	r.overdue = before
	list := r.overlong
	r.overlong = nil
	for _, c := range list {
		if _, err := owe(c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// names are stores: each account has one of its own name.
type names struct{ asked int }

func (n *names) HasStore(_ context.Context, account, name string) (bool, error) {
	n.asked++
	return name == account, nil
}

// TestStoreIsKnown refuses a capture, and the rows of a batch, that name a store which the account has not.
func TestStoreIsKnown(t *testing.T) {
	f := newFlow(t)
	have := &names{}
	f.stores = have
	o := savepage.Options{URL: "http://a.test", Store: &savepage.StoreTo{Name: "acc"}}
	if _, err := f.Submit(t.Context(), Request{Account: "acc", Options: o}); err != nil {
		t.Error(err)
	}
	o.Store = &savepage.StoreTo{Name: "other"}
	_, err := f.Submit(t.Context(), Request{Account: "acc", Options: o})
	fault, known := errors.AsType[*savepage.Error](err)
	if !known || fault.Code != savepage.CodeInvalidRequest || fault.Fields[0].Location != "store.name" ||
		!strings.Contains(fault.Message, "/v1/stores/other") {
		t.Errorf("the error is %v", err)
	}
	have.asked = 0
	_, err = f.SubmitBatch(t.Context(), BatchRequest{Account: "acc", Captures: []savepage.Options{o, o, o}})
	fault, known = errors.AsType[*savepage.Error](err)
	if !known || len(fault.Fields) != 3 || fault.Fields[2].Location != "[2].store.name" || have.asked != 1 {
		t.Errorf("the error is %v, asked %d times", err, have.asked)
	}
}

// TestRunWithAStore owes no callback for a capture that waits for its store, and does not count its end yet; one that failed
// never comes there.
func TestRunWithAStore(t *testing.T) {
	f := newFlow(t)
	o := savepage.Options{URL: "http://a.test", CallbackURL: "http://b.test", Store: &savepage.StoreTo{Name: "acc"}}
	if err := f.Run(t.Context(), claim(o)); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger.outcomes[0]; len(got.Deliveries) != 0 || got.Picture == nil {
		t.Errorf("outcome %+v", got)
	}
	f.shots.err = savepage.Errorf(savepage.CodeBlank, "blank")
	if err := f.Run(t.Context(), claim(o)); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger.outcomes[1]; len(got.Deliveries) != 1 {
		t.Errorf("outcome of a failure %+v", got)
	}
}

// TestGiveUpStores ends what a store has not taken for too long, but not in the first minutes of a server.
func TestGiveUpStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(t)
		f.overdue, f.began = f.ledger, time.Now()
		f.cfg.StorePatience = time.Hour
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{4 * time.Minute, 0}, {2 * time.Minute, 1}} {
			f.ledger.overlong = []savepage.Capture{{ID: "cap_1", State: savepage.Failed, Error: savepage.Errorf(savepage.CodeStoreFailed, "no")}}
			<-time.After(step.after)
			n, err := StoreEnds{f.Service}.GiveUp(t.Context(), time.Now())
			if err != nil || n != step.want {
				t.Errorf("after %s: %d, %v", step.after, n, err)
			}
		}
		if want := time.Now().Add(-time.Hour); !f.ledger.overdue.Equal(want) {
			t.Errorf("asked for those before %s, want %s", f.ledger.overdue, want)
		}
	})
}
