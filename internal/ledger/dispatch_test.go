package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
)

// The tests of this file run in bubbles, whose clock jumps to the next moment at which something happens.

// letter is a delivery of the office.
type letter struct {
	id    string
	to    Receiver
	at    time.Time // due
	state savepage.DeliveryState
	sent  []time.Time
	asked int
}

// office is a record of deliveries in memory, with receivers that the test scripts.
type office struct {
	t       *testing.T
	lanes   *Lanes
	health  *health.Board
	retry   func(attempt int) time.Duration
	answers map[string]func(l *letter) (time.Duration, savepage.Attempt) // by host

	mu      sync.Mutex
	letters map[string]*letter
	perHost map[string]int
	most    map[string]int
	inWork  map[string]bool
	changes []Change
	faults  map[string]int // how often an operation fails
}

func newOffice(t *testing.T, limits Limits) *office {
	t.Helper()
	return &office{
		t: t, lanes: NewLanes(limits), letters: map[string]*letter{}, perHost: map[string]int{}, most: map[string]int{},
		inWork:  map[string]bool{},
		answers: map[string]func(*letter) (time.Duration, savepage.Attempt){}, faults: map[string]int{},
		retry: func(n int) time.Duration {
			wait := 5 * time.Second
			for range n - 1 {
				wait *= 3
			}
			return min(wait, 12*time.Hour)
		},
	}
}

func (o *office) owe(account, host string, n int) []*letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	made := make([]*letter, n)
	for i := range made {
		one := &letter{
			id: fmt.Sprintf("%s %s %05d", account, host, len(o.letters)), to: Receiver{account, host}, at: time.Now(),
			state: savepage.Pending,
		}
		o.letters[one.id], made[i] = one, one
	}
	o.lanes.Note(Receiver{account, host}, Fresh, time.Now())
	return made
}

// script sets how a receiver answers, also while letters are sent.
func (o *office) script(host string, answer func(*letter) (time.Duration, savepage.Attempt)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[host] = answer
}

// urge has one sent again, now.
func (o *office) urge(one *letter) {
	o.mu.Lock()
	one.state, one.at = savepage.Pending, time.Now()
	one.asked++
	o.mu.Unlock()
	o.lanes.Urge(one.to, one.id)
}

// run delivers until the function it returns.
func (o *office) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	d := Dispatcher{Lanes: o.lanes, Owed: o, Clock: clock.System(), Health: o.health}
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

func (o *office) broken(operation string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.faults[operation] == 0 {
		return nil
	}
	o.faults[operation]--
	return errors.New("the disk is full")
}

func (o *office) Due(_ context.Context, r Receiver, kind Kind, limit int) (ids []string, more time.Time, err error) {
	if err := o.broken("due"); err != nil {
		return nil, more, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var pending []*letter
	for _, one := range o.letters {
		if one.to == r && one.state == savepage.Pending && (len(one.sent) > 0) == (kind == Tried) {
			pending = append(pending, one)
		}
	}
	slices.SortFunc(pending, func(a, b *letter) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	for _, one := range pending {
		if one.at.After(time.Now()) || len(ids) == limit {
			return ids, one.at, nil
		}
		ids = append(ids, one.id)
	}
	return ids, more, nil
}

func (o *office) Attempt(ctx context.Context, id string, loaded func()) (*Sent, error) {
	loaded()
	if err := o.broken("attempt"); err != nil {
		return nil, err
	}
	one, asked := o.enter(id)
	if one == nil {
		return nil, nil
	}
	took, a := o.answer(one)
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		o.leave(one)
		return nil, nil
	}
	a.LatencyMS = took.Milliseconds()
	n := o.leave(one)
	v := &Sent{savepage.Verdict{State: savepage.Pending, Attempt: a, NextAt: time.Now().Add(o.retry(n))}, asked, o.before(one)}
	switch {
	case a.Outcome == savepage.AttemptDelivered:
		v.State = savepage.Delivered
	case n >= 13:
		v.State = savepage.Dead
	}
	return v, nil
}

// before is when the attempt before the last one was made.
func (o *office) before(one *letter) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(one.sent); n > 1 {
		return one.sent[n-2]
	}
	return time.Time{}
}

func (o *office) answer(one *letter) (time.Duration, savepage.Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answers[one.to.Host](one)
}

// see returns a letter as it is now.
func (o *office) see(one *letter) letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := *one
	seen.sent = slices.Clone(one.sent)
	return seen
}

// change sets what the receivers look at.
func (o *office) change(flag *bool, to bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*flag = to
}

func (o *office) enter(id string) (*letter, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.letters[id]
	if one == nil || one.state != savepage.Pending {
		return nil, 0
	}
	if o.inWork[id] {
		o.t.Errorf("%s is sent twice at once", id)
	}
	if one.at.After(time.Now()) {
		o.t.Errorf("%s is sent before its time", id)
	}
	o.inWork[id] = true
	one.sent = append(one.sent, time.Now())
	o.perHost[one.to.Host]++
	o.most[one.to.Host] = max(o.most[one.to.Host], o.perHost[one.to.Host])
	return one, one.asked
}

func (o *office) leave(one *letter) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.perHost[one.to.Host]--
	return len(one.sent)
}

func (o *office) Record(_ context.Context, _ Receiver, id string, sent Sent, c Change) (time.Time, error) {
	if err := o.broken("record"); err != nil {
		return time.Time{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.letters[id]
	d := Settled(savepage.Delivery{State: one.state, NextAt: &one.at, Asked: one.asked}, sent, len(one.sent), time.Now())
	one.state, one.at = d.State, time.Time{}
	if d.NextAt != nil {
		one.at = *d.NextAt
	}
	o.inWork[id] = false
	if c != Unchanged {
		o.changes = append(o.changes, c)
	}
	return one.at, nil
}

func (o *office) count(of []*letter) (sent, delivered int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range of {
		sent += len(one.sent)
		if one.state == savepage.Delivered {
			delivered++
		}
	}
	return sent, delivered
}

func (o *office) pending() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.letters {
		if one.state == savepage.Pending {
			n++
		}
	}
	return n
}

func takes(after time.Duration) func(*letter) (time.Duration, savepage.Attempt) {
	return func(*letter) (time.Duration, savepage.Attempt) {
		return after, savepage.Attempt{Outcome: savepage.AttemptDelivered, Status: 200}
	}
}

func hangs(*letter) (time.Duration, savepage.Attempt) {
	return 15 * time.Second, savepage.Attempt{Outcome: savepage.AttemptTimeout}
}

func says(status int) func(*letter) (time.Duration, savepage.Attempt) {
	return func(*letter) (time.Duration, savepage.Attempt) {
		return 0, savepage.Attempt{Outcome: savepage.AttemptStatus, Status: status}
	}
}

var limits = Limits{Workers: 64, PerHost: 4}

func after(d time.Duration) { <-time.After(d) }

func equal[T comparable](t *testing.T, what string, want, got T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestDeadReceiverDelaysOnlyItself owes thousands to receivers that hang, of the same account, before those to a live one.
func TestDeadReceiverDelaysOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["dead"], o.answers["live"] = hangs, takes(10*time.Millisecond)
		dead := o.owe("a", "dead", 10_000)
		for i := range 50 {
			host := fmt.Sprintf("dead%d", i)
			o.answers[host] = hangs
			o.owe("a", host, 3)
		}
		defer o.run()()
		after(time.Minute)
		for range 30 {
			live := o.owe("a", "live", 1)[0]
			other := o.owe("b", "live", 1)[0]
			after(time.Second)
			for _, one := range []letter{o.see(live), o.see(other)} {
				if one.state != savepage.Delivered || one.sent[0].After(one.at.Add(time.Second)) && !one.at.IsZero() {
					t.Fatalf("%s is %s, sent %v", one.id, one.state, one.sent)
				}
			}
		}
		if sent, _ := o.count(dead); sent > 12 {
			t.Errorf("%d attempts at the dead receiver", sent)
		}
	})
}

// TestNothingIsSentWhileTheDatabaseIsSick has deliveries fall due, and one answered, while nothing can be recorded: none is
// sent, the one that was is not sent again, and all go on when the database is well.
func TestNothingIsSentWhileTheDatabaseIsSick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		full := errors.New("full")
		var well atomic.Bool
		o.health = health.NewBoard(health.Config{Log: slog.New(slog.DiscardHandler)})
		o.health.Watch(health.Database, func(context.Context) error {
			if well.Load() {
				return nil
			}
			return full
		})
		ctx, end := context.WithCancel(t.Context())
		var probing sync.WaitGroup
		probing.Go(func() { o.health.Run(ctx) })
		defer probing.Wait()
		defer end()
		o.script("live", takes(10*time.Millisecond))
		o.mu.Lock()
		o.faults["record"] = 1 // which says that the database is sick
		o.mu.Unlock()
		first := o.owe("a", "live", 1)
		defer o.run()()
		after(15 * time.Millisecond)
		o.health.Report(health.Of(health.Database, full))
		others := append(o.owe("a", "live", 8), o.owe("b", "live", 8)...)
		after(time.Hour)
		sent, _ := o.count(first)
		equal(t, "attempts of the one that was on its way", 1, sent)
		sent, _ = o.count(others)
		equal(t, "attempts while the database is sick", 0, sent)
		well.Store(true)
		after(6 * time.Second) // until the next probe, at the latest
		sent, delivered := o.count(append(first, others...))
		equal(t, "attempts in the end", 17, sent)
		equal(t, "delivered in the end", 17, delivered)
	})
}

// TestBreaker follows a receiver through an outage: when it is tried, that the others use no attempts, and that all arrive
// when it is back.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		var tries []time.Duration
		began, back := time.Now(), false
		o.answers["host"] = func(*letter) (time.Duration, savepage.Attempt) {
			tries = append(tries, time.Since(began))
			if back {
				return 0, savepage.Attempt{Outcome: savepage.AttemptDelivered, Status: 200}
			}
			return 0, savepage.Attempt{Outcome: savepage.AttemptRefused}
		}
		o.answers["host2"] = takes(0)
		all := o.owe("a", "host", 1000)
		defer o.run()()
		after(5 * time.Minute)
		synctest.Wait()
		var want []time.Duration
		for _, s := range []int{0, 0, 0, 0, 0, 5, 15, 35, 75, 135, 195, 255} {
			want = append(want, time.Duration(s)*time.Second)
		}
		o.mu.Lock()
		tried := slices.Clone(tries)
		o.mu.Unlock()
		if !slices.Equal(want, tried) {
			t.Errorf("tried at %v, want %v", tried, want)
		}
		b := o.lanes.Breaker(Receiver{"a", "host"})
		if !b.Open() || b.Failures != 12 || !b.OpenedAt.Equal(began) || !b.ProbeAt.Equal(began.Add(315*time.Second)) {
			t.Errorf("breaker %+v", b)
		}
		equal(t, "stats", LaneStats{Open: 1, Opened: 1}, o.lanes.Stats())
		// The same host is nobody else's business.
		other := o.owe("b", "host2", 1)
		synctest.Wait()
		equal(t, "another's state", savepage.Delivered, o.see(other[0]).state)
		o.change(&back, true)
		after(20 * time.Second)
		synctest.Wait()
		sent, delivered := o.count(all)
		equal(t, "delivered", 1000, delivered)
		equal(t, "attempts", 1012, sent)
		o.mu.Lock()
		equal(t, "first and last change", [2]Change{Opened, Closed}, [2]Change{o.changes[0], o.changes[len(o.changes)-1]})
		o.mu.Unlock()
		equal(t, "stats", LaneStats{Opened: 1}, o.lanes.Stats())
	})
}

// TestLoneDeliveryKeepsItsSchedule has one delivery use all its attempts: the breaker delays none of them.
func TestLoneDeliveryKeepsItsSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["host"] = says(500)
		schedule := o.retry
		o.retry = func(n int) time.Duration { return min(schedule(n), 10*time.Minute) }
		one := o.owe("a", "host", 1)[0]
		defer o.run()()
		after(2 * time.Hour)
		seen := o.see(one)
		one = &seen
		equal(t, "state", savepage.Dead, one.state)
		equal(t, "attempts", 13, len(one.sent))
		for i := 1; i < len(one.sent); i++ {
			equal(t, fmt.Sprintf("wait %d", i), o.retry(i), one.sent[i].Sub(one.sent[i-1]))
		}
		equal(t, "stats", LaneStats{Opened: 1}, o.lanes.Stats()) // nothing is owed any more
	})
}

func TestWhatSpeaksAgainstAReceiver(t *testing.T) {
	for want, attempts := range map[opinion][]savepage.Attempt{
		saysNothing: {{Outcome: savepage.AttemptBlocked}},
		saysAlive: {
			{Outcome: savepage.AttemptDelivered, Status: 204},
			{Outcome: savepage.AttemptStatus, Status: 302},
			{Outcome: savepage.AttemptStatus, Status: 404},
			{Outcome: savepage.AttemptStatus, Status: 410},
		},
		saysRefused: {
			{Outcome: savepage.AttemptStatus, Status: 500},
			{Outcome: savepage.AttemptStatus, Status: 503},
		},
		saysAway: {
			{Outcome: savepage.AttemptStatus, Status: 429},
			{Outcome: savepage.AttemptTimeout},
			{Outcome: savepage.AttemptRefused},
			{Outcome: savepage.AttemptTLS},
			{Outcome: savepage.AttemptResolve},
		},
	} {
		for _, a := range attempts {
			equal(t, fmt.Sprintf("%s %d", a.Outcome, a.Status), want, judge(a))
		}
	}
}

// TestPlacesAtAHost has many accounts use one host: four at once, in turns, and a slow one leaves a place.
func TestPlacesAtAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
			if l.to.Account == "slow" {
				return takes(10 * time.Second)(l)
			}
			return takes(10 * time.Millisecond)(l)
		}
		o.owe("slow", "host", 200)
		defer o.run()()
		after(11 * time.Second) // from now on it is known to be slow
		for _, account := range []string{"a", "b", "c"} {
			all := o.owe(account, "host", 20)
			after(time.Second)
			_, delivered := o.count(all)
			equal(t, "delivered beside the slow one", 20, delivered)
		}
		o.mu.Lock()
		equal(t, "at once", 4, o.most["host"])
		o.mu.Unlock()
	})
}

// TestAccountsTakeTurns has one account owe to more receivers than there are workers.
func TestAccountsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		for i := range 500 {
			host := fmt.Sprintf("hanging%d", i)
			o.answers[host] = hangs
			o.owe("greedy", host, 1)
		}
		o.answers["live"] = takes(0)
		defer o.run()()
		after(time.Second)
		equal(t, "places of the greedy", limits.Workers/2, o.lanes.Stats().Sending)
		one := o.owe("modest", "live", 1)[0]
		synctest.Wait()
		equal(t, "the other account's state", savepage.Delivered, o.see(one).state)
		after(time.Hour)
		for _, one := range o.letters {
			if len(o.see(one).sent) == 0 {
				t.Fatalf("%s was never sent", one.id)
			}
		}
	})
}

// TestUrgent sends one before all others of its receiver, through an open breaker.
func TestUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		failing := true
		o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
			if failing {
				return 0, savepage.Attempt{Outcome: savepage.AttemptRefused}
			}
			return takes(time.Millisecond)(l)
		}
		all := o.owe("a", "host", 100)
		defer o.run()()
		after(time.Second)
		last := all[99]
		equal(t, "attempts", 0, len(o.see(last).sent))
		o.change(&failing, false)
		o.urge(last)
		o.urge(last)
		after(time.Millisecond)
		synctest.Wait()
		equal(t, "attempts", 1, len(o.see(last).sent))
		equal(t, "state", savepage.Delivered, o.see(last).state)
		equal(t, "breaker", Breaker{}, o.lanes.Breaker(last.to))
		after(time.Minute)
		if _, delivered := o.count(all); delivered != 100 {
			t.Errorf("%d delivered", delivered)
		}
	})
}

// TestBreakerOverARestart starts with a breaker that was open before.
func TestBreakerOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["host"] = says(429)
		before := clock.System().Now()
		to := Receiver{"a", "host"}
		o.lanes.Restore(to, Breaker{
			Failures: 7, Away: 7, OpenedAt: before.Add(-time.Minute), ProbeAt: before.Add(10 * time.Second),
			Wait: 20 * time.Second,
		})
		all := o.owe("a", "host", 50)
		defer o.run()()
		after(9 * time.Second)
		sent, _ := o.count(all)
		equal(t, "attempts before the probe", 0, sent)
		after(2 * time.Second)
		sent, _ = o.count(all)
		equal(t, "attempts at the probe", 1, sent)
		b := o.lanes.Breaker(to)
		equal(t, "the next wait", 40*time.Second, b.Wait)
		equal(t, "the next probe", before.Add(50*time.Second), b.ProbeAt)

		// What the record says may be from a clock that was wrong, or from other settings.
		far := Receiver{"a", "far"}
		o.lanes.Restore(far, Breaker{Failures: 9, OpenedAt: before, ProbeAt: before.Add(1000 * time.Hour), Wait: 1000 * time.Hour})
		if b := o.lanes.Breaker(far); b.Wait > time.Minute || b.ProbeAt.After(before.Add(time.Minute)) {
			t.Errorf("restored %+v", b)
		}
	})
}

// TestFaults has reading, sending and recording fail: each is tried again, and nothing is sent twice.
func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["host"] = takes(time.Millisecond)
		o.faults = map[string]int{"due": 3, "attempt": 4, "record": 5}
		all := o.owe("a", "host", 3)
		defer o.run()()
		after(3 * time.Minute)
		sent, delivered := o.count(all)
		equal(t, "delivered", 3, delivered)
		equal(t, "attempts", 3, sent)
	})
}

// TestStop cuts attempts off after the grace, and does not count them.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["slow"], o.answers["quick"] = hangs, takes(2*time.Second)
		slow, quick := o.owe("a", "slow", 1)[0], o.owe("a", "quick", 9)
		ctx, cancel := context.WithCancel(t.Context())
		d := Dispatcher{Lanes: o.lanes, Owed: o, Clock: clock.System(), Grace: 5 * time.Second}
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		after(time.Second)
		stopped := time.Now()
		cancel()
		running.Wait()
		equal(t, "time to stop", 5*time.Second, time.Since(stopped))
		equal(t, "state", savepage.Pending, slow.state)
		_, delivered := o.count(quick)
		equal(t, "finished", 1, delivered) // nobody had heard of the receiver yet
		equal(t, "held", 0, o.lanes.Stats().Sending)
	})
}

// TestManyOfEach has everything happen at once; the office complains of what is sent twice or early.
func TestManyOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.retry = func(int) time.Duration { return 100 * time.Millisecond }
		var all []*letter
		for i := range 40 {
			host := fmt.Sprintf("host%d", i%17)
			o.answers[host] = func(l *letter) (time.Duration, savepage.Attempt) {
				if len(l.sent) <= i%3 {
					return says(500)(l)
				}
				return takes(time.Duration(i%7) * time.Millisecond)(l)
			}
			all = append(all, o.owe(fmt.Sprintf("account%d", i%5), host, 10)...)
		}
		stop := o.run()
		for i := range 100 {
			o.urge(all[i*7%len(all)])
			after(50 * time.Millisecond)
		}
		for end := time.Now().Add(24 * time.Hour); o.pending() > 0 && time.Now().Before(end); {
			after(time.Minute)
		}
		stop()
		for _, one := range all {
			if one.state == savepage.Pending {
				t.Fatalf("%s is pending after %d attempts", one.id, len(one.sent))
			}
		}
		for host, most := range o.most {
			if most > 4 {
				t.Errorf("%d at once to %s", most, host)
			}
		}
		equal(t, "lanes left", 0, len(o.lanes.lanes)+len(o.lanes.accounts)+len(o.lanes.hosts)+len(o.lanes.turns)+len(o.lanes.later))
	})
}
