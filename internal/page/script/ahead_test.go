package script_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/script"
	"github.com/savepage/savepage/internal/page/session"
)

const mainFrame = "F"

// listing is a browser whose page says, of all that it is asked, how often it was asked until then. Asked for a list, it says so as
// often as the test wants.
type listing struct {
	t      *testing.T
	out    *os.File
	beside *script.Beside

	mu    sync.Mutex
	asked []string
	long  int // how many answers a list has
}

func (l *listing) Partial(string, ...any)             {}
func (l *listing) Leaves(context.Context) bool        { return false }
func (l *listing) Release(context.Context, bool) bool { return false }

func newListing(t *testing.T) *listing {
	t.Helper()
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := &listing{t: t, out: fromBrowser, long: 1}
	conn := cdp.NewConn(in, out)
	events := session.NewRouter()
	page := &session.Target{Session: session.Of(conn.Browser())}
	l.beside = script.New(page, events, mainFrame, budget.New(time.Minute, false), l, l)
	events.Listen(page)
	var serving sync.WaitGroup
	serving.Go(func() { l.serve(toBrowser) })
	t.Cleanup(func() {
		l.beside.Close()
		_ = conn.Close()
		_, _ = toBrowser.Close(), fromBrowser.Close()
		serving.Wait()
	})
	return l
}

func (l *listing) serve(from *os.File) {
	for in := bufio.NewReader(from); ; {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID     int64
			Method string
			Params struct{ Expression string }
		}
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			l.t.Error(err)
		}
		result := map[string]any{"executionContextId": 1}
		if m.Method == "Runtime.evaluate" {
			result = map[string]any{"result": map[string]any{"value": l.answer(m.Params.Expression)}}
		}
		l.say(map[string]any{"id": m.ID, "result": result})
	}
}

func (l *listing) answer(expression string) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if expression == "0" {
		return 0
	}
	l.asked = append(l.asked, expression)
	n := len(l.asked)
	if !strings.Contains(expression, "const said") {
		return n
	}
	list := make([]int, l.long)
	for i := range list {
		list[i] = 10*n + i
	}
	return list
}

func (l *listing) say(m map[string]any) {
	text, err := json.Marshal(m)
	if err == nil {
		_, err = l.out.Write(append(text, 0))
	}
	if err != nil {
		l.t.Error(err)
	}
}

// goes has the page go to another document.
func (l *listing) goes() {
	l.say(map[string]any{"method": "Page.frameNavigated", "params": map[string]any{"frame": map[string]any{"id": mainFrame}}})
}

// ask asks for one of the questions and returns the answer.
func (l *listing) ask(q session.Question) (n int) {
	l.t.Helper()
	if err := l.beside.Ask(l.t.Context(), 0, &n, q.Script+q.Function, q.Args...); err != nil {
		l.t.Fatal(err)
	}
	return n
}

// first asks a question, and the others ahead.
func (l *listing) first(answers int, others ...session.Question) (n int) {
	l.t.Helper()
	l.mu.Lock()
	l.long = answers
	l.mu.Unlock()
	further := session.Further{If: "is => is", Questions: others}
	if err := l.beside.AskOn(l.t.Context(), 0, &n, session.Question{Function: "first"}, further); err != nil {
		l.t.Fatal(err)
	}
	return n
}

// TestAskAhead asks what was asked ahead, after nothing else, after something else and of another document.
func TestAskAhead(t *testing.T) {
	t.Parallel()
	l := newListing(t)
	a, b := session.Question{Script: "s;", Function: "a", Args: []any{1}}, session.Question{Function: "b"}
	other := session.Question{Function: "a", Args: []any{2}}
	l.goes()
	for name, is := range map[string]struct{ want, got int }{
		"a list":             {10, l.first(3, a, b)},
		"the last first":     {12, l.ask(b)},
		"the other":          {11, l.ask(a)},
		"again":              {2, l.ask(a)},
		"a list that ends":   {30, l.first(2, a, b)},
		"what is in it":      {31, l.ask(a)},
		"what is not":        {4, l.ask(b)},
		"a third":            {50, l.first(3, a, b)},
		"another argument":   {6, l.ask(other)},
		"after another":      {7, l.ask(a)},
		"alone":              {80, l.first(1)},
		"after one alone":    {9, l.ask(b)},
		"of the document":    {100, l.first(3, a, b)},
		"of the next":        {11, l.after(l.goes, b)},
		"and of that ahead":  {120, l.first(3, a, b)},
		"which answers then": {122, l.ask(b)},
	} {
		if is.got != is.want {
			t.Errorf("%s: the answer is %d, want %d", name, is.got, is.want)
		}
	}
}

// after asks when something has happened that the page's side was told.
func (l *listing) after(do func(), q session.Question) int {
	do()
	for !l.beside.Free(l.t.Context()) { // what the page has said before its answer has been handled by then
	}
	return l.ask(q)
}
