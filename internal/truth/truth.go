// Package truth says what must be in the pictures of the test site's pages, and looks whether it is: bands row by row,
// colours at known places, pictures that must have come, ink where text stands, and what the report admits. It renders
// nothing itself and knows of the service only the options and the report.
package truth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/testsite"
)

// Case is one page with what must be in its picture. Unless the case says otherwise the capture succeeds, and its report
// calls it neither blank nor partial nor truncated.
type Case struct {
	Name    string           // a few words in lower case, used once
	Path    string           // of the page on the test site, with its query; empty when Options has a URL or HTML
	Options savepage.Options // without the URL
	Checks  []Check

	Blank     bool          // the report calls the picture blank
	Truncated bool          // the report says that the page is taller than the picture
	Partial   string        // part of a reason that the report gives for a partial picture
	Wall      savepage.Wall // that the report names; none where it is empty
	Fails     savepage.Code // the capture fails with this code
	Same      int           // so many more shots have the same bytes
	Heavy     bool          // joins large pictures, which takes seconds: of no use to a comparison of ways to wait
}

// Check is one thing that must be true of a picture.
type Check struct {
	Says string // what must be true, for the table
	At   Box    // the part of the page that is looked at; empty for all of it, or for the report
	Look func(*Picture) error

	told bool // it is about the report
}

// Cases are the pages of the suite, on a running test site, in the views that say something; All are all views of them.
func Cases(site *testsite.Site) []Case { return cases(site, false) }

// All are the pages of the suite in every view.
func All(site *testsite.Site) []Case { return cases(site, true) }

func cases(site *testsite.Site, all bool) []Case {
	return slices.Concat(
		fullPages(),
		revealed(),
		unfolded(),
		backdrops(),
		settling(),
		texts(),
		parts(),
		asked(site),
		dressed(),
		late(),
		verdicts(),
		reports(),
		clean(),
		still(),
		virtuals(),
		motions(),
		built(all),
	)
}

// patience is the timeout of a case without one, in milliseconds: what is looked at is the picture, on any machine.
const patience = 120_000

// Outcome is what became of one case.
type Outcome struct {
	Case   Case
	Faults []string // what is not true; empty when all is well
	Took   time.Duration
	Shot   capture.Shot // the last one
}

// Says is what the case asks for, in one line.
func (c Case) Says() string {
	var parts []string
	if c.Fails != "" {
		parts = append(parts, "fails with "+string(c.Fails))
	}
	for _, check := range c.Checks {
		parts = append(parts, check.Says)
	}
	for _, told := range []struct {
		is   bool
		says string
	}{{c.Blank, "is called blank"}, {c.Truncated, "is called truncated"}, {c.Partial != "", "is called partial"}} {
		if told.is {
			parts = append(parts, told.says)
		}
	}
	if c.Same > 0 {
		parts = append(parts, fmt.Sprintf("%d shots alike", c.Same+1))
	}
	if len(parts) == 0 {
		parts = append(parts, "is not called blank, truncated or partial")
	}
	return strings.Join(parts, "; ")
}

// Run renders the case and looks at what came.
func Run(ctx context.Context, r capture.Renderer, site *testsite.Site, c Case) Outcome {
	o := c.Options
	if c.Path != "" {
		o.URL = site.URL + c.Path
	}
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	out := Outcome{Case: c}
	began := time.Now()
	shot, err := r.Render(ctx, o)
	if err == nil && shot.Large != nil {
		shot.Bytes, err = io.ReadAll(shot.Large)
		err = errors.Join(err, shot.Close())
	}
	out.Took, out.Shot = time.Since(began), shot
	if err != nil || c.Fails != "" {
		out.Faults = failure(c, err)
		return out
	}
	out.Faults = judge(c, o, shot)
	for range c.Same {
		again, err := r.Render(ctx, o)
		switch {
		case err != nil:
			out.Faults = append(out.Faults, "another shot: "+err.Error())
		case !bytes.Equal(shot.Bytes, again.Bytes) && (len(shot.Report.Moving) == 0 || len(again.Report.Moving) == 0):
			out.Faults = append(out.Faults, "another shot has other bytes"+where(o, shot, again))
		}
	}
	return out
}

// where says in which part of the page two pictures differ.
func where(o savepage.Options, a, b capture.Shot) string {
	p, err := open(o, a)
	q, other := open(o, b)
	if err != nil || other != nil || p.img == nil || q.img == nil || a.Height != b.Height || a.Width != b.Width {
		return ""
	}
	var box image.Rectangle
	for y := range a.Height {
		for x := range a.Width {
			if p.pixel(x, y) != q.pixel(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return fmt.Sprintf(" at %v: %v is %v", box, p.pixel(box.Min.X, box.Min.Y), q.pixel(box.Min.X, box.Min.Y))
}

func failure(c Case, err error) []string {
	if c.Fails == "" {
		return []string{err.Error()}
	}
	if told, is := errors.AsType[*savepage.Error](err); is && told.Code == c.Fails {
		return nil
	}
	return []string{fmt.Sprintf("ends with %v, want %s", err, c.Fails)}
}

// judge looks at the picture and the report.
func judge(c Case, o savepage.Options, shot capture.Shot) []string {
	p, err := open(o, shot)
	if err != nil {
		return []string{err.Error()}
	}
	faults := c.honest(shot.Report)
	for _, check := range c.Checks {
		if err := check.Look(p); err != nil {
			faults = append(faults, check.Says+": "+err.Error())
		}
	}
	return faults
}

// Wrong says what is not true of a picture, whoever made it and whatever a report says.
func (c Case) Wrong(shot capture.Shot) []string {
	p, err := open(c.Options, shot)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, check := range c.Checks {
		if check.told {
			continue
		}
		if err := check.Look(p); err != nil {
			faults = append(faults, check.Says+": "+err.Error())
		}
	}
	return faults
}

// Seen reports whether the picture alone can be wrong, without its report.
func (c Case) Seen() bool {
	return slices.ContainsFunc(c.Checks, func(check Check) bool { return !check.told })
}

// honest compares how far the report trusts the picture with how far it may.
func (c Case) honest(r savepage.Report) []string {
	var faults []string
	if r.Blank != c.Blank {
		faults = append(faults, fmt.Sprintf("report.blank is %v", r.Blank))
	}
	if r.Truncated != c.Truncated {
		faults = append(faults, fmt.Sprintf("report.truncated is %v", r.Truncated))
	}
	if got, want := cmp.Or(r.Wall, savepage.WallNone), cmp.Or(c.Wall, savepage.WallNone); got != want {
		faults = append(faults, fmt.Sprintf("report.wall is %s (%s)", got, strings.Join(r.WallSigns, "; ")))
	}
	reasons := strings.Join(r.Reasons, "; ")
	if r.Partial != (c.Partial != "") || !strings.Contains(reasons, c.Partial) {
		faults = append(faults, fmt.Sprintf("report.partial is %v (%s)", r.Partial, reasons))
	}
	return faults
}
