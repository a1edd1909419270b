package page

import (
	"context"
	"slices"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/wall"
)

// reader asks the page what it shows.
type reader struct {
	*parts
	wall wall.Verdict
}

// asking bounds a question to the page by what is left, where the page is shown as it is.
func (r *reader) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.budget.PastDeadline() {
		return context.WithTimeout(ctx, r.budget.Brief())
	}
	return ctx, func() {}
}

// look sees whether something stands in the place of the page.
func (r *reader) look(ctx context.Context) (err error) {
	asking, stop := r.asking(ctx)
	defer stop()
	r.wall, err = wall.Look(asking, r.beside, r.main.Status())
	if r.budget.PastDeadline() {
		return ctx.Err()
	}
	return err
}

// read ends the render when the page lacks a text of require_text, or shows one of fail_on_text.
func (r *reader) read(ctx context.Context) error {
	required, refused := r.o.RequireText, r.o.FailOnText
	if len(required)+len(refused) == 0 {
		return nil
	}
	asking, stop := r.asking(ctx)
	defer stop()
	missing, err := r.runner.Missing(asking, slices.Concat(required, refused))
	switch {
	case err != nil && !r.budget.PastDeadline(), ctx.Err() != nil:
		return err
	case err != nil && len(required) > 0:
		return savepage.Errorf(savepage.CodeTextMissing, "the page does not say whether it shows %s", note.Quoted(required[0]))
	case err != nil:
		r.notes.Partial("the page did not say whether it shows a text of fail_on_text")
		return nil
	}
	for _, text := range required {
		if slices.Contains(missing, text) {
			return savepage.Errorf(savepage.CodeTextMissing, "the page does not show %s", note.Quoted(text))
		}
	}
	for _, text := range refused {
		if !slices.Contains(missing, text) {
			return savepage.Errorf(savepage.CodeTextFound, "the page shows %s", note.Quoted(text))
		}
	}
	return nil
}
