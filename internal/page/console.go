package page

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/session"
)

const (
	maxDialogs = 20
	maxTexts   = 5   // console texts in the report
	maxText    = 300 // characters of one
)

// The bounds of what one page is listened to. A page that is made for readers stays far below.
const (
	maxSaid     = 1000   // messages of the console, and as many exceptions
	maxRequests = 20_000 // requests
	maxCalls    = 50_000 // of functions that scripts beside the page report by
)

// bound has the page heeded within bounds: what it sends beyond them is dropped. A flood of its scripts' words keeps the browser
// from its other pages: it is then told to report no more of them.
func bound(to *cdp.Session) {
	silence := func(flooding *cdp.Session) {
		flooding.Send(runtime.CommandDisable, nil)
		// Its console does nothing from now on: a browser takes in each word, also one that nobody asks for, and falls behind.
		flooding.Send(runtime.CommandEvaluate, runtime.EvaluateParams{
			Expression: `for (const name of Object.keys(console)) if (typeof console[name] === "function") console[name] = () => {}`,
		})
	}
	to.Bound(said, maxSaid, silence)
	to.Bound(thrown, maxSaid, silence)
	for method, most := range map[string]int{
		asked: maxRequests, "Network.responseReceived": maxRequests, "Network.dataReceived": maxRequests,
		"Runtime.bindingCalled": maxCalls,
		// Nobody listens to these.
		"Network.requestWillBeSentExtraInfo": 0, "Network.responseReceivedExtraInfo": 0,
	} {
		to.Bound(method, most, nil)
	}
}

// Events that are counted in the report when there are too many.
const (
	said   = "Runtime.consoleAPICalled"
	thrown = "Runtime.exceptionThrown"
	asked  = "Network.requestWillBeSent"
)

// console is what the page's scripts say to a reader or a developer. It is safe for concurrent use.
type console struct {
	end     context.CancelCauseFunc
	dropped func(method string) int

	mu      sync.Mutex
	said    savepage.ConsoleReport
	dialogs int
}

// newConsole follows the console and the dialogs of a page. end is called with the reason when there are too many dialogs;
// dropped is how many events of a method were too many or too long.
func newConsole(events *session.Router, dropped func(method string) int, end context.CancelCauseFunc) *console {
	c := &console{end: end, dropped: dropped}
	events.On(session.Main, said, c.called)
	events.On(session.Main, thrown, c.thrown)
	events.On(session.Main, "Page.javascriptDialogOpening", c.dialog)
	return c
}

// report is what was said so far, and how many dialogs there were.
func (c *console) report() (savepage.ConsoleReport, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.said
	all.Texts = slices.Clone(all.Texts)
	all.Dropped = c.dropped(said) + c.dropped(thrown)
	return all, c.dialogs
}

// called notes console.error, console.warn and failed assertions.
func (c *console) called(_ *session.Target, params json.RawMessage) {
	var e struct {
		Type string `json:"type"`
		Args []struct {
			Value       any    `json:"value"`
			Description string `json:"description"`
		} `json:"args"`
	}
	if !session.Read(params, &e) || e.Type != "error" && e.Type != "assert" && e.Type != "warning" {
		return
	}
	var parts []string
	for _, a := range e.Args {
		switch {
		case a.Description != "":
			parts = append(parts, a.Description)
		case a.Value != nil:
			parts = append(parts, fmt.Sprint(a.Value))
		}
	}
	text := strings.Join(parts, " ")
	if e.Type != "warning" {
		c.error(text)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said.Warnings++
	c.text(text)
}

// thrown notes an error that no script caught.
func (c *console) thrown(_ *session.Target, params json.RawMessage) {
	var e struct {
		Details struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	if !session.Read(params, &e) {
		return
	}
	first, _, _ := strings.Cut(e.Details.Exception.Description, "\n")
	c.error(strings.TrimSpace(e.Details.Text + " " + first))
}

// error notes an error.
func (c *console) error(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said.Errors++
	c.text(text)
}

func (c *console) text(s string) {
	if len(c.said.Texts) < maxTexts {
		c.said.Texts = append(c.said.Texts, note.Clean(s, maxText))
	}
}

// dialog dismisses alert, confirm and prompt. A page that asks whether to leave it may be left.
func (c *console) dialog(from *session.Target, params json.RawMessage) {
	var e struct {
		Type string `json:"type"`
	}
	if !session.Read(params, &e) {
		return
	}
	c.mu.Lock()
	c.dialogs++
	tooMany := c.dialogs > maxDialogs
	c.mu.Unlock()
	if tooMany {
		c.end(savepage.Errorf(savepage.CodeRenderTimeout, "the page opened more than %d dialogs", maxDialogs))
		return
	}
	from.Send(cdpage.CommandHandleJavaScriptDialog, cdpage.HandleJavaScriptDialogParams{Accept: e.Type == "beforeunload"})
}
