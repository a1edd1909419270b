package ledger

import (
	"container/heap"
	"maps"
	"slices"
	"time"

	"github.com/savepage/savepage"
)

// step is what the dispatcher does next: read the ids of a receiver's due deliveries, or send one.
type step struct {
	Receiver
	id      string              // of the one to send; empty: read
	except  map[string]struct{} // when reading: a worker holds them
	probe   bool                // it tries whether the receiver is back
	suspect bool                // the receiver did not answer well the last time
}

// take returns the next step that may be done now, or how long to wait for one; a negative wait is for ever.
func (l *Lanes) take(now time.Time) (step, time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit(now)
	if l.busy < l.limits.Workers {
		for range len(l.turns) {
			t := l.turns[0]
			l.turns = append(l.turns[1:], t)
			if one := l.turn(t, now); one != nil {
				return l.begin(one), 0, true
			}
			if len(t.ready) == 0 {
				t.inTurns = false
				l.turns = l.turns[:len(l.turns)-1]
			}
		}
	}
	if len(l.later) == 0 {
		return step{}, -1, false
	}
	return step{}, l.later[0].at.Sub(now), false
}

// admit moves lanes whose time has come to the ready ones.
func (l *Lanes) admit(now time.Time) {
	for len(l.later) > 0 && !l.later[0].at.After(now) {
		one, _ := heap.Pop(&l.later).(*lane)
		if one.queued {
			continue
		}
		one.queued = true
		one.account.ready = append(one.account.ready, one)
		if !one.account.inTurns {
			one.account.inTurns = true
			l.turns = append(l.turns, one.account)
		}
	}
}

// turn returns the account's next lane that may do something, and takes it off the ready ones.
func (l *Lanes) turn(t *accountLanes, now time.Time) *lane {
	if t.busy >= l.limits.PerAccount {
		return nil
	}
	for range len(t.ready) {
		one := t.ready[0]
		t.ready = t.ready[1:]
		at, can := one.next()
		switch {
		case !can || at.After(now):
			one.queued = false
			l.arrange(one)
		case l.blocked(one):
			t.ready = append(t.ready, one)
		default:
			one.queued = false
			return one
		}
	}
	return nil
}

// blocked reports whether a limit keeps the lane back. A receiver that does not answer well gets one delivery at a time,
// and all such together at most half of the workers; one that is slow leaves a slot at its host to other accounts.
func (l *Lanes) blocked(one *lane) bool {
	slots := l.limits.PerHost
	switch {
	case one.suspect():
		if l.suspects >= max(1, l.limits.Workers/2) || one.account.suspects >= max(1, l.limits.PerAccount/2) {
			return true
		}
		slots = 1
	case one.slow:
		slots = max(1, slots-1)
	}
	return one.sending >= slots || l.hosts[one.Host] >= l.limits.PerHost
}

func (one *lane) suspect() bool { return one.breaker.Failures > 0 }

// begin starts the lane's next step.
func (l *Lanes) begin(one *lane) step {
	s := step{Receiver: one.Receiver, suspect: one.suspect(), probe: one.breaker.Open()}
	switch {
	case len(one.urgent) > 0:
		s.id, one.urgent = one.urgent[0], one.urgent[1:]
	case len(one.ids) > 0:
		s.id, one.ids = one.ids[0], one.ids[1:]
	default:
		one.reading, one.due = true, time.Time{}
		s.except = maps.Clone(one.held)
		return s
	}
	one.held[s.id] = struct{}{}
	one.sending++
	one.account.busy++
	l.hosts[one.Host]++
	l.busy++
	if s.suspect {
		one.account.suspects++
		l.suspects++
	}
	l.arrange(one)
	return s
}

// read follows a step that read ids. more is when there is more than them; zero: never.
func (l *Lanes) read(s step, ids []string, more time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	one.reading = false
	one.ids = slices.DeleteFunc(ids, func(id string) bool {
		_, held := s.except[id]
		return held || slices.Contains(one.urgent, id)
	})
	if !more.IsZero() && (one.due.IsZero() || more.Before(one.due)) {
		one.due = more
	}
	l.arrange(one)
	l.dropIdle(one)
}

// answered gives the slot at the receiver back, before the attempt is recorded, and returns what it did to the breaker.
// nil says that no attempt was made.
func (l *Lanes) answered(s step, a *savepage.Attempt, now time.Time) Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	one.sending--
	if l.hosts[one.Host]--; l.hosts[one.Host] == 0 {
		delete(l.hosts, one.Host)
	}
	change := Unchanged
	if a != nil {
		one.slow = time.Duration(a.LatencyMS)*time.Millisecond >= slowAnswer
		switch judge(*a) {
		case saysAlive:
			change = one.breaker.answered()
		case saysFailing:
			change = one.breaker.failed(now, l.limits.ProbeWait, s.probe)
		case saysNothing:
		}
	}
	if change == Opened {
		l.opened++
	}
	l.arrange(one)
	return change
}

// recorded follows the commit of an attempt: no worker holds the delivery any more, and due again at next, if ever.
func (l *Lanes) recorded(s step, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	delete(one.held, s.id)
	one.account.busy--
	l.busy--
	if s.suspect {
		one.account.suspects--
		l.suspects--
	}
	if !next.IsZero() && (one.due.IsZero() || next.Before(one.due)) {
		one.due = next
	}
	l.arrange(one)
	l.dropIdle(one)
}

// dropIdle forgets a lane for which nothing is owed any more, its breaker included.
func (l *Lanes) dropIdle(one *lane) {
	if one.reading || len(one.held) > 0 || len(one.ids) > 0 || len(one.urgent) > 0 || !one.due.IsZero() {
		return
	}
	l.unschedule(one)
	if one.queued {
		one.account.ready = slices.DeleteFunc(one.account.ready, func(other *lane) bool { return other == one })
	}
	delete(l.lanes, one.Receiver)
	if one.account.lanes--; one.account.lanes > 0 {
		return
	}
	l.turns = slices.DeleteFunc(l.turns, func(t *accountLanes) bool { return t == one.account })
	delete(l.accounts, one.Account)
}
