package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/savepage/savepage"
)

func TestClassOf(t *testing.T) {
	for want, c := range map[Class]savepage.Capture{
		Interactive: {Interactive: true},
		Async:       {},
		Batch:       {BatchID: "x"},
	} {
		if got := ClassOf(c); got != want {
			t.Errorf("%+v: class %d, want %d", c, got, want)
		}
	}
}

// line is a queue of captures as a ledger has it.
type line struct {
	turns   map[string]*Turns
	now     int64
	waiting []Head
	job     int64
}

func (l *line) submit(account string, class Class, n int) {
	if l.turns == nil {
		l.turns = map[string]*Turns{}
	}
	turns := l.turns[account]
	if turns == nil {
		turns = &Turns{}
		l.turns[account] = turns
	}
	for range n {
		turns.Now = l.now
		l.job++
		id := fmt.Sprintf("%09d", l.job)
		l.waiting = append(l.waiting, Head{Account: account, Class: class, Turn: turns.Next(class), ID: id, Job: l.job})
	}
}

// take takes the next capture, or reports that none may be taken now.
func (l *line) take(p Pages, holding map[string]int, limit int) (Head, bool) {
	first := map[string]Head{}
	for _, e := range l.waiting {
		if f, some := first[e.Account]; !some || cmp.Or(cmp.Compare(e.Turn, f.Turn), cmp.Compare(e.ID, f.ID)) < 0 {
			first[e.Account] = e
		}
	}
	var heads []Head
	for _, e := range first {
		e.Limit = limit
		heads = append(heads, e)
	}
	i := p.Next(holding, heads)
	if i < 0 {
		return Head{}, false
	}
	at := slices.IndexFunc(l.waiting, func(e Head) bool { return e.Job == heads[i].Job })
	taken := l.waiting[at]
	l.waiting = slices.Delete(l.waiting, at, at+1)
	l.now = max(l.now, taken.Now())
	holding[taken.Account]++
	return taken, true
}

// one is a single page whose captures end at once.
func (l *line) one(t *testing.T) Head {
	t.Helper()
	e, some := l.take(Pages{Usual: 1}, map[string]int{}, 0)
	if !some {
		t.Fatal("nothing is taken")
	}
	return e
}

// TestTurnsKeepTheOrderOfAnAccount has captures of every class come and go: none goes before an earlier one of its account
// and class, whatever others do meanwhile.
func TestTurnsKeepTheOrderOfAnAccount(t *testing.T) {
	var l line
	last := map[string]map[Class]int64{"a": {}, "b": {}, "c": {}}
	for round := range 400 {
		l.submit("a", Class(round%3), 2)
		if round%2 == 0 {
			l.submit("b", Interactive, 1)
		}
		if round%50 == 0 {
			l.submit("c", Batch, 40)
		}
		for range 2 {
			e := l.one(t)
			if e.Job < last[e.Account][e.Class] {
				t.Fatalf("round %d: capture %d of account %s and class %d is taken after %d", round, e.Job, e.Account, e.Class,
					last[e.Account][e.Class])
			}
			last[e.Account][e.Class] = e.Job
		}
	}
}

// TestTurnsOfANewcomer has an account come while others have thousands waiting: its first goes next, and from then on it
// takes turns with them.
func TestTurnsOfANewcomer(t *testing.T) {
	var l line
	l.submit("a", Async, 7000)
	for range 3000 {
		l.one(t)
	}
	l.submit("b", Async, 100)
	if e := l.one(t); e.Account != "b" {
		t.Errorf("the next page goes to %q", e.Account)
	}
	taken := map[string]int{}
	for range 100 {
		taken[l.one(t).Account]++
	}
	if taken["b"] < 49 || taken["b"] > 51 {
		t.Errorf("of 100 captures %d are the newcomer's", taken["b"])
	}
}

// TestTurnsOfClasses has one account want captures of each class all the time.
func TestTurnsOfClasses(t *testing.T) {
	var l line
	l.submit("a", Batch, 2)
	l.submit("a", Async, 2)
	l.submit("a", Interactive, 2)
	for i, want := range []Class{Interactive, Interactive, Async, Async, Batch, Batch} {
		if e := l.one(t); e.Class != want {
			t.Errorf("capture %d is of class %d, want %d", i, e.Class, want)
		}
	}
	l = line{}
	l.submit("a", Batch, 3)
	l.submit("a", Async, 60)
	l.submit("a", Interactive, 1500)
	var taken [3]int
	for range 2 * (625 + 25 + 1) {
		taken[l.one(t).Class]++
	}
	if taken != [3]int{2 * 625, 2 * 25, 2} {
		t.Errorf("the classes got %v", taken)
	}
}

// TestTurnBesideCostsNothing has captures wait for an equal one: they move none behind them back, and are not passed.
func TestTurnBesideCostsNothing(t *testing.T) {
	turns := Turns{Now: 7}
	first := turns.Next(Async)
	beside := turns.Beside(Async)
	if next := turns.Next(Async); beside != first || next != first+Async.cost() {
		t.Errorf("turns %d, %d and %d", first, beside, next)
	}
}

func TestWhoGetsAPage(t *testing.T) {
	pages := Pages{Usual: 4, Reserve: 1}
	head := func(account string, turn int64, limit int) Head {
		return Head{Account: account, Turn: turn, Limit: limit}
	}
	for name, test := range map[string]struct {
		holding map[string]int
		heads   []Head
		want    string // account; empty for none
	}{
		"nobody waits":                 {nil, nil, ""},
		"earliest turn":                {nil, []Head{head("a", 9, 0), head("b", 8, 0)}, "b"},
		"alone, last page":             {map[string]int{"a": 3}, []Head{head("a", 9, 0)}, "a"},
		"alone, no reserve":            {map[string]int{"a": 4}, []Head{head("a", 9, 0)}, ""},
		"newcomer gets the reserve":    {map[string]int{"a": 4}, []Head{head("a", 1, 0), head("b", 9, 0)}, "b"},
		"no second from the reserve":   {map[string]int{"a": 3, "b": 1}, []Head{head("a", 1, 0), head("b", 9, 0)}, ""},
		"reserve is taken":             {map[string]int{"a": 4, "b": 1}, []Head{head("c", 1, 0)}, ""},
		"share before turn":            {map[string]int{"a": 2, "b": 1}, []Head{head("a", 1, 0), head("b", 9, 0)}, "b"},
		"equal shares, earliest turn":  {map[string]int{"a": 1, "b": 1}, []Head{head("a", 1, 0), head("b", 9, 0)}, "a"},
		"none before few":              {map[string]int{"a": 1}, []Head{head("a", 1, 0), head("b", 9, 0)}, "b"},
		"nothing lies idle":            {map[string]int{"a": 3}, []Head{head("a", 1, 0), head("b", 9, 0)}, "b"},
		"own limit":                    {map[string]int{"a": 2}, []Head{head("a", 1, 2)}, ""},
		"own limit lets others pass":   {map[string]int{"a": 2, "b": 1}, []Head{head("a", 1, 2), head("b", 9, 2)}, "b"},
		"one page, several accounts":   {map[string]int{"a": 1}, []Head{head("b", 3, 0), head("c", 2, 0)}, "c"},
		"same turn, earlier submitted": {nil, []Head{{Account: "a", Turn: 1, ID: "9"}, {Account: "b", Turn: 1, ID: "8"}}, "b"},
	} {
		got := ""
		if i := pages.Next(test.holding, test.heads); i >= 0 {
			got = test.heads[i].Account
		}
		if got != test.want {
			t.Errorf("%s: the page goes to %q, want %q", name, got, test.want)
		}
	}
	// Who only runs counts: with c an equal share of seven is two pages, without it three.
	heads := []Head{head("a", 9, 0), head("b", 1, 0)}
	if i := (Pages{Usual: 7}).Next(map[string]int{"a": 2, "b": 3, "c": 1}, heads); i != 1 {
		t.Errorf("while c runs and waits for nothing, the page goes to head %d", i)
	}
}

// TestPagesNeverAllOfThem has an account with slow captures and one with quick ones want pages all the time: neither ever
// waits while the other holds all.
func TestNoAccountKeepsAllPages(t *testing.T) {
	var l line
	pages, holding := Pages{Usual: 4, Reserve: 1}, map[string]int{}
	l.submit("slow", Interactive, 100)
	fill := func() {
		for {
			if _, some := l.take(pages, holding, 0); !some {
				return
			}
		}
	}
	fill()
	if holding["slow"] != 4 {
		t.Fatalf("alone it holds %d pages", holding["slow"])
	}
	l.submit("quick", Batch, 300)
	fill()
	if holding["quick"] != 1 || holding["slow"] != 4 {
		t.Fatalf("pages at once: %v", holding)
	}
	for i := range 200 {
		account := "quick"
		if i%20 == 0 {
			account = "slow"
		}
		holding[account]--
		fill()
		if holding["quick"] == 0 || holding["slow"] == 0 || holding["quick"]+holding["slow"] > 5 {
			t.Fatalf("after %d ends the pages are held like this: %v", i+1, holding)
		}
	}
	if holding["quick"] != 2 || holding["slow"] != 2 {
		t.Errorf("in the end the pages are held like this: %v", holding)
	}
}
