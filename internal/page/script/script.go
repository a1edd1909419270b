// Package script runs scripts beside the page's own: in a world of its own that the page can neither see nor change. It
// asks the document that is there now, ends a script of the page that keeps the answer back, and switches scripts off when
// that does not help. The scripts themselves lie with the parts that ask.
package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/session"
)

// World is the name of the world that the scripts run in.
const World = "savepage"

const (
	// maxTries is how often a question is put again to a page that goes from one document to the next: more often than it
	// may go.
	maxTries = 40
	// againAfter is how soon it is, when no event comes.
	againAfter = 100 * time.Millisecond
)

// Notes keeps why a picture is partial.
type Notes interface {
	Partial(format string, args ...any)
}

// Holds are what else keeps an answer back than a script that runs.
type Holds interface {
	// Leaves reports whether the page is on its way to another document: the browser asks it nothing then. A way that has taken
	// too long is ended.
	Leaves(ctx context.Context) bool
	// Release ends other holds; free says that no script runs. It reports whether there may have been one.
	Release(ctx context.Context, free bool) bool
}

// Beside asks the page's main document. Its methods are for the goroutine of the render.
type Beside struct {
	to     session.Sender
	frame  string // id of the main frame
	events *session.Router
	budget *budget.Budget
	notes  Notes
	holds  Holds

	mu      sync.Mutex
	current *document // nil before the first one
	ahead   *ahead    // answers to what has not been asked yet; nil: there are none

	asked    *document // that was asked last
	disabled bool
	ended    chan struct{}  // closed when the render ends
	work     sync.WaitGroup // switching scripts off
}

// document is one that the main frame has had.
type document struct {
	made *cdp.Pending // Page.createIsolatedWorld in it
	id   runtime.ExecutionContextID
}

// New returns a Beside that follows the documents of the main frame. Close must be called.
//
//nolint:revive // six parts, each of another kind
func New(to session.Sender, events *session.Router, frame string, b *budget.Budget, notes Notes, holds Holds) *Beside {
	p := &Beside{to: to, frame: frame, events: events, budget: b, notes: notes, holds: holds, ended: make(chan struct{})}
	events.On(session.Main, "Page.frameNavigated", p.navigated)
	return p
}

func (p *Beside) navigated(_ *session.Target, params json.RawMessage) {
	var e struct {
		Frame struct {
			ParentID string `json:"parentId"`
		} `json:"frame"`
	}
	if !session.Read(params, &e) || e.Frame.ParentID != "" {
		return
	}
	// Asked for now, so that the answer is there when the page has loaded.
	made := p.to.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": p.frame, "worldName": World})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = &document{made: made}
}

func (p *Beside) document() (*document, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.disabled:
		return nil, session.ErrDisabled
	case p.current == nil:
		return nil, session.ErrMoved
	default:
		return p.current, nil
	}
}

// Ask calls a function of a script in the current document and decodes the value that it returns; the text of the script
// stands before the function's name. slack is how long the function itself may take. A document that goes away meanwhile is
// followed.
func (p *Beside) Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error {
	expression, err := called(function, args)
	if err != nil {
		return err
	}
	if said, is := p.said(expression); is {
		return read(said, into)
	}
	for tries := 1; ; tries++ {
		err := p.Evaluate(ctx, slack, into, expression)
		if !errors.Is(err, session.ErrMoved) {
			return err
		}
		if err := p.moved(ctx, tries); err != nil {
			return err
		}
	}
}

// moved waits a moment for the document that follows, as often as a page may go on.
func (p *Beside) moved(ctx context.Context, tries int) error {
	if tries == maxTries {
		return savepage.Errorf(savepage.CodeTooManyRedirects, "the page does not stay on one document")
	}
	return p.events.Pause(ctx, againAfter)
}

// called is an expression that calls a function.
func called(function string, args []any) (string, error) {
	texts := make([]string, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return "", fmt.Errorf("argument of a script: %w", err)
		}
		texts[i] = string(text)
	}
	return fmt.Sprintf("%s(%s)", function, strings.Join(texts, ",")), nil
}

// Evaluate runs an expression beside the current document. Its error is session.ErrMoved when that goes away.
func (p *Beside) Evaluate(ctx context.Context, slack time.Duration, into any, expression string) error {
	p.forget()
	world, err := p.Current(ctx)
	if err != nil {
		return err
	}
	sent := p.to.Send(runtime.CommandEvaluate, in(world, expression))
	p.Await(ctx, sent, slack)
	return p.value(ctx, sent, into)
}

// Begin has an expression run beside the current document and does not wait for its value, which End reads.
func (p *Beside) Begin(ctx context.Context, expression string) (*cdp.Pending, error) {
	world, err := p.Current(ctx)
	if err != nil {
		return nil, err
	}
	return p.to.Send(runtime.CommandEvaluate, in(world, expression)), nil
}

// in is the command that runs an expression in a world and answers with its value.
func in(world runtime.ExecutionContextID, expression string) runtime.EvaluateParams {
	yes := true
	return runtime.EvaluateParams{Expression: expression, ContextID: world, AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes}
}

// End waits for the value of an expression that was begun. Its error is session.ErrMoved when the document has gone away.
func (p *Beside) End(ctx context.Context, begun *cdp.Pending, slack time.Duration, into any) error {
	p.Await(ctx, begun, slack)
	return p.value(ctx, begun, into)
}

// Current is the world beside the current document.
func (p *Beside) Current(ctx context.Context) (runtime.ExecutionContextID, error) {
	d, err := p.document()
	if err != nil {
		return 0, err
	}
	p.asked = d
	p.Await(ctx, d.made, 0)
	return p.worldOf(ctx, d)
}

// worldOf is the world that was made in a document.
func (p *Beside) worldOf(ctx context.Context, d *document) (runtime.ExecutionContextID, error) {
	if d.id != 0 {
		return d.id, nil
	}
	var res cdpage.CreateIsolatedWorldResult
	if err := p.answered(ctx, d.made, &res); err != nil {
		return 0, err
	}
	d.id = res.ExecutionContextID
	return d.id, nil
}

// value reads the value of an expression that was sent.
func (p *Beside) value(ctx context.Context, sent *cdp.Pending, into any) error {
	var res struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	if err := p.answered(ctx, sent, &res); err != nil {
		return err
	}
	if e := res.Exception; e != nil { // ended together with the page's script
		return fmt.Errorf("%w: %s", session.ErrMoved, e.Exception.Description)
	}
	return read(res.Result.Value, into)
}

func read(value json.RawMessage, into any) error {
	if into == nil || len(value) == 0 {
		return nil
	}
	if err := cdp.Decode(value, into); err != nil {
		return fmt.Errorf("read the answer of the page: %w", err)
	}
	return nil
}

// answered waits until the page has answered. It does not give the answer up: that of the world is needed by every question.
func (p *Beside) answered(ctx context.Context, sent *cdp.Pending, into any) error {
	if p.Disabled() {
		return session.ErrDisabled
	}
	select {
	case <-sent.Done():
		return session.Answered(ctx, sent, into)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wait waits for an answer that a script of the page may hold up, and decodes it.
func (p *Beside) Wait(ctx context.Context, sent *cdp.Pending, slack time.Duration, into any) error {
	p.Await(ctx, sent, slack)
	return session.Answered(ctx, sent, into)
}

// Await waits until the answer is there, ctx ends, or the page has kept it back for too long: then what keeps it back is ended,
// a script of the page or something that it waits for. Scripts of a page that is shown as it is do not get to begin again.
func (p *Beside) Await(ctx context.Context, sent *cdp.Pending, slack time.Duration) {
	patience := p.budget.Patience(slack)
	for end := time.Now().Add(patience); !within(ctx, sent, min(patience, awaitStep)); {
		if p.holds.Leaves(ctx) {
			end = time.Now().Add(patience)
		}
		if ctx.Err() != nil || time.Now().After(end) {
			break
		}
	}
	if within(ctx, sent, 0) || ctx.Err() != nil {
		return
	}
	free := within(ctx, p.to.Send(runtime.CommandEvaluate, nothing()), probeTime)
	if released := p.holds.Release(ctx, free); released && within(ctx, sent, min(patience, releaseTime)) || free || ctx.Err() != nil {
		return
	}
	if p.budget.PastDeadline() {
		p.disable()
		return
	}
	p.to.Send(runtime.CommandTerminateExecution, nil)
	p.notes.Partial("a script that did not end was stopped")
}

// Free reports whether no script keeps the page busy.
func (p *Beside) Free(ctx context.Context) bool {
	return within(ctx, p.to.Send(runtime.CommandEvaluate, nothing()), probeTime)
}

// nothing is asked to see whether the page answers.
func nothing() runtime.EvaluateParams { return runtime.EvaluateParams{Expression: "0"} }

const (
	// awaitStep is how often it is seen whether the page is on its way to another document.
	awaitStep = 250 * time.Millisecond
	// probeTime is how soon a page answers in which no script runs.
	probeTime = 300 * time.Millisecond
	// releaseTime is how soon the answer is there that nothing keeps back any more.
	releaseTime = 2 * time.Second
)

// within reports whether the answer is there in time.
func within(ctx context.Context, sent *cdp.Pending, atMost time.Duration) bool {
	select {
	case <-sent.Done():
		return true
	default:
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-sent.Done():
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}
