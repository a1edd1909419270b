// Package witness looks at the page in the moment in which its picture is taken, and says what a person would miss there:
// pictures that have not come, animations under way, parts that have their room and show nothing. It knows nothing of the
// parts that should have brought these about and changes nothing.
package witness

import (
	"context"
	_ "embed" // for the script
	"strings"
	"time"

	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/settle"
)

//go:embed witness.js
var witnessScript string

const (
	slack = time.Second // for which the page may be watched, for what moves
	// What may pass by itself is looked at again, so that the end of it is not taken for something unfinished.
	looks = 4
	again = 120 * time.Millisecond
	// Pictures that are coming are looked at so often, while no more time than this passes without anything of the network.
	patience = 30
	alive    = time.Second
)

// Asker calls a function of a script that runs beside the page; the text of the script stands before its name.
type Asker interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
}

// Network says what the page asks of the network.
type Network interface {
	Waiting() int         // open requests that are work
	Quiet() time.Duration // since the last event of one
	Open(n int) []string  // their names, oldest first
}

// Rest says what the page has left to do.
type Rest interface {
	Token() string    // the event that the page's timers answer to; empty when they are not followed
	Moving() []string // names of what moves without an end
	// IsDue reports whether a page that has said this now is about to do something that belongs to what it shows.
	IsDue(ctx context.Context, said settle.Due) (bool, error)
}

// Notes keeps why a picture is partial.
type Notes interface {
	Partial(format string, args ...any)
}

// Of is what the picture is to show.
type Of struct {
	Whole bool // more than the window
	Long  bool // the whole page
	Paper bool // a print of it
}

// Witness looks at one page.
type Witness struct {
	Page    Asker
	Network Network
	Rest    Rest
	Notes   Notes
	Sleep   func(ctx context.Context, d time.Duration) error
	Stands  bool // the page is to stand still
	Timed   bool // the page has a clock of its own: it can not be watched
	Of

	cut     bool
	hurried bool // the page was about to do something when it left its end
}

// Cut reports whether a part of the page that scrolls is not in the picture in its whole length.
func (w *Witness) Cut() bool { return w.cut }

// Begin has the page note how far down the window goes from now on, and what is seen there.
func (w *Witness) Begin(ctx context.Context) error {
	return w.Page.Ask(ctx, 0, nil, witnessScript+"savepageWitness.begin")
}

// Leave has noted, before the window leaves the end of the page, whether the page was about to do something there: more of it
// comes while one stays.
func (w *Witness) Leave(ctx context.Context) error {
	said := settle.Due{}
	err := w.Page.Ask(ctx, 0, &said, witnessScript+"savepageWitness.plans", w.Rest.Token())
	if err == nil {
		w.hurried, err = w.Rest.IsDue(ctx, said)
	}
	return err
}

// Remember is the function of a script that has the page note what the window shows now.
func Remember() string { return witnessScript + "savepageWitness.remember" }

// sight is what the page shows, or does not.
type sight struct {
	Pictures int  `json:"pictures"` // that are coming, or have not been asked for
	Moves    int  `json:"moves"`    // animations that run
	Restless int  `json:"restless"` // videos, running texts and the like
	Changing int  `json:"changing"` // elements that scripts are moving
	Hidden   int  `json:"hidden"`   // parts that have their room and show nothing
	Missing  int  `json:"missing"`  // parts that were seen and are not any more
	Frames   int  `json:"frames"`   // of other origins, of which no picture was kept
	Cut      bool `json:"cut"`      // a part that scrolls in place of the page
	Loading  bool `json:"loading"`  // the page says so
	Unseen   bool `json:"unseen"`   // the window has not been at the end of the area
	Longer   bool `json:"longer"`   // the page goes on below the area
	Changed  int  `json:"changed"`  // parts that have changed since it was first looked at

	settle.Due
}

// passing reports whether something was seen that may pass by itself.
func (s *sight) passing() bool { return s.Loading || s.Pictures+s.Moves+s.Restless+s.Changing > 0 }

// Look notes what is missing in an area of the page. left says that more of the page follows, which is left out.
func (w *Witness) Look(ctx context.Context, area layout.Area, left bool) error {
	is, due, err := w.see(ctx, area)
	if err != nil {
		return err
	}
	w.cut = is.Cut
	if (w.hurried || is.Longer) && !left {
		w.Notes.Partial("the page was not yet as long as it will be")
	}
	w.count(is.Pictures, "pictures that have not come: %d")
	w.count(is.Moves, "animations that have not ended: %d")
	w.count(is.Restless+is.Changing, "parts of the page that are moving: %d")
	w.count(is.Hidden, "parts of the page that are still hidden: %d")
	w.count(is.Missing, "parts of the page that were seen by scrolling and are hidden again: %d")
	w.count(is.Frames, "frames of other sites that may be empty: %d")
	if is.Loading && !left {
		w.Notes.Partial("the page says that it is loading")
	}
	if is.Unseen && !left {
		w.Notes.Partial("the page was not scrolled to its end")
	}
	if due {
		w.Notes.Partial("the page was about to change")
	}
	if open := w.Network.Open(3); w.Network.Waiting() > 0 && len(open) > 0 {
		w.Notes.Partial("requests did not end: %s", strings.Join(open, ", "))
	}
	return nil
}

// Question is what Look asks of an area.
func (w *Witness) Question(area layout.Area) session.Question {
	of := struct {
		layout.Area
		Of
	}{area, w.Of}
	asked := map[string]any{"token": w.Rest.Token(), "known": w.Timed || len(w.Rest.Moving()) > 0, "stands": w.Stands}
	return session.Question{Script: witnessScript, Function: "savepageWitness.look", Args: []any{of, asked}, Nothing: "{}"}
}

// see looks until nothing is seen any more that may pass by itself, a few times at most.
func (w *Witness) see(ctx context.Context, area layout.Area) (is sight, due bool, err error) {
	q := w.Question(area)
	for n, before := 1, false; ; n++ {
		is = sight{}
		if err = w.Page.Ask(ctx, slack, &is, q.Script+q.Function, q.Args...); err != nil {
			return is, due, err
		}
		if due, err = w.Rest.IsDue(ctx, is.Due); err != nil {
			return is, due, err
		}
		if !is.passing() && !due && w.Network.Waiting() == 0 || n >= looks && !w.arriving(n, is.Pictures) {
			return is, due || before && is.Changed > 0, nil
		}
		before = before || due // what was due and has come may have come too late for what was done before
		if err = w.Sleep(ctx, again); err != nil {
			return is, due, err
		}
	}
}

// arriving reports whether pictures are on their way, after so many looks: as long as something comes, the end of it is not far.
func (w *Witness) arriving(n, pictures int) bool {
	return pictures > 0 && n < patience && w.Network.Waiting() > 0 && w.Network.Quiet() < alive
}

// count notes what there should be none of.
func (w *Witness) count(n int, reason string) {
	if n > 0 {
		w.Notes.Partial(reason, n)
	}
}
