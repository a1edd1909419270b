package page

import (
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/page/address"
	"github.com/savepage/savepage/internal/page/note"
)

const (
	maxTitle   = 512 // characters
	maxReasons = 10
)

// shot is the result of the render.
func (j *job) shot() capture.Shot {
	p, phases := j.picture, j.phases()
	// Tiles that were joined and looked at while the browser was idle are no part of the shot.
	phases.Shoot = max(0, phases.Shoot-phases.Encode)
	return capture.Shot{
		Bytes: p.Bytes, Large: p.Large, Width: p.Width, Height: p.Height, Report: j.report(), Loaded: true, Phases: phases,
		PastDeadline: j.budget.PastDeadline(),
	}
}

// failed is the result of a render that has failed: what is known of the page.
func (j *job) failed() capture.Shot {
	if j.picture.Large != nil {
		_ = j.picture.Large.Close()
	}
	return capture.Shot{Report: j.report(), Loaded: j.arrived, Phases: j.phases()}
}

// phases is how long each phase has taken.
func (j *job) phases() savepage.Phases {
	return savepage.Phases{
		Navigate: j.spent[capture.PhaseNavigate].Milliseconds(), Settle: j.spent[capture.PhaseSettle].Milliseconds(),
		Shoot: j.spent[capture.PhaseShoot].Milliseconds(), Encode: j.picture.Encode.Milliseconds(),
	}
}

// report says how far the picture can be trusted, from what is known now.
func (j *job) report() savepage.Report {
	unfollowed := j.tab.Session().Dropped(asked)
	if unfollowed > 0 {
		j.notes.Partial("requests beyond the first %d, or with an address of more than a megabyte, were not followed", maxRequests)
	}
	seen, reasons := j.waiter.Seen(), j.notes.Reasons()
	said, dialogs := j.console.report()
	r := savepage.Report{
		HTTPStatus:   j.main.Status(),
		FinalURL:     seen.URL,
		Title:        note.Clean(seen.Title, maxTitle),
		Blank:        j.picture.Blank,
		Partial:      len(reasons) > 0,
		Reasons:      reasons[:min(len(reasons), maxReasons)],
		Truncated:    j.frame.cut || j.whole.Cut() || j.witness.Cut(),
		Moving:       j.waiter.Moving(),
		Wall:         j.reader.wall.Wall,
		WallSigns:    j.reader.wall.Signs,
		Pages:        j.pages,
		Requests:     j.requests.Report(j.tab.Identity().Events()),
		Console:      said,
		Dialogs:      dialogs,
		Fonts:        j.fonts,
		CookieBanner: j.banners.Result(),
		Backdrop:     j.whole.Backdrop(),
	}
	r.Requests.Total += unfollowed
	if r.FinalURL == "" && j.arrived {
		r.FinalURL = j.main.URL()
	}
	if len(r.FinalURL) > savepage.MaxURLBytes {
		r.FinalURL = address.Named(r.FinalURL)
	}
	if j.o.HTML != "" && (strings.HasPrefix(r.FinalURL, address.HTMLOrigin) || r.FinalURL == j.to.URL) {
		r.FinalURL = ""
	}
	return r
}
