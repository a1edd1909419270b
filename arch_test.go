package savepage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/savepage/savepage"

// plan is the floor plan: every package, and what of ours it may import. "*" is everything.
// ARCHITECTURE.md shows the same table; change them together.
var plan = map[string][]string{
	"":                           {},
	"client":                     {""},
	"cmd/savepage":               {"*"},
	"internal/api":               {"", "internal/capture"},
	"internal/capture":           {""},
	"internal/ledger":            {"", "internal/capture"},
	"internal/ledger/sqlite":     {"", "internal/capture", "internal/ledger"},
	"internal/ledger/ledgertest": {"", "internal/capture", "internal/ledger"},
	"internal/progress":          {"internal/capture"},
	"internal/cdp":               {},
	"internal/browser":           {"", "internal/guard", "internal/cdp"},
	"internal/page":              {"", "internal/blocklist", "internal/capture", "internal/consent", "internal/browser", "internal/cdp", "internal/guard", "internal/picture"},
	"internal/picture":           {""},
	"internal/blob":              {},
	"internal/blob/blobtest":     {"internal/blob"},
	"internal/blocklist":         {},
	"internal/consent":           {},
	"internal/webhook":           {"", "internal/guard"},
	"internal/guard":             {""},
	"internal/httpd":             {},
	"internal/testsite":          {},
	"examples/webhooks":          {},
	"internal/truth":             {"", "internal/capture", "internal/testsite"},
	"bench":                      {"*"},
}

// owners says which packages may import a third-party module. A module without a row may be imported nowhere.
var owners = map[string][]string{
	"github.com/chromedp/cdproto":         {"internal/cdp", "internal/browser", "internal/page", "bench"},
	"github.com/danielgtaylor/huma/v2":    {"internal/api"},
	"github.com/google/go-cmp":            {"internal/ledger/ledgertest"},
	"github.com/klauspost/compress":       {"internal/picture"},
	"github.com/knadh/koanf":              {"cmd/savepage"},
	"github.com/lmittmann/tint":           {"cmd/savepage"},
	"github.com/pressly/goose/v3":         {"internal/ledger/sqlite"},
	"github.com/prometheus/client_golang": {"internal/httpd"},
	"github.com/riverqueue/river":         {"internal/ledger/sqlite"},
	"github.com/schollz/progressbar/v3":   {"cmd/savepage"},
	"github.com/spf13/cobra":              {"cmd/savepage"},
	"github.com/spf13/pflag":              {"cmd/savepage"},
	"golang.org/x/image":                  {"internal/picture", "internal/testsite", "internal/truth"},
	"golang.org/x/net":                    {"internal/guard", "internal/blocklist"},
	"golang.org/x/sync":                   {"cmd/savepage", "internal/browser", "internal/page", "internal/ledger/sqlite", "bench"},
	"golang.org/x/sys":                    {"internal/browser", "internal/ledger/sqlite", "internal/blob", "cmd/savepage"},
	"golang.org/x/term":                   {"cmd/savepage"},
	"modernc.org/sqlite":                  {"internal/ledger/sqlite"},
}

// longest is how many imports of ours may hang together below cmd/savepage.
const longest = 5

type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		if len(one.GoFiles) > 0 {
			found[strings.TrimPrefix(strings.TrimPrefix(one.ImportPath, module), "/")] = one
		}
	}
}

func TestEveryPackageIsInThePlan(t *testing.T) {
	found := packages(t)
	for name := range found {
		if _, planned := plan[name]; !planned {
			t.Errorf("package %q has no row in the plan", name)
		}
	}
	for name := range plan {
		if _, exists := found[name]; !exists {
			t.Errorf("the plan has a row for %q, which does not exist", name)
		}
	}
}

func TestImportsFollowThePlan(t *testing.T) {
	for name, one := range packages(t) {
		for _, imported := range one.Imports {
			ours, isOurs := strings.CutPrefix(imported, module)
			switch ours = strings.TrimPrefix(ours, "/"); {
			case isOurs && !allowed(plan[name], ours):
				t.Errorf("%q imports %q, which the plan does not allow", name, ours)
			case !isOurs && strings.Contains(strings.Split(imported, "/")[0], ".") && !owned(imported, name):
				t.Errorf("%q imports %q, which belongs to another package", name, imported)
			}
		}
	}
}

func allowed(row []string, imported string) bool {
	return slices.Contains(row, "*") || slices.Contains(row, imported)
}

func owned(imported, by string) bool {
	for prefix, row := range owners {
		if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
			return slices.Contains(row, by)
		}
	}
	return false
}

func TestLongestImportChain(t *testing.T) {
	found := packages(t)
	var depth func(name string) int
	depth = func(name string) int {
		deepest := 0
		for _, imported := range found[name].Imports {
			if ours, isOurs := strings.CutPrefix(imported, module); isOurs {
				deepest = max(deepest, depth(strings.TrimPrefix(ours, "/")))
			}
		}
		return deepest + 1
	}
	if got := depth("cmd/savepage") - 1; got > longest {
		t.Errorf("the longest import chain below cmd/savepage is %d packages, more than %d", got, longest)
	}
}

func TestEachPackageHasOneComment(t *testing.T) {
	for name, one := range packages(t) {
		comments := 0
		for _, file := range one.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(one.Dir, file), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil {
				comments++
			}
		}
		if comments != 1 {
			t.Errorf("package %q has %d package comments, not one", name, comments)
		}
	}
}

func TestNoInitAndNoSkippedTest(t *testing.T) {
	for name, one := range packages(t) {
		files, err := filepath.Glob(filepath.Join(one.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv == nil && n.Name.Name == "init" {
						t.Errorf("%s/%s has an init function", name, filepath.Base(file))
					}
				case *ast.SelectorExpr:
					test := strings.HasSuffix(file, "_test.go")
					if id, ok := n.X.(*ast.Ident); ok && test && forbiddenInTests(id.Name+"."+n.Sel.Name) {
						t.Errorf("%s/%s calls %s.%s", name, filepath.Base(file), id.Name, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

func forbiddenInTests(call string) bool {
	return slices.Contains([]string{"time.Sleep", "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip"}, call)
}

func TestArchitectureShowsThePlan(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range plan {
		if name != "" && !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not show `%s`", name)
		}
	}
}
