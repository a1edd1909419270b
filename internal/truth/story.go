package truth

import (
	"github.com/savepage/savepage"
)

// story is one page in several views. What is true of the whole page is true of every view, as far as that reaches. The pages
// are laid out so that what is looked at in the leftmost 390 pixels stands in the same place on a phone.
type story struct {
	name   string
	path   string // below /built/
	height int    // of the whole page in CSS pixels; 0: nobody looks
	checks []Check
	words  []string // of which a print has each once

	shown  view // the views that show the page as it should be, beside the whole page
	always view // those of them that every run of the tests renders; the others are for a run of all
	c      Case // the rest: options, what the report says, Same
}

// view is a set of ways to show a page.
type view int

const (
	inWindow view = 1 << iota // no more than the window
	moving                    // the whole page, animations: allow
	onPhone                   // the whole page in a phone's window
	onPaper                   // a print
	anyView  = inWindow | moving | onPhone
)

// phone is the device of the views on phones, and phoneWidth its window in CSS pixels.
const (
	phone      = "iPhone 15"
	phoneWidth = 393
)

// cases are the views of a story as cases of the suite.
func (s story) cases(all bool) []Case {
	whole := s.c
	whole.Name, whole.Path, whole.Options.Fullpage = s.name, "/built/"+s.path, true
	whole.Checks = s.checks
	if s.height > 0 {
		whole.Checks = append([]Check{Size(max(whole.Options.Width, 1440), s.height)}, s.checks...)
	}
	cases := []Case{whole}
	asked := s.always
	if all {
		asked = s.shown
	}
	for _, v := range []view{inWindow, moving, onPhone, onPaper} {
		if asked&v != 0 {
			cases = append(cases, s.in(v))
		}
	}
	return cases
}

// in is one view as a case.
func (s story) in(v view) Case {
	c := s.c
	c.Path, c.Same = "/built/"+s.path, 0
	switch v {
	case inWindow:
		c.Name = s.name + ", the window"
		c.Checks = append([]Check{Size(1440, 900)}, s.reach(1440, 900)...)
	case moving:
		c.Name = s.name + ", moving"
		c.Options.Fullpage, c.Options.Animations = true, savepage.AnimationsAllow
		c.Checks = s.checks
	case onPhone:
		c.Name = s.name + ", on a phone"
		c.Options.Fullpage, c.Options.Device = true, phone
		c.Checks = s.reach(phoneWidth, 1<<20)
	case onPaper:
		c.Name = s.name + ", printed"
		c.Options.Format = savepage.FormatPDF
		c.Checks = []Check{Words(s.words...)}
	case anyView: // a set of them
	}
	return c
}

// reach are the checks of a part of the page, from its top left on.
func (s story) reach(width, height int) []Check {
	var checks []Check
	for _, c := range s.checks {
		if c.At.within(width, height) {
			checks = append(checks, c)
		}
	}
	return checks
}

// told makes cases of stories.
func told(stories []story, all bool) []Case {
	var cases []Case
	for _, s := range stories {
		cases = append(cases, s.cases(all)...)
	}
	return cases
}
