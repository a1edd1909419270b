package page

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/input"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

//go:embed dress.js
var dressScript string

// dress has every new document take the client's style sheet and hide what the client names.
func (j *job) dress(ctx context.Context) error {
	if err := j.checkSelectors(ctx); err != nil {
		return err
	}
	if j.o.CSS == "" && len(j.o.Hide) == 0 {
		return nil
	}
	arguments, err := json.Marshal([]any{j.o.CSS, append([]string{}, j.o.Hide...)})
	if err != nil {
		return fmt.Errorf("dress the page: %w", err)
	}
	j.send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(...%s)", dressScript, arguments), WorldName: besideWorld,
	})
	return nil
}

// redress undoes what the page did since to what it was dressed in. It is called before the picture.
func (j *job) redress(ctx context.Context) error {
	if j.o.CSS == "" && len(j.o.Hide) == 0 {
		return nil
	}
	return j.ask(ctx, 0, nil, "dress")
}

// checkSelectors asks the empty tab which selectors are none.
func (j *job) checkSelectors(ctx context.Context) error {
	for _, list := range []struct {
		option    string
		selectors []string
	}{{"hide", j.o.Hide}, {"click", j.o.Click}} {
		if len(list.selectors) == 0 {
			continue
		}
		text, err := json.Marshal(list.selectors)
		if err != nil {
			return fmt.Errorf("check selectors: %w", err)
		}
		var wrong struct {
			Result struct {
				Value int `json:"value"`
			} `json:"result"`
		}
		err = j.s.Execute(ctx, runtime.CommandEvaluate, runtime.EvaluateParams{
			Expression: fmt.Sprintf("%s.findIndex(s => { try { document.querySelector(s) } catch { return true } })", text),
		}, &wrong)
		if err != nil {
			return fmt.Errorf("check selectors: %w", err)
		}
		if i := wrong.Result.Value; i >= 0 {
			return noSelector(list.option, i, list.selectors[i])
		}
	}
	return nil
}

func noSelector(option string, index int, selector string) error {
	at := fmt.Sprintf("%s[%d]", option, index)
	return &savepage.Error{
		Code: savepage.CodeInvalidRequest, Message: fmt.Sprintf("%s: %s is no CSS selector", at, quoted(selector)),
		Fields: []savepage.FieldError{{Location: at, Message: "is no CSS selector", Value: selector}},
	}
}

// act clicks and runs what the client asks for, and lets the page settle after each.
func (j *job) act(ctx context.Context) error {
	for _, selector := range j.o.Click {
		if err := j.click(ctx, selector); err != nil {
			return err
		}
	}
	if j.o.JS == "" {
		return nil
	}
	if err := j.script(ctx, j.o.JS); err != nil {
		return err
	}
	return j.ready(ctx)
}

// aim is where a click goes, in CSS pixels of what is seen, and how far the page is scrolled before and for it.
type aim struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Before float64 `json:"before"`
	For    float64 `json:"for"`
}

// click clicks the middle of the first visible element that matches, as a reader would. The page stands then where it was,
// unless the click has moved it.
func (j *job) click(ctx context.Context, selector string) error {
	j.awaiting = "the selector " + quoted(selector) + " to click"
	most := min(mostFind, milliseconds(j.o.Timeout)/4)
	at, err := j.find(ctx, selector, most)
	if err != nil {
		return err
	}
	var to *aim
	if at != nil {
		if err := j.ask(ctx, time.Second, &to, "aim", selector); err != nil {
			return err
		}
	}
	if to == nil {
		return savepage.Errorf(savepage.CodeSelectorNotFound, "no visible element matches %s to click", quoted(selector))
	}
	if err := j.press(ctx, to.X, to.Y); err != nil {
		return err
	}
	if err := j.ready(ctx); err != nil {
		return err
	}
	return j.ask(ctx, 0, nil, "backFrom", to.For, to.Before)
}

// press moves the mouse to a place and presses its left button there. A page that goes elsewhere at it may not answer.
func (j *job) press(ctx context.Context, x, y float64) error {
	for _, kind := range []input.DispatchMouseEventType{
		input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased,
	} {
		params := input.DispatchMouseEventParams{Type: kind, X: x, Y: y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			params.Button, params.ClickCount = input.MouseButtonLeft, 1
		}
		err := j.wait(ctx, j.s.Send(input.CommandDispatchMouseEvent, params), 0, nil)
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
	return nil
}

// script runs the client's script in the page's own world and waits for the promise that it may end with. What goes wrong
// in it is told in the report.
func (j *job) script(ctx context.Context, text string) error {
	j.awaiting = "the script of the option js"
	expression, err := j.compiled(ctx, text)
	if err != nil {
		return err
	}
	yes := true
	p := j.s.Send(runtime.CommandEvaluate, runtime.EvaluateParams{Expression: expression, AwaitPromise: &yes, UserGesture: &yes})
	timer := time.NewTimer(milliseconds(j.o.Timeout) / 3)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		j.s.Send(runtime.CommandTerminateExecution, nil)
		j.partial("the script of the option js did not end")
		return nil
	}
	var res failure
	err = p.Wait(ctx, &res)
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return nil // the page went to another document: the script's own doing
	}
	if err == nil {
		j.noteFailure(res)
	}
	return err
}

// failure is what an evaluation says of an exception.
type failure struct {
	Details *struct {
		Text      string `json:"text"`
		Exception struct {
			ClassName   string `json:"className"`
			Description string `json:"description"`
			Value       any    `json:"value"`
		} `json:"exception"`
	} `json:"exceptionDetails"`
}

func (j *job) noteFailure(f failure) {
	if f.Details == nil {
		return
	}
	what, _, _ := strings.Cut(f.Details.Exception.Description, "\n")
	if what == "" && f.Details.Exception.Value != nil {
		what = fmt.Sprint(f.Details.Exception.Value)
	}
	if what == "" {
		what = f.Details.Text
	}
	what = clean(what, maxText)
	j.partial("the script of the option js failed: %s", what)
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	j.w.con.Errors++
	j.w.text("js: " + what)
}

// compiled is the script as it can be run: as it is, or as the body of an asynchronous function where it awaits or returns
// something. A script that is none fails when it is run.
func (j *job) compiled(ctx context.Context, text string) (string, error) {
	wrapped := "(async () => {" + text + "\n})()"
	for _, expression := range []string{text, wrapped} {
		var res failure
		err := j.wait(ctx, j.s.Send(runtime.CommandCompileScript, runtime.CompileScriptParams{Expression: expression}), 0, &res)
		if err != nil && !errors.Is(err, errMoved) {
			return "", err
		}
		if err == nil && res.Details == nil {
			return expression, nil
		}
	}
	return text, nil
}
