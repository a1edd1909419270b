package records

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// owing is a ledger that owes deliveries to a receiver.
type owing struct {
	t       *testing.T
	l       *Ledger
	box     *outbox
	account string
	now     time.Time
}

func newOwing(t *testing.T, ids ...string) owing {
	t.Helper()
	now := clock.Manual(time.Now())
	l := openInside(t, newPlace(t), ledger.Config{Clock: now})
	issued, _, err := l.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	box, done := l.newOutbox(t.Context(), ledger.StoredHandler{})
	t.Cleanup(done)
	o := owing{t, l, box, issued.Account, now.Now().UTC().Truncate(time.Microsecond)}
	var list []savepage.Delivery
	for _, id := range ids {
		list = append(list, savepage.Delivery{
			ID: id, CaptureID: "cap_" + id, Account: o.account, URL: "https://a.test/", Body: []byte(`{"of": "` + id + `"}`), CreatedAt: o.now,
		})
	}
	if err := l.Do(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return l.owe(ctx, tx, list) }); err != nil {
		t.Fatal(err)
	}
	return o
}

// recording is an attempt as the sender hands it in.
func (o owing) recording(id string, asked int, state savepage.DeliveryState) *recording {
	v := savepage.Verdict{State: state, Attempt: savepage.Attempt{At: o.now, Outcome: savepage.AttemptDelivered, Status: 200, Answer: id}}
	if state == savepage.Pending {
		v.NextAt = o.now.Add(time.Minute)
	}
	return &recording{
		outbox: o.box, receiver: ledger.Receiver{Account: o.account, Host: "a.test"}, id: id, sent: ledger.Sent{Verdict: v, Asked: asked},
	}
}

// record writes attempts down in one transaction.
func (o owing) record(list ...*recording) {
	o.t.Helper()
	err := o.l.Do(o.t.Context(), func(ctx context.Context, tx *sql.Tx) error { return recordAll(ctx, tx, list) })
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o owing) exec(query string, args ...any) {
	o.t.Helper()
	if _, err := o.l.db.write.ExecContext(o.t.Context(), query, args...); err != nil {
		o.t.Fatal(err)
	}
}

// kept is a delivery as its rows have it.
type kept struct {
	State    savepage.DeliveryState
	Next     time.Time
	Ended    bool
	Earlier  int
	Attempts []int
	Answers  []string
}

func (o owing) kept(id string) kept {
	o.t.Helper()
	d, err := scanDelivery(o.l.db.read.QueryRowContext(o.t.Context(), `SELECT `+deliveryColumns+` FROM deliveries d WHERE id = ?`, id).Scan)
	list := []savepage.Delivery{d}
	if err := errors.Join(err, addAttempts(o.t.Context(), o.l.db.read, list)); err != nil {
		o.t.Fatal(err)
	}
	k := kept{State: d.State, Ended: d.EndedAt != nil, Earlier: d.Earlier}
	if d.NextAt != nil {
		k.Next = d.NextAt.UTC()
	}
	for _, a := range list[0].Attempts {
		k.Attempts, k.Answers = append(k.Attempts, a.Number), append(k.Answers, a.Answer)
	}
	return k
}

// TestRecordTogether writes down attempts that ended at the same time and differently.
func TestRecordTogether(t *testing.T) {
	t.Parallel()
	o := newOwing(t, "one", "two", "failed", "again", "dead", "ended")
	o.record(o.recording("failed", 0, savepage.Pending), o.recording("ended", 0, savepage.Delivered))
	o.exec(`UPDATE deliveries SET asked = 1 WHERE id = 'again'`) // by hand, while it was on its way
	list := []*recording{
		o.recording("one", 0, savepage.Delivered), o.recording("two", 0, savepage.Delivered), o.recording("failed", 0, savepage.Pending),
		o.recording("again", 0, savepage.Delivered), o.recording("dead", 0, savepage.Dead), o.recording("ended", 0, savepage.Delivered),
		o.recording("none", 0, savepage.Delivered),
	}
	o.record(list...)
	next := o.now.Add(time.Minute)
	for id, want := range map[string]kept{
		"one":    {State: savepage.Delivered, Ended: true, Attempts: []int{1}, Answers: []string{"one"}},
		"two":    {State: savepage.Delivered, Ended: true, Attempts: []int{1}, Answers: []string{"two"}},
		"failed": {State: savepage.Pending, Next: next, Attempts: []int{1, 2}, Answers: []string{"failed", "failed"}},
		"again":  {State: savepage.Pending, Next: o.now, Earlier: 1, Attempts: []int{1}, Answers: []string{"again"}},
		"dead":   {State: savepage.Dead, Ended: true, Attempts: []int{1}, Answers: []string{"dead"}},
		"ended":  {State: savepage.Delivered, Ended: true, Attempts: []int{1}, Answers: []string{"ended"}},
	} {
		if diff := cmp.Diff(want, o.kept(id)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	for _, r := range list {
		if want := slices.Contains([]string{"ended", "none"}, r.id); r.gone != want {
			t.Errorf("%s is gone: %t", r.id, r.gone)
		}
	}
	if got := list[2].is; got.Attempts != 2 || got.State != savepage.Pending || !got.Next.Equal(next) {
		t.Errorf("the failed one: %+v", got)
	}
}

// TestLoadTogether reads deliveries at the same time, each with its own attempts and secrets.
func TestLoadTogether(t *testing.T) {
	t.Parallel()
	o := newOwing(t, "one", "two", "tried", "ended")
	o.record(o.recording("tried", 0, savepage.Pending), o.recording("ended", 0, savepage.Delivered))
	batch := make([]*load, 0, 6)
	for _, id := range []string{"tried", "one", "ended", "two", "none", "one"} {
		batch = append(batch, &load{id: id, done: make(chan struct{})})
	}
	o.box.loadAll(t.Context(), batch)
	for i, want := range []int{1, 0, -1, 0, -1, 0} {
		l := batch[i]
		switch {
		case l.err != nil:
			t.Errorf("%s: %v", l.id, l.err)
		case want < 0 && l.delivery.ID != "":
			t.Errorf("%s is owed", l.id)
		case want >= 0 && (l.delivery.ID != l.id || len(l.delivery.Attempts) != want || string(l.delivery.Body) != `{"of": "`+l.id+`"}`):
			t.Errorf("%s: %+v", l.id, l.delivery)
		case want >= 0 && len(l.secrets) != 1:
			t.Errorf("%s has %d secrets", l.id, len(l.secrets))
		}
	}
}
