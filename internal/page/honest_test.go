package page_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/truth"
)

var honest = flag.String("honest", "",
	"switch off each mechanism in turn on the pages with this in their path, and print which wrong pictures say so")

// mechanism is something that makes pictures right, and how it is switched off: what it asks of the page is asked in another way.
type mechanism struct {
	name  string
	shows string // cases of which a picture is wrong without it, between semicolons
	off   func(expression string) string
	flat  bool // the window keeps its height
}

// instead has a call answered by something else, also where it is one of several that are asked together.
func instead(call, answer string) func(string) string {
	alone := regexp.MustCompile(regexp.QuoteMeta(call) + `\(.*\)$`)
	among := regexp.MustCompile(`(?m)^said\.push\(await ` + regexp.QuoteMeta(call) + `\(.*\)\);$`)
	return func(expression string) string {
		expression = among.ReplaceAllLiteralString(expression, "said.push("+answer+");")
		return alone.ReplaceAllLiteralString(expression, answer)
	}
}

// all changes an expression in several ways.
func all(ways ...func(string) string) func(string) string {
	return func(expression string) string {
		for _, way := range ways {
			expression = way(expression)
		}
		return expression
	}
}

// unaware has what the page says of itself be changed before it is heard by those who wait.
func unaware(then string) func(string) string {
	looks := `savepage(?:Motion)?\.look\)?\(.*\)`
	alone, among := regexp.MustCompile(looks+"$"), regexp.MustCompile(`(?m)^said\.push\(await (.*`+looks+`)\);$`)
	then = ".then(r => ({...r, " + then + "}))"
	return func(expression string) string {
		if alone.MatchString(expression) {
			return expression + then
		}
		return among.ReplaceAllString(expression, "said.push(await ${1}"+then+");")
	}
}

func mechanisms() []mechanism {
	return []mechanism{
		{
			name: "waiting for changes and timers", shows: "motion: springs, waves, timelines; CountUp: figures",
			off: unaware("still: 1e9, scripted: false, timers: null, later: null, alive: false, driven: false, animated: false, " +
				"motion: null, loading: false"),
		},
		{
			name: "waiting for motion", shows: "motion: springs, waves, timelines; motion with React: cards that come in; CountUp: figures",
			off: unaware("alive: false, driven: false, animated: false, motion: null, timers: r.timers && {...r.timers, frame: -1, next: -1}"),
		},
		{
			name: "freezing", shows: "no caret in text; what never ends stands still; moving pictures show the first one",
			off: instead("savepageStill.freeze", "({moved: false, frames: 0, late: false, videos: 0})"),
		},
		{
			name: "waking what is further down", shows: "sections that appear when they are reached", flat: true, off: all(
				instead("savepageWhole.walk", "0"), instead("savepageWhole.show", "({height: 0})"), instead("savepageWhole.end", "0"),
				instead("savepageReveal.visit", "0"), instead("savepageReveal.wake", "0"),
			),
		},
		{name: "keeping what was seen", shows: "by hand: clipped, scaled, turned, hidden, of no size", off: instead("savepageReveal.keep", "0")},
		{name: "unfolding parts that scroll", shows: "SimpleBar: a part that scrolls", off: func(e string) string {
			return strings.Replace(e, "const unfold = most => {", "const unfold = most => { return;", 1)
		}},
		{name: "pictures of frames of other origins", shows: "embeds from two origins", off: instead("savepageWhole.embeds", "[]")},
	}
}

// without is a session on which a mechanism does not work.
type without struct {
	session.Session
	mechanism
}

func (w without) Send(method string, params any) *cdp.Pending {
	return w.Session.Send(method, w.change(params))
}

func (w without) Execute(ctx context.Context, method string, params, res any) error {
	return w.Session.Execute(ctx, method, w.change(params), res)
}

func (w without) Child(id target.SessionID) session.Session {
	return without{w.Session.Child(id), w.mechanism}
}

func (w without) change(params any) any {
	switch p := params.(type) {
	case runtime.EvaluateParams:
		p.Expression = w.off(p.Expression)
		return p
	case emulation.SetDeviceMetricsOverrideParams:
		if w.flat {
			p.Height = min(p.Height, 960) // the tallest window of the suite
		}
		return p
	default:
		return params
	}
}

// TestHonest switches off each mechanism in turn. Of the pictures that are wrong then, and right with it, every one has a
// report that says so.
func TestHonest(t *testing.T) {
	right := judged()
	if *honest != "" {
		right = sorted(t, page.New(shared.pool, page.Config{}, slog.New(slog.DiscardHandler)), right).right
		fmt.Printf("%d pages are right with everything\n%-40s %6s %6s  silent\n", len(right), "without", "wrong", "say so")
	}
	for _, m := range mechanisms() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			r := page.New(shared.pool, page.Config{}, slog.New(slog.DiscardHandler))
			r.Wrap(func(s session.Session) session.Session { return without{s, m} })
			cases := right
			if *honest == "" {
				shows := strings.Split(m.shows, "; ")
				cases = slices.DeleteFunc(slices.Clone(cases), func(c truth.Case) bool { return !slices.Contains(shows, c.Name) })
			}
			is := sorted(t, r, cases)
			if *honest != "" {
				fmt.Printf("%-40s %6d %6d  %s\n  wrong: %s\n", m.name, is.wrong, is.wrong-len(is.silent),
					strings.Join(is.silent, "; "), strings.Join(is.names, "; "))
			}
			if is.wrong == 0 {
				t.Error("no picture is wrong without it")
			}
			for _, name := range is.silent {
				t.Errorf("%s: the picture is wrong and the report does not say so", name)
			}
		})
	}
}

// results are what became of some cases.
type results struct {
	right  []truth.Case
	wrong  int
	names  []string // of those that are wrong
	silent []string // and of those whose report does not say so
}

// sorted renders the cases, several at once, and looks at their pictures and reports.
func sorted(t *testing.T, r *page.Renderer, cases []truth.Case) results {
	t.Helper()
	var is results
	var mu sync.Mutex
	var together errgroup.Group
	together.SetLimit(atOnce)
	for _, c := range cases {
		together.Go(func() error {
			out := truth.Run(t.Context(), r, shared.site, c)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case out.Shot.Bytes == nil:
			case len(c.Wrong(out.Shot)) == 0:
				is.right = append(is.right, c)
			default:
				is.wrong++
				is.names = append(is.names, c.Name)
				if !admits(out.Shot.Report) {
					is.silent = append(is.silent, c.Name+" ("+strings.Join(c.Wrong(out.Shot), ", ")+")")
				}
			}
			return nil
		})
	}
	_ = together.Wait()
	return is
}

// admits reports whether the report says that something is missing, unfinished or still moving.
func admits(r savepage.Report) bool { return r.Partial || r.Truncated || r.Blank || len(r.Moving) > 0 }

// judged are the cases whose pictures are looked at, each page once: those that end with a picture, in little time, and whose
// report has nothing to say.
func judged() []truth.Case {
	var cases []truth.Case
	for _, c := range truth.Cases(shared.site) {
		plain := c.Fails == "" && !c.Heavy && c.Partial == "" && len(c.Checks) > 0 && c.Options.OnTimeout == ""
		plain = plain && strings.Contains(c.Path, *honest)
		if plain && !slices.ContainsFunc(cases, func(other truth.Case) bool { return other.Path == c.Path }) {
			c.Same = 0
			cases = append(cases, c)
		}
	}
	return cases
}
