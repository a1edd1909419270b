// Package health knows which parts of the service work: the database, the picture store, the browser, the machine itself. A
// part is sick from the first fault that is reported until a probe has succeeded; it is probed by itself, at growing
// intervals. Those who take work wait meanwhile. It refuses to know what a part is: a probe says whether it works.
package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/savepage/savepage/internal/clock"
)

// Part is the name of a part of the service, as logs, metrics and /readyz show it.
type Part string

// The parts.
const (
	Database Part = "database" // the records
	Pictures Part = "pictures" // the picture store
	Browser  Part = "browser"  // a browser that can be started, and its proxy
	Network  Part = "network"  // the operator's outbound proxy, where there is one
	Machine  Part = "machine"  // memory, open files, temporary files
)

// Fault is an error of a part: neither a page nor a client is the cause.
type Fault struct { //nolint:errname // a fault is more than an error: it names a part
	Part Part
	Err  error
}

// Error names the part.
func (f *Fault) Error() string { return string(f.Part) + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Of says that err is a fault of the part, unless it says so of another part already. Of nil it is nil.
func Of(part Part, err error) error {
	if err == nil {
		return nil
	}
	if _, is := Find(err); is {
		return err
	}
	return &Fault{Part: part, Err: err}
}

// Find returns the fault in err.
func Find(err error) (*Fault, bool) { return errors.AsType[*Fault](err) }

// Config is how parts are watched. A zero field means its default.
type Config struct {
	First  time.Duration // before the first probe of a sick part; 250 ms. Each further wait is twice as long
	Most   time.Duration // between two probes of a sick part; 5 s
	Fresh  time.Duration // how long a successful probe answers Check; 1 s
	Within time.Duration // for one probe; 10 s
	Clock  *clock.Clock  // nil: the machine's
	Log    *slog.Logger
}

// steady is how long a part works until its next fault counts as a new one. A part that fails again before is probed at the
// interval that it had come to.
const steady = time.Minute

// Board holds the state of all parts. A nil Board knows no parts: all is well. It is safe for concurrent use.
type Board struct {
	cfg   Config
	clock *clock.Clock

	mu      sync.Mutex
	parts   map[Part]*part
	changed chan struct{} // closed at the next change of any part
}

// State is how a part is.
type State struct {
	Part   Part
	Sick   bool
	Reason string    // why it is sick
	Since  time.Time // when it became sick
	Faults uint64    // how often it became sick
}

// part is one part. The board's lock guards it.
type part struct {
	State

	probe   func(context.Context) error
	worked  time.Time     // when a probe has last succeeded
	healed  time.Time     // when it last ceased to be sick
	delay   time.Duration // before the next probe
	next    time.Time     // when the next probe is due, while it is sick
	probing chan struct{} // closed when the probe under way has ended; nil without one
	last    error         // of the last probe
}

// NewBoard makes a board without parts.
func NewBoard(cfg Config) *Board {
	cfg.First = cmp.Or(cfg.First, 250*time.Millisecond)
	cfg.Most = cmp.Or(cfg.Most, 5*time.Second)
	cfg.Fresh = cmp.Or(cfg.Fresh, time.Second)
	cfg.Within = cmp.Or(cfg.Within, 10*time.Second)
	return &Board{cfg: cfg, clock: cfg.Clock.Or(), parts: map[Part]*part{}, changed: make(chan struct{})}
}

// Watch adds a part. probe is nil when the part works; its error is shown to anybody, without a path, and must hold no secret. Faults that
// are reported before their part is watched are dropped.
func (b *Board) Watch(name Part, probe func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts[name] = &part{State: State{Part: name}, probe: probe}
}

// Report makes the part sick whose fault err is. Other errors change nothing.
func (b *Board) Report(err error) {
	fault, is := Find(err)
	if b == nil || !is {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.parts[fault.Part]; p != nil && !p.Sick {
		b.sicken(p, fault.Err)
	}
}

// sicken makes a part sick. The board is locked.
func (b *Board) sicken(p *part, cause error) {
	now := b.clock.Now()
	p.delay = min(2*p.delay, b.cfg.Most)
	if p.delay == 0 || now.Sub(p.healed) > steady {
		p.delay = b.cfg.First
	}
	p.Sick, p.Reason, p.Since, p.next = true, shown(cause), now, now.Add(p.delay)
	p.Faults++
	b.cfg.Log.Error("a part of the service does not work: captures wait until it does", "part", string(p.Part), "error", cause)
	b.change()
}

// change wakes those who wait for a change. The board is locked.
func (b *Board) change() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// Run probes sick parts until ctx ends and no probe is under way.
func (b *Board) Run(ctx context.Context) {
	defer b.settle()
	timer := b.clock.NewTimer(b.cfg.Most)
	defer timer.Stop()
	for {
		due, next, changed := b.due()
		for _, p := range due {
			_ = b.try(ctx, p) // the part keeps what it found
		}
		if len(due) > 0 {
			continue
		}
		timer.ResetAt(next)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-changed:
		}
	}
}

// settle waits for the probes under way.
func (b *Board) settle() {
	b.mu.Lock()
	var probing []chan struct{}
	for _, p := range b.parts {
		if p.probing != nil {
			probing = append(probing, p.probing)
		}
	}
	b.mu.Unlock()
	for _, ended := range probing {
		<-ended
	}
}

// due returns the sick parts whose probe is due, and when the next one is.
func (b *Board) due() (due []*part, next time.Time, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	next = now.Add(b.cfg.Most)
	for _, p := range b.parts {
		switch {
		case !p.Sick:
		case p.next.After(now.Add(b.cfg.Most)): // the clock was set back
			p.next = now
			due = append(due, p)
		case !p.next.After(now):
			due = append(due, p)
		case p.next.Before(next):
			next = p.next
		}
	}
	return due, next, b.changed
}

// try probes a part, or waits for the probe under way, and returns what it found.
func (b *Board) try(ctx context.Context, p *part) error {
	b.mu.Lock()
	if p.probing == nil {
		p.probing = make(chan struct{})
		go b.probe(context.WithoutCancel(ctx), p)
	}
	ended := p.probing
	b.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("no answer yet: %w", ctx.Err())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return p.last
}

// shown is what of an error may be shown to anybody: no path of this machine and no address of its network.
func shown(err error) string {
	if at, is := errors.AsType[*fs.PathError](err); is {
		return at.Op + ": " + at.Err.Error()
	}
	if way, is := errors.AsType[*net.OpError](err); is {
		return way.Op + ": " + way.Err.Error() // without the address
	}
	return err.Error()
}

// probe asks a part whether it works. It is not cut off with who asked: others wait for the answer too.
func (b *Board) probe(ctx context.Context, p *part) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Within)
	defer cancel()
	err := p.probe(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	switch {
	case err == nil && p.Sick:
		b.cfg.Log.Info("a part of the service works again", "part", string(p.Part), "after", now.Sub(p.Since))
		p.Sick, p.Reason, p.healed = false, "", now
		b.change()
	case err != nil && p.Sick:
		p.Reason = shown(err)
		p.delay = min(2*p.delay, b.cfg.Most)
	case err != nil:
		b.sicken(p, err)
	}
	if err == nil {
		p.worked = now
	}
	p.next = now.Add(p.delay)
	p.last = err
	close(p.probing)
	p.probing = nil
}

// Check returns nil when a part works: after a probe that is not older than Config.Fresh. A sick part is not probed by it.
func (b *Board) Check(ctx context.Context, name Part) error {
	b.mu.Lock()
	p := b.parts[name]
	sick, reason, age := p.Sick, p.Reason, b.clock.Now().Sub(p.worked)
	b.mu.Unlock()
	if sick {
		return errors.New(reason)
	}
	if age >= 0 && age < b.cfg.Fresh {
		return nil
	}
	if err := b.try(ctx, p); err != nil {
		return errors.New(shown(err))
	}
	return nil
}

// Probe asks a part now, sick or not, and returns nil when it works. An unknown part works.
func (b *Board) Probe(ctx context.Context, name Part) error {
	b.mu.Lock()
	p := b.parts[name]
	b.mu.Unlock()
	if p == nil {
		return nil
	}
	return b.try(ctx, p)
}

// Await returns when all of the parts work, or all that there are when none is named; else with the error of ctx.
func (b *Board) Await(ctx context.Context, names ...Part) error {
	if b == nil {
		return ctx.Err()
	}
	for {
		well, changed := b.well(names)
		if well {
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Well reports whether every part works.
func (b *Board) Well() bool {
	if b == nil {
		return true
	}
	well, _ := b.well(nil)
	return well
}

func (b *Board) well(names []Part) (well bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, p := range b.parts {
		if p.Sick && (len(names) == 0 || slices.Contains(names, name)) {
			return false, b.changed
		}
	}
	return true, b.changed
}

// States returns how all parts are, by name.
func (b *Board) States() []State {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make([]State, 0, len(b.parts))
	for _, p := range b.parts {
		states = append(states, p.State)
	}
	slices.SortFunc(states, func(x, y State) int { return cmp.Compare(x.Part, y.Part) })
	return states
}
