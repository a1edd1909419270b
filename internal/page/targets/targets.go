// Package targets takes in what belongs to the page and has a route of its own: workers, and frames with a process of
// their own. Each is set up before it begins: with the commands that the parts of a render ask for, with scripts beside its
// documents, and with functions by which these report.
package targets

import (
	"encoding/json"
	"slices"
	"sync"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/session"
)

// World is where scripts run: one world of one document.
type World struct {
	*session.Target
	ID runtime.ExecutionContextID
}

// Run sends an expression there. The answer may be looked at.
func (w World) Run(expression string) *cdp.Pending {
	yes := true
	return w.Send(runtime.CommandEvaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: w.ID, ReturnByValue: &yes, AwaitPromise: &yes, Silent: &yes,
	})
}

// Report is called with what a script has reported. It must not wait.
type Report func(from World, payload string)

// Targets are those of one page. It is safe for concurrent use; the setup is complete before Enable is called.
type Targets struct {
	events *session.Router

	mu       sync.Mutex
	children []*session.Target
	commands []session.Command
	first    []func(kind string) []session.Command
	begin    []func(*session.Target)
	bindings map[string]Report // by name
}

// New returns the targets of a page, with nothing to set up.
func New(events *session.Router) *Targets {
	t := &Targets{events: events}
	events.On(session.Every, "Target.attachedToTarget", t.attached)
	return t
}

// Setup has a command sent to the page and to each target that is attached.
func (t *Targets) Setup(method string, params any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.commands = append(t.commands, session.Command{Method: method, Params: params})
}

// First has the commands for a target of a kind sent last before it begins; for the page itself, of the kind "page", they
// are part of Enable.
func (t *Targets) First(commands func(kind string) []session.Command) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.first = append(t.first, commands)
}

// OnBegin has begin called with each target that is attached, before its first event. It must not wait.
func (t *Targets) OnBegin(begin func(*session.Target)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin = append(t.begin, begin)
}

// Beside has a script run in every new document, in a world of the given name. There a function, the binding, calls report.
func (t *Targets) Beside(world, source, binding string, report Report) {
	t.Bind(world, binding, report)
	t.Setup(cdpage.CommandAddScriptToEvaluateOnNewDocument, map[string]any{"source": source, "worldName": world})
}

// Bind puts a function of the given name in every world of a name. It calls report.
func (t *Targets) Bind(world, binding string, report Report) {
	if t.bind(binding, report) {
		t.events.On(session.Every, "Runtime.bindingCalled", t.called)
		// For frames in processes of their own: the page has them.
		t.Setup(cdpage.CommandEnable, nil)
		t.Setup(runtime.CommandEnable, nil)
	}
	t.Setup(runtime.CommandAddBinding, map[string]any{"name": binding, "executionContextName": world})
}

// bind notes a binding and reports whether it is the first.
func (t *Targets) bind(name string, report Report) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := t.bindings == nil
	if first {
		t.bindings = map[string]Report{}
	}
	t.bindings[name] = report
	return first
}

func (t *Targets) called(from *session.Target, params json.RawMessage) {
	var e struct {
		Name    string                     `json:"name"`
		Payload string                     `json:"payload"`
		ID      runtime.ExecutionContextID `json:"executionContextId"`
	}
	if !session.Read(params, &e) {
		return
	}
	t.mu.Lock()
	report := t.bindings[e.Name]
	t.mu.Unlock()
	if report != nil {
		report(World{from, e.ID}, e.Payload)
	}
}

// Enable returns the commands that set up the page and have what belongs to it attached.
func (t *Targets) Enable() []session.Command {
	return append(t.setup(), t.firstOf("page")...)
}

// setup returns the commands for every target. Workers are attached always.
func (t *Targets) setup() []session.Command {
	t.mu.Lock()
	defer t.mu.Unlock()
	attach := map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}
	if len(t.commands) == 0 {
		attach["filter"] = []map[string]any{{"type": session.WorkerKind}}
	}
	// Workers, and frames in processes of their own, are set up apart. They wait until they are.
	return append(slices.Clone(t.commands), session.Command{Method: target.CommandSetAutoAttach, Params: attach})
}

func (t *Targets) firstOf(kind string) []session.Command {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []session.Command
	for _, commands := range t.first {
		all = append(all, commands(kind)...)
	}
	return all
}

// attached takes in a target that belongs to the page and lets it begin.
func (t *Targets) attached(from *session.Target, params json.RawMessage) {
	var e struct {
		SessionID target.SessionID `json:"sessionId"`
		Target    struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"targetInfo"`
	}
	if !session.Read(params, &e) {
		return
	}
	child := &session.Target{Session: from.Child(e.SessionID), ID: e.SessionID, Kind: e.Target.Type, URL: e.Target.URL}
	for _, begin := range t.add(child) {
		begin(child)
	}
	t.events.Listen(child)
	for _, c := range append(t.setup(), t.firstOf(child.Kind)...) {
		child.Send(c.Method, c.Params)
	}
	child.Send(runtime.CommandRunIfWaitingForDebugger, nil)
}

func (t *Targets) add(child *session.Target) []func(*session.Target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.children = append(t.children, child)
	return slices.Clone(t.begin)
}

// Children are the targets that have been attached.
func (t *Targets) Children() []*session.Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.children)
}

// Close drops the routes to what belongs to the page.
func (t *Targets) Close() {
	t.mu.Lock()
	children := t.children
	t.children = nil
	t.mu.Unlock()
	for _, child := range children {
		child.Detach()
	}
}
