package savepage_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsExist reads the tables of SECURITY.md and docs/hostile.md: a cell that begins with a package in backquotes
// lists tests of it, until the next package.
func TestNamedTestsExist(t *testing.T) {
	tests := map[string]bool{} // package and name
	eachFile(t, func(name string, parsed *ast.File) {
		for _, decl := range parsed.Decls {
			if fn, is := decl.(*ast.FuncDecl); is && fn.Recv == nil {
				tests[filepath.Dir(name)+" "+fn.Name.Name] = true
			}
		}
	})
	group := regexp.MustCompile("`([a-z/]+)` ((?:(?:Test|Fuzz)\\w+(?:, )?)+)")
	for file, atLeast := range map[string]int{"SECURITY.md": 50, "docs/hostile.md": 50} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, found := range group.FindAllStringSubmatch(string(text), -1) {
			for test := range strings.SplitSeq(strings.TrimSuffix(found[2], ", "), ", ") {
				if named++; !tests[found[1]+" "+test] {
					t.Errorf("%s names %s of %s, which does not exist", file, test, found[1])
				}
			}
		}
		if mentioned := len(regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1)); named < atLeast || named != mentioned {
			t.Errorf("%s: %d tests are named in lists of a package, and %d in all", file, named, mentioned)
		}
	}
}
