package records

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// TestEveryPlan looks at the plan of every statement that stands in this package, at 300,000 captures and deliveries: none
// may read more when an account or a table holds more. It finds the statements in the source, so that a new one cannot be
// forgotten.
func TestEveryPlan(t *testing.T) {
	t.Parallel()
	l := openInside(t, newPlace(t), ledger.Config{})
	const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) `
	for _, fill := range []string{
		rows + `INSERT INTO captures (id, account, state, interactive, url, options, options_hash, created_at, due_at)
			SELECT 'cap_' || i, 'a', CASE WHEN i % 10 THEN 'success' ELSE 'failed' END, 0, 'https://a.test/' || i % 100, '{}', 'h', i, i FROM n`,
		rows + `INSERT INTO deliveries (id, capture, account, url, body, state, created_at, receiver)
			SELECT 'msg_' || i, 'cap_' || i, 'a', 'https://b.test/', '', 'delivered', i, 'b.test' FROM n`,
	} {
		if _, err := l.db.write.ExecContext(t.Context(), fill); err != nil {
			t.Fatal(err)
		}
	}
	found := statements(t)
	if len(found) < 100 {
		t.Fatalf("only %d statements are found", len(found))
	}
	seen := map[string]bool{}
	for _, s := range slices.Concat(found, lists(t)) {
		if seen[s.text] {
			continue
		}
		seen[s.text] = true
		if fault := judge(t, l, s.text); fault != "" {
			t.Errorf("%s: %s\n%s", s.place, fault, s.text)
		}
	}
}

// lists are the statements of lists, in every way to ask.
func lists(t *testing.T) []statement {
	t.Helper()
	cursor := ledger.Cursor{ID: "x"}.String()
	var all []statement
	for _, window := range []capture.Filter{{}, {Cursor: cursor}, {CreatedAfter: time.Now()}, {CreatedBefore: time.Now(), Cursor: cursor}} {
		for _, states := range [][]savepage.State{nil, {savepage.Failed}, {savepage.Queued, savepage.Running}} {
			for _, url := range []string{"", "https://a.test/1"} {
				for _, batch := range []string{"", "b"} {
					f := window
					f.States, f.URL, f.BatchID = states, url, batch
					rest, _, err := listQuery("a", f, 5)
					f.URLContains = "x"
					search, _, errSearch := listQuery("a", f, 5)
					newest, _, errNewest := newestQuery("a", f, 5)
					if err := errors.Join(err, errSearch, errNewest); err != nil {
						t.Fatal(err)
					}
					all = append(all, statement{`SELECT ` + listed + ` FROM captures ` + rest, "List"},
						statement{`SELECT ` + listed + ` FROM captures ` + search, "search"}, statement{newest, "Count"})
				}
			}
		}
	}
	for _, table := range Carried() {
		all = append(all, statement{rowsQuery(table, true, 5), "ReadRows"})
	}
	for _, state := range append(savepage.DeliveryStates(), "") {
		for _, of := range []string{"", "cap_1"} {
			for _, cursor := range []string{"", cursor} {
				where, _, err := deliveryConditions("a", capture.DeliveryFilter{State: state, CaptureID: of, Cursor: cursor})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, statement{`SELECT ` + deliveryColumns + ` FROM deliveries d WHERE ` + where + ` LIMIT ?`, "ListDeliveries"})
			}
		}
	}
	return all
}

// exceptions are parts of statements that are not judged, with the reason.
func exceptions() map[string]string {
	const (
		sealing = "looks at every secret when the master key changes"
		running = "no more run than there are pages"
		first   = "stops at the first row"
		hours   = "one account has at most 744 hours"
		stepped = "moves all that waits for a time, when the clock has stepped"
	)
	return map[string]string{
		"substr(%":                               sealing,
		"UPDATE %s SET %s = ?":                   sealing,
		"FROM river_job WHERE state = 'running'": running,
		placeValues + " WHERE state = 'available' AND queue = ?": "what River has put back itself",
		"UPDATE deliveries SET next_at = next_at + ?":            stepped,
		"UPDATE river_job SET scheduled_at = strftime":           stepped,
		hoursOf:                               hours,
		tookOf:                                hours,
		"DELETE FROM hours WHERE account = ?": hours,
		"DELETE FROM render_times WHERE account = ?": hours,
		recordedQuery: "counts so many at most, when somebody looks", bytesQuery: "reads no table",
		"DELETE FROM hosts WHERE node NOT IN":                     "when a node begins or ends",
		"OR EXISTS (SELECT 1 FROM captures)":                      first,
		"DELETE FROM attempts WHERE delivery IN %s":               "of captures that are named",
		"DELETE FROM deliveries WHERE id IN %s":                   "of captures that are named",
		"FROM %s":                                                 "moves all of it; what follows a row is a list",
		"SELECT max(version_id), (SELECT count(*) FROM captures)": "of a copy, once",
	}
}

// judge returns what is wrong with the plan of a statement.
func judge(t *testing.T, l *Ledger, query string) string {
	t.Helper()
	if beginning.MatchString(query) {
		return "" // beginnings and lists have it whole
	}
	for part := range exceptions() {
		if strings.Contains(query, part) {
			return ""
		}
	}
	lines, err := plan(t, l, query)
	if err != nil {
		return "has no plan: " + err.Error()
	}
	whole := strings.Join(lines, "\n")
	// A list that puts some of each state together sorts what it shows.
	sorts := strings.Count(whole, "TEMP B-TREE") > strings.Count(whole, "LIST SUBQUERY")
	for _, line := range lines {
		switch {
		case few.MatchString(line):
		case strings.HasPrefix(line, "SCAN") && !small.MatchString(line):
			return "reads all of a table or an index:\n" + whole
		case wide.MatchString(line) && (!strings.Contains(query, "LIMIT") || sorts):
			return "reads all of an account or a state:\n" + whole
		}
	}
	return ""
}

var (
	verb = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	// beginning is a statement that is put together of more.
	beginning = regexp.MustCompile(` (WHERE|INDEXED BY|VALUES) $|FROM river_job$|FROM \($|^SELECT id, queue,[^?]*TEXT\)$|` +
		`^UPDATE accounts SET limit_$|^SELECT count\(\*\) FROM \(SELECT id$|^UPDATE deliveries [^?]*\? \+ \? [^?]* AS n$`)
	places = regexp.MustCompile(`\?\d*`)
	// few are tables that hold little: accounts, keys and secrets are made by people, nodes are processes.
	few = regexp.MustCompile(`^(SCAN|SEARCH) (accounts|a|keys|k|turns|old_secrets|link_secrets|l|identity|sqlite_master|usage|` +
		`receivers|seen|owed|inboxes|nodes|stores)\b|` +
		// An inbox is bounded.
		`^SEARCH inbox_events USING INDEX inbox_events_account \(|` +
		` captures USING (COVERING )?INDEX captures_running\b`)
	// small are what has few rows whatever the tables hold: lists that a statement brings along, and results of its own parts.
	small = regexp.MustCompile(`^SCAN (json_each|CONSTANT ROW|waiting|newest|open|ended|first|turn|kept|r|c|\d+ CONSTANT ROWS|` +
		`\(subquery|pragma_)`)
	// wide are searches that find all of an account, or all in a state.
	wide = regexp.MustCompile(`^SEARCH .*\((account|state|queue|kind|account=\? AND state|account=\? AND url|` +
		`queue=\? AND state|state=\? AND queue)=\?( AND [^=]*[<>]\?)*\)$`)
)

func plan(t *testing.T, l *Ledger, query string) ([]string, error) {
	t.Helper()
	args := slices.Repeat([]any{1}, len(places.FindAllString(query, -1)))
	return collect(t.Context(), l.db.write, func(scan func(dest ...any) error) (string, error) {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN `+places.ReplaceAllString(query, "?"), args...)
}

// statement is a statement of this package.
type statement struct{ text, place string }

// beginnings are calls that put a statement together of a beginning and an argument, which is counted from 0.
func beginnings() map[string]struct {
	text     string
	argument int
} {
	return map[string]struct {
		text     string
		argument int
	}{
		"getCapture":   {`SELECT ` + columns + ` FROM captures WHERE `, 2},
		"listCaptures": {`SELECT ` + listed + ` FROM captures `, 2},
		"list":         {`SELECT ` + deliveryColumns + ` FROM deliveries d WHERE `, 2},
	}
}

// statements finds the statements in the source of the package.
func statements(t *testing.T) []statement {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, list := token.NewFileSet(), []*ast.File(nil)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	known := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	// What other packages declare stays unknown: constants of this one are enough.
	checked := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, _ = checked.Check("records", files, list, &known)
	var found []statement
	add := func(text string, at ast.Node) {
		found = append(found, statement{text, files.Position(at.Pos()).String()})
	}
	for _, f := range list {
		ast.Inspect(f, func(n ast.Node) bool {
			e, is := n.(ast.Expr)
			if !is {
				return true
			}
			if call, is := e.(*ast.CallExpr); is {
				if b, some := beginnings()[nameOf(call.Fun)]; some && b.argument < len(call.Args) {
					if condition := known.Types[call.Args[b.argument]].Value; condition != nil {
						add(b.text+constant.StringVal(condition), call)
					}
				}
			}
			text := textOf(e, known.Types)
			if verb.MatchString(text) {
				add(text, e)
			}
			return text == "" // parts of a text are not looked at again
		})
	}
	return found
}

func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	default:
		return ""
	}
}

// textOf returns the constant text of an expression, or the constant beginning of one that is put together.
func textOf(e ast.Expr, known map[ast.Expr]types.TypeAndValue) string {
	if v := known[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	if sum, is := e.(*ast.BinaryExpr); is && sum.Op == token.ADD {
		return textOf(sum.X, known)
	}
	return ""
}

type noImports struct{}

// Import knows no package.
func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not needed") }
