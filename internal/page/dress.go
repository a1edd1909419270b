package page

import (
	"cmp"
	"context"
	_ "embed" // for the script
	"encoding/json"
	"fmt"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/note"
	"github.com/savepage/savepage/internal/page/script"
)

//go:embed dress.js
var dressScript string

// dress has every new document take the client's style sheet and hide what the client names.
func (s *setup) dress(ctx context.Context) error {
	if err := s.checkSelectors(ctx); err != nil {
		return err
	}
	if s.o.CSS == "" && len(s.o.Hide) == 0 {
		return nil
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
		var wrong struct {
			Result struct {
				Value int `json:"value"`
			} `json:"result"`
		}
		err = s.page.Execute(ctx, runtime.CommandEvaluate, runtime.EvaluateParams{
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
	at := fmt.Sprintf(option, index)
	return &savepage.Error{
		Code: savepage.CodeInvalidRequest, Message: fmt.Sprintf("%s: %s is not a valid CSS selector", at, note.Quoted(selector)),
		Fields: []savepage.FieldError{{Location: at, Message: "is not a valid CSS selector", Value: selector}},
	}
}
