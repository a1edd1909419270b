package page

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

//go:embed beside.js
var beside string

// besideWorld is the name of the world that scripts of ours run in, beside the page's.
const besideWorld = "savepage"

// look is what the page says of itself.
type look struct {
	Still    float64  `json:"still"`    // milliseconds since the document last changed
	Moved    float64  `json:"moved"`    // the same, counting what changes all the time
	Scripted bool     `json:"scripted"` // something on the page may still run
	Fonts    bool     `json:"fonts"`    // all that are in use are loaded
	Coming   []string `json:"coming"`   // families of those that are not
	Title    string   `json:"title"`
	URL      string   `json:"url"`
	Ready    string   `json:"ready"`  // document.readyState
	Height   int      `json:"height"` // of the whole page, CSS pixels
	Width    int      `json:"width"`  // of the whole page, CSS pixels
	Timers   *timers  `json:"timers"` // nil when it is not known
}

// place is where an element stands in the document, in CSS pixels.
type place struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Wrong  string  `json:"wrong"` // why the selector is none; the rest is then empty
}

// patience is how long the page may leave a question unanswered before its script is ended.
func (j *job) patience() time.Duration {
	if j.hasty {
		return hastyPatience
	}
	return min(j.scaled(5*time.Second), milliseconds(j.o.Timeout)/4)
}

// errMoved says that the document went away while it was asked.
var errMoved = errors.New("the page went to another document")

// tries is how often a question is put again to a page that goes from one document to the next: more often than it may go.
const tries = 2 * maxNavigations

// ask calls a function of beside.js in the current document and decodes what it returns. slack is how long the function
// itself may take.
func (j *job) ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error {
	return j.call(ctx, slack, into, beside+"savepage."+function, args)
}

// call calls a function of a script that runs beside the page. The text of the script comes before its name.
func (j *job) call(ctx context.Context, slack time.Duration, into any, function string, args []any) error {
	texts := make([]string, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return fmt.Errorf("argument of a script: %w", err)
		}
		texts[i] = string(text)
	}
	expression := fmt.Sprintf("%s(%s)", function, strings.Join(texts, ","))
	for range tries {
		err := j.evaluate(ctx, slack, expression, into)
		if !errors.Is(err, errMoved) {
			return err
		}
		if err := j.w.pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return savepage.Errorf(savepage.CodeTooManyRedirects, "the page does not stay on one document")
}

// evaluate runs an expression in the world beside the current document.
func (j *job) evaluate(ctx context.Context, slack time.Duration, expression string, into any) error {
	world, err := j.world(ctx)
	if err != nil {
		return err
	}
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
	yes := true
	p := j.s.Send(runtime.CommandEvaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: world, AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes,
	})
	if err := j.hear(ctx, p, slack); err != nil {
		return err
	}
	if err := answered(ctx, p, &res); err != nil {
		return err
	}
	if e := res.Exception; e != nil { // ended together with the page's script
		return fmt.Errorf("%w: %s", errMoved, e.Exception.Description)
	}
	if into == nil || len(res.Result.Value) == 0 {
		return nil
	}
	if err := cdp.Decode(res.Result.Value, into); err != nil {
		return fmt.Errorf("read what the page says: %w", err)
	}
	return nil
}

// find looks for a visible element, for at most the given time. The answer is nil when there is none.
func (j *job) find(ctx context.Context, selector string, most time.Duration) (*place, error) {
	var at *place
	if err := j.ask(ctx, most, &at, "find", selector, most.Milliseconds()); err != nil {
		return nil, err
	}
	if at != nil && at.Wrong != "" {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "%s is no CSS selector", quoted(selector))
	}
	return at, nil
}

// world is where beside.js runs in the current document.
func (j *job) world(ctx context.Context) (runtime.ExecutionContextID, error) {
	if j.muted {
		return 0, errMuted
	}
	j.w.mu.Lock()
	p := j.w.world
	commits := j.w.nav.commits
	j.w.mu.Unlock()
	if p == nil {
		return 0, errMoved
	}
	if id, known := j.worlds[commits]; known {
		return id, nil
	}
	if err := j.hear(ctx, p, 0); err != nil {
		return 0, err
	}
	var res cdpage.CreateIsolatedWorldResult
	if err := answered(ctx, p, &res); err != nil {
		return 0, err
	}
	j.worlds[commits] = res.ExecutionContextID
	return res.ExecutionContextID, nil
}

// wait waits for an answer that a script of the page may hold up.
func (j *job) wait(ctx context.Context, p *cdp.Pending, slack time.Duration, into any) error {
	j.await(ctx, p, slack)
	return answered(ctx, p, into)
}

// hear waits until the page has answered. It does not give the answer up: that of the world is needed by every question.
func (j *job) hear(ctx context.Context, p *cdp.Pending, slack time.Duration) error {
	j.await(ctx, p, slack)
	if j.muted {
		return errMuted
	}
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until the answer is there, ctx ends, or the page has kept it back for too long: then its script is ended.
func (j *job) await(ctx context.Context, p *cdp.Pending, slack time.Duration) {
	most := j.patience() + slack
	if j.hasty {
		most = min(most, j.left()/3)
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-ctx.Done():
	case <-timer.C:
		j.stopScript()
	}
}

// answered waits for an answer. A refusal of the browser means that the document is not the one that was asked.
func answered(ctx context.Context, p *cdp.Pending, into any) error {
	err := p.Wait(ctx, into)
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return err
}

// stopScript ends a script that does not end. Those of a page that is shown as it is do not get to begin again.
func (j *job) stopScript() {
	if j.hasty {
		j.mute()
		return
	}
	j.s.Send(runtime.CommandTerminateExecution, nil)
	j.partial("a script that did not end was stopped")
}

// look asks the page how it is. It waits at most ms milliseconds for fonts and pictures in view.
func (j *job) look(ctx context.Context, ms int64) error {
	j.looked = time.Now()
	return j.ask(ctx, milliseconds(int(ms)), &j.seen, "look", ms, j.token)
}

func quoted(s string) string { return strconv.Quote(clean(s, 80)) }
