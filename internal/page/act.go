package page

import (
	"context"
	_ "embed" // for the script
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed act.js
var actScript string

// actions are what the client asks for before the picture.
type actions struct{ *parts }

// redress undoes what the page did since to what it was dressed in. It is called before the picture.
func (a *actions) redress(ctx context.Context) error {
	if a.o.CSS == "" && len(a.o.Hide) == 0 {
		return nil
	}
	return a.beside.Ask(ctx, 0, nil, actScript+"savepageAct.dress")
}

// run does what the client asks for before the picture: waits for an element and a text, clicks, does steps, runs a script,
// waits a while. It lets the page settle after each.
func (a *actions) run(ctx context.Context) error {
	for _, act := range []func(context.Context) error{a.appear, a.click, a.step, a.scripted, a.delay, a.redress} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return a.broken()
}

func (a *actions) click(ctx context.Context) error {
	for _, selector := range a.o.Click {
		if err := a.runner.Click(ctx, selector); err != nil {
			return err
		}
	}
	return nil
}

func (a *actions) step(ctx context.Context) error { return a.runner.Run(ctx, a.o.Steps) }

func (a *actions) scripted(ctx context.Context) error {
	if a.o.JS == "" {
		return nil
	}
	if err := a.script(ctx, a.o.JS); err != nil {
		return err
	}
	return a.waiter.Ready(ctx)
}

// script runs the client's script in the page's own world and waits for the promise that it may end with. What goes wrong
// in it is told in the report.
func (a *actions) script(ctx context.Context, text string) error {
	a.notes.Await("the script of the option js")
	expression, err := a.compiled(ctx, text)
	if err != nil {
		return err
	}
	yes := true
	p := a.page.Send(runtime.CommandEvaluate, runtime.EvaluateParams{Expression: expression, AwaitPromise: &yes, UserGesture: &yes})
	timer := time.NewTimer(savepage.Milliseconds(a.o.Timeout) / 3)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		a.page.Send(runtime.CommandTerminateExecution, nil)
		a.notes.Partial("the script of the option js did not end")
		return nil
	}
	var res failure
	err = p.Wait(ctx, &res)
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return nil // the page went to another document: the script's own doing
	}
	if err == nil {
		a.noteFailure(res)
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

func (a *actions) noteFailure(f failure) {
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
	what = note.Clean(what, maxText)
	a.notes.Partial("the script of the option js failed: %s", what)
	a.console.error("js: " + what)
}

// compiled is the script as it can be run: as it is, or as the body of an asynchronous function where it awaits or returns
// something. A text that is not a script fails when it is run.
func (a *actions) compiled(ctx context.Context, text string) (string, error) {
	wrapped := "(async () => {" + text + "\n})()"
	for _, expression := range []string{text, wrapped} {
		var res failure
		err := a.beside.Wait(ctx, a.page.Send(runtime.CommandCompileScript, runtime.CompileScriptParams{Expression: expression}), 0, &res)
		if err != nil && !errors.Is(err, session.ErrMoved) {
			return "", err
		}
		if err == nil && res.Details == nil {
			return expression, nil
		}
	}
	return text, nil
}
