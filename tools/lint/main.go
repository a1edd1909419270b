// Command lint builds golangci-lint with the linters that .golangci.yml enables and no others: a third of the packages, and
// so of the time. golangci-lint names its linters in one file; a copy of it, without the rest in that file, is built in its place.
// A linter that the configuration names and the build does not have stops golangci-lint.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/golangci/golangci-lint/v2"

// standard are the linters of golangci-lint's "default: standard".
func standard() []string {
	return []string{"errcheck", "govet", "ineffassign", "staticcheck", "unused"}
}

func main() {
	config := flag.String("config", "../.golangci.yml", "what names the linters")
	out := flag.String("o", "", "the program to be built")
	flag.Parse()
	if err := build(context.Background(), *config, *out); err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, config, out string) error {
	linters, err := enabled(config)
	if err != nil {
		return err
	}
	dir, err := download(ctx)
	if err != nil {
		return fmt.Errorf("find %s: %w", module, err)
	}
	scratch, err := os.MkdirTemp("", "savepage-lint-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	source := filepath.Join(scratch, "source")
	if err := os.CopyFS(source, os.DirFS(dir)); err != nil {
		return err
	}
	if err := rewrite(filepath.Join(source, "pkg/lint/lintersdb/builder_linter.go"), linters); err != nil {
		return err
	}
	pins, err := pinned(ctx, scratch, source)
	if err != nil {
		return err
	}
	return run(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-modfile", pins, "-o", out, module+"/cmd/golangci-lint")
}

// download returns the folder of the linter's source, which a fresh machine does not have yet.
func download(ctx context.Context) (dir string, err error) {
	said, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output()
	if err != nil {
		return "", err
	}
	var is struct{ Dir string }
	err = json.Unmarshal(said, &is)
	return is.Dir, err
}

// pinned copies go.mod and go.sum into the folder, with the copy in the place of the module.
func pinned(ctx context.Context, dir, source string) (string, error) {
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	pins := filepath.Join(dir, "go.mod")
	return pins, run(ctx, "go", "mod", "edit", "-replace", module+"="+source, pins)
}

func run(ctx context.Context, name string, args ...string) error {
	program := exec.CommandContext(ctx, name, args...)
	program.Stdout, program.Stderr = os.Stderr, os.Stderr
	return program.Run()
}

// enabled reads the names of the linters: the items of the list "enable" of "linters", and the standard ones.
func enabled(config string) ([]string, error) {
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	list := regexp.MustCompile(`(?m)^linters:\n  default: standard\n  enable:\n((?:    - [a-z0-9]+\n)+)`).FindSubmatch(text)
	if list == nil {
		return nil, fmt.Errorf("%s: no \"default: standard\" with a list \"enable\" after it", config)
	}
	return append(standard(), strings.Fields(strings.ReplaceAll(string(list[1]), "- ", ""))...), nil
}

// rewrite writes the file without the linters that are not wanted.
func rewrite(name string, linters []string) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if err := keep(file, linters); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := format.Node(&text, fset, file); err != nil {
		return err
	}
	return os.WriteFile(name, text.Bytes(), 0o600)
}

// keep removes from the list of linters those that are not wanted, and the imports that nothing uses any more.
func keep(file *ast.File, linters []string) error {
	var missing []string
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		list, is := n.(*ast.CompositeLit)
		if !is {
			return true
		}
		if _, is := list.Type.(*ast.ArrayType); is {
			list.Elts = slices.DeleteFunc(list.Elts, func(e ast.Expr) bool {
				name := linter(e)
				found[name] = true
				return !slices.Contains(linters, name)
			})
		}
		return false
	})
	for _, name := range linters {
		if !found[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return errors.New("golangci-lint does not have " + strings.Join(missing, ", "))
	}
	return dropImports(file)
}

// linter is the name of the package that makes a linter: X in linter.NewConfig(X.New(…)).With…(…).
func linter(e ast.Expr) string {
	for {
		call, is := e.(*ast.CallExpr)
		if !is {
			return ""
		}
		fun, is := call.Fun.(*ast.SelectorExpr)
		if !is {
			return ""
		}
		if fun.Sel.Name != "NewConfig" {
			e = fun.X
			continue
		}
		made, is := call.Args[0].(*ast.CallExpr)
		if !is {
			return ""
		}
		if from, is := made.Fun.(*ast.SelectorExpr); is {
			if name, is := from.X.(*ast.Ident); is {
				return name.Name
			}
		}
		return ""
	}
}

func dropImports(file *ast.File) error {
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, is := n.(*ast.SelectorExpr); is {
			if name, is := s.X.(*ast.Ident); is {
				used[name.Name] = true
			}
		}
		return true
	})
	for _, d := range file.Decls {
		imports, is := d.(*ast.GenDecl)
		if !is || imports.Tok != token.IMPORT {
			continue
		}
		var wrong error
		imports.Specs = slices.DeleteFunc(imports.Specs, func(s ast.Spec) bool {
			one := s.(*ast.ImportSpec)
			from, err := strconv.Unquote(one.Path.Value)
			wrong = errors.Join(wrong, err)
			return !used[path.Base(from)]
		})
		if wrong != nil {
			return wrong
		}
	}
	return nil
}
