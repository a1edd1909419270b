package page

import (
	"context"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/shot"
)

// wholePage is more CSS pixels than a page has.
const wholePage = 1 << 30

// freeze brings the page to rest when the options say so, once before the area is chosen and once after, when that is more
// than the window, or is printed. A page that is shown as it is when its time is over, and does not answer, is shown as it moves.
func (j *job) freeze(ctx context.Context) error {
	switch {
	case j.o.Animations == savepage.AnimationsAllow, j.frame.area.Viewport && !j.o.Format.Info().Paged:
		return nil
	case j.budget.PastDeadline():
		asking, stop := context.WithTimeout(ctx, j.budget.Brief())
		defer stop()
		_ = j.still.Freeze(asking)
		return ctx.Err()
	default:
		limited, done := j.until(ctx, untilDeadline)
		return done(j.still.Freeze(limited))
	}
}

// hold has a frozen page begin nothing more, if anything waits to.
func (j *job) hold(ctx context.Context) error {
	event := j.waiter.Holder()
	if event == "" || j.o.Animations == savepage.AnimationsAllow || j.budget.PastDeadline() {
		return nil
	}
	return j.still.Hold(ctx, event)
}

// shoot makes the picture of the area that was chosen.
func (j *job) shoot(ctx context.Context) (err error) {
	if err := j.frame.testify(ctx); err != nil {
		return err
	}
	if err := j.hold(ctx); err != nil {
		return err
	}
	if j.o.Format.Info().Paged {
		return j.print(ctx)
	}
	j.notes.Await("the browser to draw the picture")
	var filtered []string
	for _, e := range j.tab.Identity().Events() {
		if e.Kind == guard.Filtered {
			filtered = append(filtered, e.Host)
		}
	}
	if err := j.block.HideUndrawn(ctx, j.beside, filtered); err != nil {
		return err
	}
	if j.waiter.Moved() {
		j.camera.Repaint()
	}
	deafen(ctx, j)
	err = j.camera.Take(ctx, j.frame.area)
	j.picture = j.camera.Picture()
	if err != nil {
		return err
	}
	j.fonts = j.camera.MissingGlyphs(ctx)
	return j.broken()
}

// deafen keeps from the page that its window has a new size while more than the window is drawn. A page that does not hear it may
// draw itself anew, no more.
func deafen(ctx context.Context, j *job) {
	if token := j.waiter.Token(); token != "" && !j.frame.area.Viewport && !j.budget.PastDeadline() && !j.beside.Disabled() {
		_ = j.still.Deafen(ctx, token+"-")
	}
}

// testify notes what a person would miss in the picture that is about to be taken. Whoever asks for an early moment of the page
// misses nothing, and a page that is shown as it is when its time is over has had its say.
func (f *frame) testify(ctx context.Context) error {
	if !rests(f.o) || f.budget.PastDeadline() || f.beside.Disabled() {
		return nil
	}
	area := f.area
	if f.o.Format.Info().Paged {
		area = layout.Area{Width: wholePage, Height: wholePage}
	}
	_ = f.witness.Look(ctx, area, f.cut || f.whole.Cut()) // a page that does not answer any more has been found out by others
	if late, _ := f.banners.Late(ctx); late {
		f.notes.Partial("something like a cookie banner came last")
	}
	return ctx.Err()
}

// print makes a PDF of the whole page.
func (j *job) print(ctx context.Context) error {
	made, err := j.printer.Print(ctx)
	j.picture, j.pages = shot.Picture{Bytes: made.Bytes, Large: made.Large, Width: made.Width, Height: made.Height}, made.Pages
	if err != nil {
		return err
	}
	return j.broken()
}
