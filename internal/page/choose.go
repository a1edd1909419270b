package page

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/layout"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/session"
)

// frame is the part of the page that is shown.
type frame struct {
	*parts
	area   layout.Area
	cut    bool // the page ends before the part that is asked for
	chosen bool // and nothing has happened since
}

// choose chooses the area of the page that the options ask for, and has it loaded, if it is not chosen.
func (f *frame) choose(ctx context.Context) (err error) {
	if f.chosen {
		return nil
	}
	f.chosen = true
	switch {
	case f.o.Format.Info().Paged:
		f.notes.Await("pictures further down the page")
		f.area = f.window()
		if !f.budget.PastDeadline() {
			if err = f.witness.Begin(ctx); err == nil {
				_, _, err = f.whole.LoadAll(ctx)
			}
		}
	case f.beside.Disabled():
		f.area, err = f.chooseUnasked(ctx)
	case f.o.Selector != "":
		f.area, err = f.element(ctx)
	case f.o.Clip != nil:
		f.area, err = f.clip(ctx)
	case f.o.Fullpage:
		f.notes.Await("the whole page")
		if err = f.witness.Begin(ctx); err != nil {
			return err
		}
		extent, growing, failed := f.whole.LoadAll(ctx)
		if failed != nil {
			return failed
		}
		if f.area, err = f.whole.Area(ctx, extent, growing); err == nil {
			err = f.whole.Extend(ctx, extent, f.area.Height)
		}
	default:
		f.area = f.window()
	}
	return err
}

// confirm chooses once more, without waiting, when the time for it is over, and refuses an area that no picture can have.
func (f *frame) confirm(ctx context.Context) error {
	if f.budget.PastDeadline() {
		f.chosen = false
		err := f.choose(ctx)
		if errors.Is(err, session.ErrDisabled) {
			f.chosen = false
			err = f.choose(ctx)
		}
		if err != nil {
			return err
		}
	}
	return f.checkSize(f.area.Width, f.area.Height)
}

// element is the box of the element that the options name.
func (f *frame) element(ctx context.Context) (layout.Area, error) {
	f.notes.Await("the selector " + note.Quoted(f.o.Selector))
	at, err := f.find(ctx, f.o.Selector, f.findTime())
	if err != nil {
		return layout.Area{}, err
	}
	if at == nil {
		return layout.Area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s", note.Quoted(f.o.Selector))
	}
	if bottom := int(at.Y + at.Height); bottom > f.o.Height {
		err := f.whole.LoadLazy(ctx, min(bottom, f.cfg.MaxHeight))
		if err == nil {
			err = f.whole.Keep(ctx)
		}
		if err != nil {
			return layout.Area{}, err
		}
	}
	if err := f.beside.Ask(ctx, time.Second, &at, actScript+"savepageAct.uncover", f.o.Selector); err != nil {
		return layout.Area{}, err
	}
	if at == nil {
		return layout.Area{}, savepage.Errorf(savepage.CodeSelectorNotFound, "the element that matched %s went away", note.Quoted(f.o.Selector))
	}
	return layout.Enclose(*at), nil
}

// clip is the part of the page that the options name, as far as the page reaches.
func (f *frame) clip(ctx context.Context) (layout.Area, error) {
	c, seen := f.o.Clip, f.waiter.Seen()
	if err := f.checkSize(min(c.Width, max(1, seen.Width-c.X)), min(c.Height, max(1, seen.Height-c.Y))); err != nil {
		return layout.Area{}, err
	}
	if bottom := min(c.Y+c.Height, seen.Height, f.cfg.MaxHeight); bottom > f.o.Height {
		if err := f.whole.LoadLazy(ctx, bottom); err != nil {
			return layout.Area{}, err
		}
	}
	width, height := max(seen.Width, f.o.Width), max(seen.Height, f.o.Height)
	a := layout.Area{X: c.X, Y: c.Y, Width: min(c.Width, width-c.X), Height: min(c.Height, height-c.Y)}
	if a.Width <= 0 || a.Height <= 0 {
		return layout.Area{}, savepage.Errorf(savepage.CodeInvalidRequest,
			"the clip lies outside of the page, which has %d x %d CSS pixels", width, height)
	}
	f.cut = a.Width < c.Width || a.Height < c.Height
	a.Viewport = a == layout.Area{Width: f.o.Width, Height: f.o.Height}
	return a, nil
}
