package page

import (
	"encoding/json"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/cdp"
)

// outfit is what the page, and each of its frames that is a target of its own, gets before its documents come: scripts
// that run beside them, and who hears what these say. Whatever changes it holds the watch's lock.
type outfit struct {
	commands []command
	handlers map[string]func(*cdp.Session, json.RawMessage) // called with the watch's lock held
	bindings map[string]func(inWorld, string)               // by name; called with the watch's lock held
}

// inWorld is a place where scripts run: one world of one document.
type inWorld struct {
	s  *cdp.Session
	id runtime.ExecutionContextID
}

// run sends an expression there. The answer may be looked at.
func (at inWorld) run(expression string) *cdp.Pending {
	yes := true
	return at.s.Send(runtime.CommandEvaluate, runtime.EvaluateParams{Expression: expression, ContextID: at.id, ReturnByValue: &yes, AwaitPromise: &yes, Silent: &yes})
}

// beside has a script run in every new document, in a world where a function of the given name tells hear what is said.
func (o *outfit) beside(world, source, binding string, hear func(at inWorld, payload string)) {
	o.bind(world, binding, hear)
	o.commands = append(o.commands, command{cdpage.CommandAddScriptToEvaluateOnNewDocument, map[string]any{"source": source, "worldName": world}})
}

// bind puts a function of the given name in every world of a name. It tells hear what is said.
func (o *outfit) bind(world, binding string, hear func(at inWorld, payload string)) {
	if o.bindings == nil {
		o.bindings = map[string]func(inWorld, string){}
		o.on("Runtime.bindingCalled", o.called)
		// For frames in processes of their own: the page has them.
		o.commands = append(o.commands, command{cdpage.CommandEnable, nil}, command{runtime.CommandEnable, nil})
	}
	o.bindings[binding] = hear
	o.commands = append(o.commands, command{runtime.CommandAddBinding, map[string]any{"name": binding, "executionContextName": world}})
}

// outfitEvents are those that an outfit may hear.
func outfitEvents() []string {
	return []string{
		"Runtime.bindingCalled", "Runtime.executionContextCreated", "Runtime.executionContextDestroyed", "Runtime.executionContextsCleared",
		"Page.frameAttached", "Page.frameNavigated",
	}
}

// listeners hear the events of one session.
func (o *outfit) listeners(s *cdp.Session) map[string]func(json.RawMessage) {
	all := map[string]func(json.RawMessage){}
	for _, event := range outfitEvents() {
		all[event] = func(params json.RawMessage) {
			if fn := o.handlers[event]; fn != nil {
				fn(s, params)
			}
		}
	}
	return all
}

// on has fn hear one of outfitEvents.
func (o *outfit) on(event string, fn func(*cdp.Session, json.RawMessage)) {
	if o.handlers == nil {
		o.handlers = map[string]func(*cdp.Session, json.RawMessage){}
	}
	o.handlers[event] = fn
}

func (o *outfit) called(s *cdp.Session, params json.RawMessage) {
	var e struct {
		Name    string                     `json:"name"`
		Payload string                     `json:"payload"`
		ID      runtime.ExecutionContextID `json:"executionContextId"`
	}
	if !read(params, &e) {
		return
	}
	if hear := o.bindings[e.Name]; hear != nil {
		hear(inWorld{s, e.ID}, e.Payload)
	}
}
