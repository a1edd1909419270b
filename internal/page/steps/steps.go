// Package steps does on a page what its client asks for before the picture: it waits for elements and texts, clicks, fills
// fields, presses keys, hovers and scrolls, with the browser's own events of mouse and keyboard. It decides neither when the
// page is ready nor what is in the picture.
package steps

import (
	"context"
	_ "embed" // for the script
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed steps.js
var script string

const (
	searchTime = 500 * time.Millisecond // how long the page looks before it is asked again
	usual      = 5 * time.Second        // that a step waits for its element when it names no time
	scrolling  = time.Second            // that a page may go on scrolling after a turn of the wheel
)

// Page asks the document by a script beside its own, and waits for answers that the page may hold up.
type Page interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	Wait(ctx context.Context, sent *cdp.Pending, slack time.Duration, into any) error
}

// Clock is the page's own.
type Clock interface {
	Pass(ctx context.Context, d time.Duration) error
}

// Notes keeps what is waited for.
type Notes interface {
	Await(what string)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	To     session.Sender
	Page   Page
	Budget *budget.Budget
	Notes  Notes
	Ready  func(context.Context) error // waits until the page is ready again after a step
}

// Runner does steps. Its methods are for the goroutine of the render.
type Runner struct {
	Config
	clock   Clock // nil: the real one
	begun   int   // steps so far
	focused bool  // the page has been told that it has the focus
}

// New returns a Runner that has done nothing.
func New(c Config) *Runner { return &Runner{Config: c} }

// SetClock has waits pass on the page's own clock.
func (r *Runner) SetClock(c Clock) { r.clock = c }

// want is what a step looks for, as the script takes it.
type want struct {
	ID       int    `json:"id"` // of the step
	Selector string `json:"selector,omitempty"`
	Value    string `json:"value"`
	Text     string `json:"text,omitempty"`
}

// found is what the script says.
type found struct {
	OK     bool    `json:"ok"`
	Why    string  `json:"why"`    // it is not
	Wrong  bool    `json:"wrong"`  // the selector is not valid
	X      float64 `json:"x"`      // where the element is seen, CSS pixels of the window
	Y      float64 `json:"y"`      // the same
	Before float64 `json:"before"` // how far the page was scrolled before it was for the step
	For    float64 `json:"for"`    // and for it
	Done   bool    `json:"done"`   // the field has its value
	Filled bool    `json:"filled"` // the field has something in it, which is selected
	Lines  bool    `json:"lines"`  // the field may have several lines
}

// errGaveUp says that what was looked for did not come in time.
var errGaveUp = errors.New("did not come in time")

// look waits at most so long for what a step needs, and says what was found last.
func (r *Runner) look(ctx context.Context, need string, w want, atMost time.Duration) (found, error) {
	w.ID = r.begun
	end, passed := time.Now().Add(atMost), time.Duration(0)
	for first := true; ; first = false {
		var is found
		wait := min(searchTime, time.Until(end))
		if first || r.clock != nil || wait < 0 {
			wait = 0
		}
		if err := r.Page.Ask(ctx, wait, &is, script+"savepageSteps.look", need, w, wait.Milliseconds()); err != nil {
			return is, err
		}
		switch {
		case is.OK:
			return is, nil
		case is.Wrong:
			return is, savepage.Errorf(savepage.CodeInvalidRequest, "%s is not a valid CSS selector", note.Quoted(w.Selector))
		case time.Until(end) <= 0, r.clock != nil && passed >= atMost:
			return is, errGaveUp
		case ctx.Err() != nil:
			return is, ctx.Err()
		}
		if r.clock != nil {
			if err := r.clock.Pass(ctx, searchTime); err != nil {
				return is, err
			}
			passed += searchTime
		}
	}
}

// Await waits until an element is visible. It reports whether it had to wait.
func (r *Runner) Await(ctx context.Context, selector string) (waited bool, err error) {
	r.Notes.Await("the selector " + note.Quoted(selector) + " to be visible")
	return r.await(ctx, "seen", want{Selector: selector})
}

// AwaitText waits until the page shows a text. It reports whether it had to wait.
func (r *Runner) AwaitText(ctx context.Context, text string) (waited bool, err error) {
	r.Notes.Await("the text " + note.Quoted(text))
	return r.await(ctx, "text", want{Text: text})
}

// await waits as long as the render may take.
func (r *Runner) await(ctx context.Context, need string, w want) (waited bool, err error) {
	r.begun++
	_, err = r.look(ctx, need, w, 0)
	if !errors.Is(err, errGaveUp) {
		return false, err
	}
	_, err = r.look(ctx, need, w, r.Budget.Limit())
	return true, err
}

// Missing are those of some texts that the page does not show.
func (r *Runner) Missing(ctx context.Context, texts []string) ([]string, error) {
	var at []int
	if err := r.Page.Ask(ctx, time.Second, &at, script+"savepageSteps.missing", texts); err != nil {
		return nil, err
	}
	var missing []string
	for _, i := range at {
		missing = append(missing, texts[i])
	}
	return missing, nil
}

// Click clicks the middle of the first visible element that matches, as the option click has it: also where something covers
// it. The page stands then where it was, unless the click has moved it.
func (r *Runner) Click(ctx context.Context, selector string) error {
	r.begun++
	r.Notes.Await("the selector " + note.Quoted(selector) + " to click")
	is, err := r.look(ctx, "point", want{Selector: selector}, r.Budget.Find())
	if errors.Is(err, errGaveUp) {
		is, err = r.middle(ctx, selector)
	}
	if err != nil {
		return err
	}
	if err := r.click(ctx, is); err != nil {
		return err
	}
	if err := r.Ready(ctx); err != nil {
		return err
	}
	return r.back(ctx, is)
}

// middle is the middle of an element that is visible and cannot be used as it should be.
func (r *Runner) middle(ctx context.Context, selector string) (found, error) {
	var at *found
	if err := r.Page.Ask(ctx, time.Second, &at, script+"savepageSteps.middle", selector); err != nil {
		return found{}, err
	}
	if at == nil {
		return found{}, savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s to click", note.Quoted(selector))
	}
	return *at, nil
}

// Run does the steps in their order. The error of one that cannot be done names it.
func (r *Runner) Run(ctx context.Context, steps []savepage.Step) error {
	for i, step := range steps {
		r.begun++
		named := fmt.Sprintf("steps[%d] (%s)", i, step)
		r.Notes.Await(named)
		atMost := r.patience(step)
		is, err := r.do(ctx, step, atMost)
		if err == nil && step.Type != savepage.StepDelay {
			err = r.ready(ctx, step, is)
		}
		if errors.Is(err, errGaveUp) {
			return savepage.Errorf(savepage.CodeStepFailed, "%s: %s, after %v", named, note.Clean(is.Why, 200), atMost.Round(time.Millisecond))
		}
		if told, is := errors.AsType[*savepage.Error](err); is && told.Code == savepage.CodeInvalidRequest {
			return savepage.Errorf(told.Code, "%s: %s", named, told.Message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long a step may wait. One that only waits has what is left of the timeout, but for a tenth, so that the error
// names the step; with on_timeout capture it has all, so that there is a picture.
func (r *Runner) patience(step savepage.Step) time.Duration {
	left := max(0, time.Until(r.Budget.End()))
	if !r.Budget.Captures() {
		left = left * 9 / 10
	}
	switch {
	case step.Timeout > 0:
		return min(savepage.Milliseconds(step.Timeout), left)
	case step.Type == savepage.StepWaitFor, step.Type == savepage.StepGone, step.Type == savepage.StepText:
		return left
	default:
		return min(usual, left)
	}
}

// ready waits until the page is ready after a step, and takes it back to where it was before it was scrolled for that. It stays
// where the mouse hovers: scrolled back, the element would be elsewhere.
func (r *Runner) ready(ctx context.Context, step savepage.Step, at found) error {
	if err := r.Ready(ctx); err != nil {
		return err
	}
	switch step.Type {
	case savepage.StepClick, savepage.StepFill, savepage.StepPress:
		return r.back(ctx, at)
	default:
		return nil
	}
}

// do does one step.
func (r *Runner) do(ctx context.Context, step savepage.Step, atMost time.Duration) (found, error) {
	w := want{Selector: step.Selector, Value: step.Value, Text: step.Text}
	need := map[savepage.StepType]string{
		savepage.StepWaitFor: "seen", savepage.StepGone: "gone", savepage.StepText: "text",
		savepage.StepClick: "point", savepage.StepHover: "point", savepage.StepFill: "field",
	}[step.Type]
	switch {
	case step.Type == savepage.StepDelay:
		return found{}, r.pause(ctx, savepage.Milliseconds(step.MS))
	case step.Type == savepage.StepScroll:
		return r.scroll(ctx, step, w, atMost)
	case step.Type == savepage.StepPress && step.Selector == "":
		return found{}, r.press(ctx, step.Key)
	case step.Type == savepage.StepPress:
		need = "focus"
	}
	if step.Type == savepage.StepFill || step.Type == savepage.StepPress {
		r.takeFocus()
	}
	is, err := r.look(ctx, need, w, atMost)
	if err != nil {
		return is, err
	}
	switch step.Type {
	case savepage.StepClick:
		return is, r.click(ctx, is)
	case savepage.StepHover:
		return is, r.hover(ctx, is)
	case savepage.StepFill:
		return is, r.fill(ctx, step.Value, is)
	case savepage.StepPress:
		return is, r.press(ctx, step.Key)
	default:
		return is, nil
	}
}

// takeFocus has the page believe that its window has the focus, which keys need in a browser of many pages.
func (r *Runner) takeFocus() {
	if !r.focused {
		r.focused = true
		r.To.Send(emulation.CommandSetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	}
}

// pause lets time go by for the page.
func (r *Runner) pause(ctx context.Context, d time.Duration) error {
	if r.clock != nil {
		return r.clock.Pass(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// click presses the left button of the mouse at a point. A page that goes elsewhere at it may not answer.
func (r *Runner) click(ctx context.Context, at found) error {
	for _, kind := range []input.DispatchMouseEventType{
		input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased,
	} {
		params := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			params.Button, params.ClickCount = input.MouseButtonLeft, 1
		}
		if err := r.send(ctx, input.CommandDispatchMouseEvent, params); err != nil {
			return err
		}
	}
	return nil
}

// hover moves the mouse over a point.
func (r *Runner) hover(ctx context.Context, at found) error {
	params := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at.X, Y: at.Y}
	return r.send(ctx, input.CommandDispatchMouseEvent, params)
}

// scroll brings an element into view, or turns the wheel over it or over the middle of the window.
func (r *Runner) scroll(ctx context.Context, step savepage.Step, w want, atMost time.Duration) (is found, err error) {
	turns := step.X != 0 || step.Y != 0
	switch {
	case step.Selector != "" && turns:
		is, err = r.look(ctx, "over", w, atMost)
	case step.Selector != "":
		is, err = r.look(ctx, "view", w, atMost)
	default:
		err = r.Page.Ask(ctx, 0, &is, script+"savepageSteps.window")
	}
	if err != nil {
		return is, err
	}
	if turns {
		err = r.wheel(ctx, is, step)
	}
	return is, err
}

// turn is an event of the wheel. The browser takes none without both of its distances, also where one is 0.
type turn struct {
	input.DispatchMouseEventParams

	DeltaX int `json:"deltaX"`
	DeltaY int `json:"deltaY"`
}

// wheel turns the wheel of the mouse, as far as the step says.
func (r *Runner) wheel(ctx context.Context, at found, step savepage.Step) error {
	params := turn{
		DispatchMouseEventParams: input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: at.X, Y: at.Y},
		DeltaX:                   step.X, DeltaY: step.Y,
	}
	over := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at.X, Y: at.Y}
	if err := r.Page.Ask(ctx, 0, nil, script+"savepageSteps.watch"); err != nil {
		return err
	}
	for _, event := range []any{over, params} {
		if err := r.send(ctx, input.CommandDispatchMouseEvent, event); err != nil {
			return err
		}
	}
	return r.Page.Ask(ctx, scrolling, nil, script+"savepageSteps.rest", scrolling.Milliseconds())
}

// back takes the page back to where it was before it was scrolled for a step.
func (r *Runner) back(ctx context.Context, at found) error {
	return r.Page.Ask(ctx, 0, nil, script+"savepageSteps.backFrom", at.For, at.Before)
}

// send sends an event of the mouse or the keyboard. A page that goes elsewhere at it may not answer.
func (r *Runner) send(ctx context.Context, method string, params any) error {
	err := r.Page.Wait(ctx, r.To.Send(method, params), 0, nil)
	if errors.Is(err, session.ErrMoved) {
		return nil
	}
	return err
}
