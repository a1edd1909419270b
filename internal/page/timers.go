package page

import (
	"crypto/rand"
	_ "embed" // for the script
	"fmt"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
)

//go:embed timers.js
var timersScript string

// timers is what a page has still to do on its own.
type timers struct {
	Left   []float64 `json:"left"`   // milliseconds to each short timer
	Beyond bool      `json:"beyond"` // a worker or a lasting connection may do more
	Heard  float64   `json:"heard"`  // milliseconds for which a new worker that has said nothing yet is still waited for
	Frame  int       `json:"frame"`  // a script asks for the next frame, after so many that it asked for before; or -1
}

const (
	// frame is how long it takes at most, on a machine that keeps up, until a change is seen.
	frame = 20 * time.Millisecond
	// single is how many frames in a row are still work that ends, and tween how many are when they change the page.
	single = 4
	tween  = 45
)

// followTimers has each new document note its short timers. Only the world beside the page knows how to ask for them.
func (j *job) followTimers() {
	j.token = rand.Text()
	j.send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(%q)", timersScript, j.token),
	})
}

// calm is how long nothing must change for the page to count as settled. A page whose timers are known needs less.
func (t *timers) calm() time.Duration {
	switch {
	case t == nil:
		return calm
	case t.Beyond:
		return idle
	default:
		return brief
	}
}

// missing is the time until what is under way has ended: timers, and changes from frame to frame as of a picture that is
// faded in. Timers are not waited for longer than until the network has been quiet for as long as networkidle wants, which
// would still see what they do.
func (l *look) missing(quiet time.Duration) time.Duration {
	if l.Timers == nil || quiet >= 3*idle {
		return 0
	}
	longest := time.Duration(max(l.Timers.Heard, 0) * float64(time.Millisecond))
	for _, ms := range l.Timers.Left {
		left := time.Duration(max(ms, 0)*float64(time.Millisecond)) + frame
		if quiet+left <= idle {
			longest = max(longest, left)
		}
	}
	moved := time.Duration(l.Moved * float64(time.Millisecond))
	if n := l.Timers.Frame; n >= 0 && (n < single || n < tween && moved < idle) {
		longest = max(longest, 2*frame)
	}
	return longest
}
