package ledger

import (
	"container/heap"
	"maps"
	"slices"
	"time"
)

// step is what the dispatcher does next: read the ids of a receiver's due deliveries, or send one.
type step struct {
	Receiver
	kind   Kind
	id     string              // of the one to send; empty: read
	except map[string]struct{} // when reading: a worker holds them
	urgent bool                // it was asked for
	probe  bool                // it tries whether the receiver is back
	class  standing            // of the receiver when it began
}

// take returns the next step that may be done now, or how long to wait for one; a negative wait is for ever.
func (l *Lanes) take(now time.Time) (step, time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit(now)
	for range len(l.turns) {
		t := l.turns[0]
		l.turns = append(l.turns[1:], t)
		if one := l.turn(t, now); one != nil {
			return l.begin(one, now), 0, true
		}
		if t.waiting() == 0 {
			t.inTurns = false
			l.turns = l.turns[:len(l.turns)-1]
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
		one.queued, one.class = true, one.standing()
		one.account.ready[one.class] = append(one.account.ready[one.class], one)
		if !one.account.inTurns {
			one.account.inTurns = true
			l.turns = append(l.turns, one.account)
		}
	}
}

// waiting counts the lanes that may have something due.
func (t *accountLanes) waiting() (n int) {
	for _, ready := range t.ready {
		n += len(ready)
	}
	return n
}

// turn returns the account's next lane that may do something, and takes it off the ready ones. Receivers take turns by what
// is known of them: a thousand that nobody has heard of stand before none that is prompt.
func (l *Lanes) turn(t *accountLanes, now time.Time) *lane {
	for range standings {
		class := t.turn
		t.turn = (t.turn + 1) % standings
		if !l.hasRoom(t, class) {
			continue
		}
		if one := l.first(t, class, now); one != nil {
			return one
		}
	}
	return nil
}

// first returns the first lane of a class that may do something.
func (l *Lanes) first(t *accountLanes, class standing, now time.Time) *lane {
	for range len(t.ready[class]) {
		one := t.ready[class][0]
		t.ready[class] = t.ready[class][1:]
		at, can := one.next()
		switch {
		case !can || at.After(now):
			one.queued = false
			l.arrange(one)
		case l.hosts[one.Host] >= l.limits.PerHost || l.shut[one.Host]:
			t.ready[class] = append(t.ready[class], one)
		default:
			one.queued = false
			return one
		}
	}
	return nil
}

// hasRoom reports whether the account may have one more on its way to receivers of a class: as many as places are free, and
// half of that to receivers that fail. So an account alone may fill half of all places with receivers that hang, several
// divide them, and there is always room for the next account and for receivers that are known to be prompt.
func (l *Lanes) hasRoom(t *accountLanes, class standing) bool {
	if class != prompt && l.loading >= loadedAtOnce {
		return false
	}
	busy, free := t.busy[class], l.limits.Workers-l.busy
	if class == failing {
		busy *= 2
	}
	return busy < free
}

// begin starts the lane's next step.
func (l *Lanes) begin(one *lane, now time.Time) step {
	s := step{Receiver: one.Receiver, class: one.standing(), kind: Tried}
	if len(one.urgent) > 0 && one.sending < one.limit {
		s.id, one.urgent = one.urgent[0], one.urgent[1:]
		s.urgent, s.probe = true, one.breaker.Open()
		l.send(one, s)
		return s
	}
	s.kind = one.kind(now)
	from := &one.shelves[s.kind]
	if len(from.ids) == 0 {
		from.reading, from.due = true, time.Time{}
		s.except = maps.Clone(one.held)
		return s
	}
	s.id, from.ids = from.ids[0], from.ids[1:]
	s.probe = one.probes(s.kind)
	if one.inRow++; s.kind == Tried {
		one.inRow = 0
	}
	from.sending++
	l.send(one, s)
	return s
}

func (l *Lanes) send(one *lane, s step) {
	one.held[s.id] = struct{}{}
	one.sending++
	one.account.busy[s.class]++
	l.hosts[one.Host]++
	l.busy++
	if s.class != prompt {
		l.loading++
	}
	l.arrange(one)
}

// loaded follows the reading of a delivery that is to be sent.
func (l *Lanes) loaded(s step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.class != prompt {
		l.loading--
		l.ring()
	}
}

// read follows a step that read ids. more is when there is more than them; zero: never.
func (l *Lanes) read(s step, ids []string, more time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	from := &one.shelves[s.kind]
	from.reading = false
	from.ids = slices.DeleteFunc(ids, func(id string) bool {
		_, held := s.except[id]
		return held || slices.Contains(one.urgent, id)
	})
	if !more.IsZero() {
		from.note(more)
	}
	l.arrange(one)
	l.dropIdle(one)
}

// answered gives the slot at the receiver back, before the attempt is recorded, and returns what it did to the breaker.
// nil says that no attempt was made.
func (l *Lanes) answered(s step, sent *Sent, now time.Time) Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	one.sending--
	if !s.urgent {
		one.shelves[s.kind].sending--
	}
	if l.hosts[one.Host]--; l.hosts[one.Host] == 0 {
		delete(l.hosts, one.Host)
	}
	change := Unchanged
	if sent != nil {
		change = l.learn(one, s, *sent, now)
	}
	if change == Opened {
		l.opened++
	}
	l.arrange(one)
	return change
}

// learn has an attempt tell about its receiver. One that failed before, while the receiver has taken others since, tells
// about itself only.
func (l *Lanes) learn(one *lane, s step, sent Sent, now time.Time) (change Change) {
	said := judge(sent.Attempt)
	slow := time.Duration(sent.Attempt.LatencyMS)*time.Millisecond >= slowAnswer
	switch said {
	case saysAlive:
		change = one.breaker.answered()
		one.freshAt, one.aliveAt = time.Time{}, now
	case saysRefused, saysAway:
		if !s.probe && !sent.Before.IsZero() && sent.Before.Before(one.aliveAt) {
			return Unchanged
		}
		change = one.breaker.failed(now, l.limits.ProbeWait, said, s.probe)
		one.freshAt = now.Add(one.breaker.pause())
	case saysNothing:
		return Unchanged
	}
	one.slow, one.known = slow, said != saysAway && !slow
	l.prompt.note(one.Receiver, one.standing() == prompt)
	l.requeue(one)
	return change
}

// requeue moves a lane that is ready and is not of its class any more.
func (l *Lanes) requeue(one *lane) {
	if !one.queued || one.class == one.standing() {
		return
	}
	l.unqueue(one)
	one.class = one.standing()
	one.account.ready[one.class] = append(one.account.ready[one.class], one)
}

func (l *Lanes) unqueue(one *lane) {
	ready := &one.account.ready[one.class]
	*ready = slices.DeleteFunc(*ready, func(other *lane) bool { return other == one })
}

// recorded follows the commit of an attempt: no worker holds the delivery any more, and it is due again at next, if ever. One
// that was asked for meanwhile is sent at once, unless the attempt was that one already: then it is due later, or has ended.
func (l *Lanes) recorded(s step, next, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.lane(s.Receiver)
	delete(one.held, s.id)
	one.account.busy[s.class]--
	l.busy--
	if !next.IsZero() {
		one.shelves[Tried].note(next)
	}
	if _, asked := one.again[s.id]; asked {
		delete(one.again, s.id)
		if !next.After(now) {
			l.urge(one, s.id)
		}
	}
	l.arrange(one)
	l.dropIdle(one)
}

// dropIdle forgets a lane for which nothing is owed any more, its breaker included.
func (l *Lanes) dropIdle(one *lane) {
	if !one.idle() {
		return
	}
	l.unschedule(one)
	if one.queued {
		l.unqueue(one)
	}
	delete(l.lanes, one.Receiver)
	if one.account.lanes--; one.account.lanes > 0 {
		return
	}
	l.turns = slices.DeleteFunc(l.turns, func(t *accountLanes) bool { return t == one.account })
	delete(l.accounts, one.Account)
}
