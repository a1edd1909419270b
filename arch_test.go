package savepage_test

import (
	"bytes"
	"cmp"
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

// owners says which packages may import a third-party module. A module without a row may be imported nowhere.
var owners = map[string][]string{
	"github.com/chromedp/cdproto": {
		"internal/cdp", "internal/browser", "internal/page", "internal/page/banner", "internal/page/block",
		"internal/page/pdf", "internal/page/script", "internal/page/session", "internal/page/settle", "internal/page/shot",
		"internal/page/steps", "internal/page/still", "internal/page/targets", "internal/page/traffic", "internal/page/virtual", "bench",
	},
	"github.com/danielgtaylor/huma/v2":       {"internal/api"},
	"github.com/google/go-cmp":               {"internal/ledger/ledgertest"},
	"github.com/jackc/pgx/v5":                {"internal/ledger/postgres", "bench"},
	"github.com/klauspost/compress":          {"internal/picture", "internal/hostile", "internal/httpd"},
	"github.com/knadh/koanf":                 {"cmd/savepage"},
	"github.com/lmittmann/tint":              {"cmd/savepage"},
	"github.com/minio/minio-go/v7":           {"internal/blob/s3", "internal/upload"},
	"github.com/modelcontextprotocol/go-sdk": {"internal/mcp", "cmd/savepage"},
	"github.com/pressly/goose/v3":            {"internal/ledger/postgres", "internal/ledger/records", "internal/ledger/sqlite"},
	"github.com/prometheus/client_golang":    {"internal/httpd"},
	"github.com/riverqueue/river":            {"internal/ledger/postgres", "internal/ledger/records", "internal/ledger/sqlite"},
	"github.com/rs/cors":                     {"internal/httpd"},
	"github.com/schollz/progressbar/v3":      {"cmd/savepage"},
	"github.com/spf13/cobra":                 {"cmd/savepage"},
	"github.com/spf13/pflag":                 {"cmd/savepage"},
	"github.com/vishvananda/netlink":         {"internal/jail"},
	"github.com/yuin/goldmark":               {"internal/manual"},
	"go.opentelemetry.io/otel":               {"internal/tracing"},
	"golang.org/x/image":                     {"internal/picture", "internal/testsite", "internal/truth"},
	"golang.org/x/net":                       {"internal/guard", "internal/blocklist", "internal/page/pdf"},
	"golang.org/x/sync": {
		"cmd/savepage", "internal/browser", "internal/capture", "internal/keeper", "internal/page", "internal/ledger/records", "bench",
	},
	"golang.org/x/sys": {
		"internal/browser", "internal/jail", "internal/ledger/postgres", "internal/ledger/sqlite", "internal/s3server", "cmd/savepage",
		"bench/cluster", "bench/soak",
	},
	"golang.org/x/term":  {"cmd/savepage"},
	"modernc.org/sqlite": {"internal/ledger/sqlite"},
}

// maxChain is how many packages may import one another in a row, the program included.
const maxChain = 7

// maxMethods is how many methods a type may have, those in tests included.
const maxMethods = 25

// everything in the third column of the plan allows any import.
const everything = "everything"

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

// plan reads the table of packages in ARCHITECTURE.md: each package, and the packages of this module that it may import.
func plan(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| package | owns | may import |\n|---|---|---|\n")
	if !found {
		t.Fatal("ARCHITECTURE.md has no table of packages")
	}
	rows := map[string][]string{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 {
			t.Fatalf("ARCHITECTURE.md: this row has not three columns: %s", line)
		}
		name := quoted(t, cells[1])
		if _, twice := rows[name[0]]; twice || len(name) != 1 {
			t.Fatalf("ARCHITECTURE.md: this row does not begin with the name of one new package: %s", line)
		}
		rows[name[0]] = imports(t, cells[3])
	}
	return rows
}

// imports reads a cell of the third column.
func imports(t *testing.T, cell string) []string {
	t.Helper()
	switch strings.TrimSpace(cell) {
	case "nothing":
		return nil
	case everything:
		return []string{everything}
	default:
		return quoted(t, cell)
	}
}

// quoted reads the names of packages in a cell: `a`, `b`. The root package is `savepage` there, and "" here.
func quoted(t *testing.T, cell string) []string {
	t.Helper()
	var names []string
	for name := range strings.SplitSeq(strings.TrimSpace(cell), ", ") {
		if len(name) < 3 || name[0] != '`' || strings.Trim(name, "`") != name[1:len(name)-1] {
			t.Fatalf("ARCHITECTURE.md: %q is not a list of packages, each in backquotes", cell)
		}
		names = append(names, strings.TrimPrefix(strings.Trim(name, "`"), "savepage"))
	}
	return names
}

// ours gives the package's name inside this module.
func ours(imported string) (string, bool) {
	name, is := strings.CutPrefix(imported, module)
	return strings.TrimPrefix(name, "/"), is
}

func TestEveryPackageIsInThePlan(t *testing.T) {
	found, rows := packages(t), plan(t)
	for name := range found {
		if _, planned := rows[name]; !planned {
			t.Errorf("package %q has no row in the plan", name)
		}
	}
	for name := range rows {
		if _, exists := found[name]; !exists {
			t.Errorf("the plan has a row for %q, which does not exist", name)
		}
	}
}

func TestImportsFollowThePlan(t *testing.T) {
	rows := plan(t)
	for name, one := range packages(t) {
		for _, imported := range one.Imports {
			inside, isOurs := ours(imported)
			switch {
			case isOurs && !allowed(rows[name], inside):
				t.Errorf("%q imports %q, which the plan does not allow", name, inside)
			case !isOurs && strings.Contains(strings.Split(imported, "/")[0], ".") && !owned(imported, name):
				t.Errorf("%q imports %q, which belongs to another package", name, imported)
			}
		}
	}
}

func TestThePlanListsNothingThatIsNotImported(t *testing.T) {
	found := packages(t)
	for name, row := range plan(t) {
		for _, listed := range row {
			if listed != everything && !slices.Contains(found[name].Imports, strings.TrimSuffix(module+"/"+listed, "/")) {
				t.Errorf("the plan lists %q for %q, which does not import it", listed, name)
			}
		}
	}
}

func allowed(row []string, imported string) bool {
	return slices.Contains(row, everything) || slices.Contains(row, imported)
}

func owned(imported, by string) bool {
	for prefix, row := range owners {
		if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
			return slices.Contains(row, by)
		}
	}
	return false
}

// TestEnginesAreOpenedInOnePlace keeps kinds of databases and stores exchangeable: only the lists of them know them. The
// benchmarks measure a kind.
func TestEnginesAreOpenedInOnePlace(t *testing.T) {
	lists := map[string]string{
		"internal/ledger/postgres": "cmd/savepage",
		"internal/ledger/sqlite":   "cmd/savepage",
		"internal/blob/folder":     "internal/blob/stores",
		"internal/blob/s3":         "internal/blob/stores",
	}
	for name, one := range packages(t) {
		for _, imported := range one.Imports {
			kind, _ := ours(imported)
			if list, isKind := lists[kind]; isKind && name != list && !strings.HasPrefix(name, "bench") {
				t.Errorf("%q imports %q, which only %q may", name, kind, list)
			}
		}
	}
}

func TestLongestImportChain(t *testing.T) {
	found := packages(t)
	var chain func(name string) []string
	chain = func(name string) []string {
		var below []string
		for _, imported := range found[name].Imports {
			if inside, isOurs := ours(imported); isOurs {
				if next := chain(inside); len(next) > len(below) {
					below = next
				}
			}
		}
		return append([]string{cmp.Or(name, "savepage")}, below...)
	}
	for name := range found {
		if got := chain(name); len(got) > maxChain {
			t.Errorf("%d packages import one another in a row, more than %d: %s", len(got), maxChain, strings.Join(got, " → "))
		}
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
	eachFile(t, func(name string, parsed *ast.File) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s has an init function", name)
				}
			case *ast.SelectorExpr:
				test := strings.HasSuffix(name, "_test.go")
				if id, ok := n.X.(*ast.Ident); ok && test && forbiddenInTests(id.Name+"."+n.Sel.Name) {
					t.Errorf("%s calls %s.%s", name, id.Name, n.Sel.Name)
				}
			}
			return true
		})
	})
}

func TestNoTypeHasManyMethods(t *testing.T) {
	methods := map[string]int{} // by folder, package and type
	eachFile(t, func(name string, parsed *ast.File) {
		for _, decl := range parsed.Decls {
			if method, is := decl.(*ast.FuncDecl); is && method.Recv != nil {
				methods[filepath.Dir(name)+": "+parsed.Name.Name+"."+receiver(method.Recv.List[0].Type)]++
			}
		}
	})
	for name, count := range methods {
		if count > maxMethods {
			t.Errorf("%s has %d methods, more than %d: give its jobs types of their own", name, count, maxMethods)
		}
	}
	if len(methods) < 100 {
		t.Errorf("only %d types with methods were found", len(methods))
	}
}

// receiver returns the name of a method's type, without pointer and type parameters.
func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.ParenExpr:
		return receiver(of.X)
	case *ast.IndexExpr:
		return receiver(of.X)
	case *ast.IndexListExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	default:
		return "?"
	}
}

// eachFile calls look with every Go file of the module's packages, those of tests and of other systems included.
func eachFile(t *testing.T, look func(name string, parsed *ast.File)) {
	t.Helper()
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
			look(filepath.Join(name, filepath.Base(file)), parsed)
		}
	}
}

func forbiddenInTests(call string) bool {
	return slices.Contains([]string{"time.Sleep", "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip"}, call)
}
