package settle

import (
	_ "embed" // for the script
	"math"
	"time"
)

//go:embed timers.js
var timersScript string

// timers is what a page, or a worker of it, has still to do on its own.
type timers struct {
	Left    []float64 `json:"left"`    // milliseconds to each short timer; negative for one that is late
	Next    float64   `json:"next"`    // milliseconds to the next of the timers that follow from many; negative for none
	Later   int       `json:"later"`   // longer timers
	Late    []float64 `json:"late"`    // milliseconds to each of them that comes once, within ten seconds
	Beyond  bool      `json:"beyond"`  // a shared worker or a lasting connection may do more
	Frame   int       `json:"frame"`   // a script asks for the next frame, after so many that it asked for before; or -1
	Workers []made    `json:"workers"` // that it has made
	Said    int       `json:"said"`    // messages of a worker to who has made it
	Heard   int       `json:"heard"`   // messages from there
	Ran     float64   `json:"ran"`     // milliseconds since the function of a timer, or of a frame, has last ended; negative for none
	Silence float64   `json:"silence"` // milliseconds since the last message to or from a worker, chatter apart; negative for none
}

// made is a worker that the page, or another worker, has made. It may not have begun.
type made struct {
	URL   string  `json:"url"`
	Age   float64 `json:"age"`   // milliseconds
	Told  int     `json:"told"`  // messages to it
	Heard int     `json:"heard"` // messages from it
}

const (
	// frame is how long it takes at most, on a machine that keeps up, until a change is seen.
	frame = 20 * time.Millisecond
	// maxLate is how long a timer is waited for that does not come.
	maxLate = 5 * time.Second
	// single is how many frames in a row are still work that ends. starting is how many a script may ask for before it moves
	// something: a second's.
	single   = 4
	starting = 60
)

// calm is how long nothing must change for the page to count as settled. A page whose timers are known needs less.
func (t *timers) calm() time.Duration {
	switch {
	case t == nil:
		return calm
	case t.Beyond:
		return idle
	case len(t.Workers) > 0:
		return calm
	default:
		return brief
	}
}

// missing is the time until everything that is under way has ended: timers, and frames of a script that has just begun. Timers
// are waited for that are due before nothing has come of the network, and nothing has moved, for as long as networkidle
// wants, which would still see what they do; on a busy machine they may be late.
func (t *timers) missing(quiet time.Duration) time.Duration {
	if t == nil {
		return 0
	}
	var rest time.Duration
	for _, ms := range t.Left {
		if left := milli(ms) + frame; quiet+left <= idle && quiet < maxLate {
			rest = max(rest, left, frame)
		}
	}
	if n := t.Frame; quiet < 3*idle && n >= 0 && n < starting {
		rest = max(rest, 2*frame)
	}
	return rest
}

// timerless is since when no timer of a page has run that answered at a time. It is zero when that is not known.
func (t *timers) timerless(answered time.Time) time.Time {
	switch {
	case t == nil:
		return time.Time{}
	case t.Ran < 0:
		return time.Unix(0, 0)
	default:
		return answered.Add(-milli(t.Ran))
	}
}

// busy reports whether a script of the page has something left to do.
func (t *timers) busy() bool { return t != nil && (len(t.Left) > 0 || t.Frame >= 0) }

// silence is how long nothing has gone between the page and its workers.
func (t *timers) silence() time.Duration {
	if t == nil || t.Silence < 0 {
		return math.MaxInt64
	}
	return milli(t.Silence)
}

// milli is a duration from the milliseconds of a script.
func milli(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
