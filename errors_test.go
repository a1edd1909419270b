package savepage_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestEveryCodeIsProduced fails for a code that no code of the service gives to an error: to compare with it is not enough.
func TestEveryCodeIsProduced(t *testing.T) {
	names, produced := codeNames(t), map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if slices.Contains([]string{"testsite", "truth", "ledgertest", "bench", "examples", "client", ".git", "data"}, entry.Name()) {
				return fs.SkipDir
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && path != "errors.go":
			note(t, path, produced)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range savepage.Codes() {
		name := names[string(row.Code)]
		if !produced[name] {
			t.Errorf("nothing produces the code %s (%s)", row.Code, name)
		}
	}
}

// codeNames are the names of the constants in errors.go by their values.
func codeNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	parsed, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, is := n.(*ast.ValueSpec); is && len(spec.Values) == 1 {
			if value, is := spec.Values[0].(*ast.BasicLit); is {
				names[strings.Trim(value.Value, `"`)] = spec.Names[0].Name
			}
		}
		return true
	})
	return names
}

// note adds the codes that a file mentions elsewhere than in a comparison or a case.
func note(t *testing.T, path string, produced map[string]bool) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			return n.Op != token.EQL && n.Op != token.NEQ
		case *ast.CaseClause:
			for _, statement := range n.Body {
				ast.Inspect(statement, visit)
			}
			return false
		case *ast.Ident:
			produced[n.Name] = true
		}
		return true
	}
	ast.Inspect(parsed, visit)
}
