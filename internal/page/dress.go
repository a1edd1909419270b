package page

import (
	"cmp"
	"context"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"strings"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/script"
)

//go:embed dress.js
var dressScript string

//go:embed css.js
var cssScript string

// dress has every new document take the client's style sheet and hide what the client names.
func (s *setup) dress(ctx context.Context) error {
	if err := s.checkSelectors(ctx); err != nil {
		return err
	}
	if s.o.CSS == "" && len(s.o.Hide) == 0 {
		return nil
	}
	if err := s.noteCSS(ctx); err != nil {
		return err
	}
	arguments, err := json.Marshal([]any{s.o.CSS, append([]string{}, s.o.Hide...)})
	if err != nil {
		return fmt.Errorf("dress the page: %w", err)
	}
	s.sent.Send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(...%s)", dressScript, arguments), WorldName: script.World,
	})
	return nil
}

// checkSelectors asks the empty tab which selectors are not valid.
func (s *setup) checkSelectors(ctx context.Context) error {
	inSteps := make([]string, len(s.o.Steps))
	for i, step := range s.o.Steps {
		inSteps[i] = cmp.Or(step.Selector, "*")
	}
	for _, list := range []struct {
		option    string // as it is named in errors
		selectors []string
	}{{"hide[%d]", s.o.Hide}, {"click[%d]", s.o.Click}, {"steps[%d].selector", inSteps}} {
		if len(list.selectors) == 0 {
			continue
		}
		text, err := json.Marshal(list.selectors)
		if err != nil {
			return fmt.Errorf("check selectors: %w", err)
		}
		var wrong int
		check := fmt.Sprintf("%s.findIndex(s => { try { document.querySelector(s) } catch { return true } })", text)
		if err := s.ask(ctx, check, &wrong); err != nil {
			return fmt.Errorf("check selectors: %w", err)
		}
		if wrong >= 0 {
			return noSelector(list.option, wrong, list.selectors[wrong])
		}
	}
	return nil
}

// noteCSS names the parts of the option css that the browser does not understand: the picture lacks what they are for.
func (s *setup) noteCSS(ctx context.Context) error {
	if s.o.CSS == "" {
		return nil
	}
	text, err := json.Marshal(s.o.CSS)
	if err != nil {
		return fmt.Errorf("check css: %w", err)
	}
	var faults []string
	if err := s.ask(ctx, fmt.Sprintf("(%s)(%s)", cssScript, text), &faults); err != nil {
		return fmt.Errorf("check css: %w", err)
	}
	if len(faults) > 0 {
		s.notes.Partial("the option css has %s", note.Clean(strings.Join(faults, "; "), maxText))
	}
	return nil
}

// ask evaluates an expression in the empty tab.
func (s *setup) ask(ctx context.Context, expression string, into any) error {
	var res struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
	}
	yes := true
	err := s.page.Execute(ctx, runtime.CommandEvaluate, runtime.EvaluateParams{Expression: expression, ReturnByValue: &yes}, &res)
	if err != nil || len(res.Result.Value) == 0 {
		return err
	}
	return cdp.Decode(res.Result.Value, into)
}

func noSelector(option string, index int, selector string) error {
	at := fmt.Sprintf(option, index)
	return &savepage.Error{
		Code: savepage.CodeInvalidRequest, Message: fmt.Sprintf("%s: %s is not a valid CSS selector", at, note.Quoted(selector)),
		Fields: []savepage.FieldError{{Location: at, Message: "is not a valid CSS selector", Value: selector}},
	}
}
