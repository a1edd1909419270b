package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage/internal/page/session"
)

// ahead is answers that one document has given before they were asked for, by the expressions that ask for them.
type ahead struct {
	of      *document
	answers map[string]json.RawMessage
}

// AskOn asks a question and, where its answer lets it, those that will be asked next, all at once: Ask has their answers already,
// as long as the document stays and nothing else is asked. A question that cannot be answered then ends the list.
func (p *Beside) AskOn(ctx context.Context, slack time.Duration, into any, q session.Question, further session.Further) error {
	text, expressions, err := together(q, further)
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		said := []json.RawMessage{nil}
		err := p.Evaluate(ctx, slack, &said, text)
		switch {
		case err == nil:
			p.keep(expressions, said[1:])
			return read(said[0], into)
		case !errors.Is(err, session.ErrMoved):
			return err
		}
		if err := p.moved(ctx, tries); err != nil {
			return err
		}
	}
}

// together is an expression that asks a question and, where its answer lets it, those that follow, up to the first that cannot be
// answered. Its value is the list of the answers. expressions are those that ask what follows.
func together(q session.Question, further session.Further) (text string, expressions []string, err error) {
	call, err := called(q.Function, q.Args)
	if err != nil {
		return "", nil, err
	}
	var all strings.Builder
	fmt.Fprintf(&all, "(async () => {\nconst said = [];\n%s\nsaid.push(await %s);\n", q.Script, call)
	if len(further.Questions) > 0 {
		fmt.Fprintf(&all, "if (!(%s)(said[0])) return said;\n", further.If)
	}
	all.WriteString("try {\n")
	for _, next := range further.Questions {
		if call, err = called(next.Function, next.Args); err != nil {
			return "", nil, err
		}
		expressions = append(expressions, next.Script+call)
		if next.Nothing != "" {
			fmt.Fprintf(&all, "if (said[0].plain) said.push(%s); else {\n", next.Nothing)
		} else {
			all.WriteString("{\n")
		}
		all.WriteString(next.Script)
		if next.Ahead != "" {
			fmt.Fprintf(&all, "\nif (!%s) return said;", next.Ahead)
		}
		fmt.Fprintf(&all, "\nsaid.push(await %s);\n}\n", call)
	}
	all.WriteString("} catch {}\nreturn said; })()")
	return all.String(), expressions, nil
}

// keep keeps answers of the document that was asked last.
func (p *Beside) keep(expressions []string, answers []json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = &ahead{of: p.asked, answers: map[string]json.RawMessage{}}
	for i, answer := range answers {
		p.ahead.answers[expressions[i]] = answer
	}
}

// said takes the answer to a question that was asked ahead.
func (p *Beside) said(expression string) (answer json.RawMessage, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ahead == nil || p.ahead.of != p.current || p.disabled {
		return nil, false
	}
	answer, is = p.ahead.answers[expression]
	delete(p.ahead.answers, expression)
	return answer, is
}

// forget drops what was asked ahead: the page may be another one after the next question.
func (p *Beside) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = nil
}
