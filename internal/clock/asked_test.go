package clock_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ordering are the packages that order or expire by time, as folders beside this one.
var ordering = []string{"api", "capture", "ledger", "webhook"}

// measured are the files that may use package time for waits and durations, and why.
var measured = map[string]string{
	"api/body.go":                 "a deadline of a connection",
	"api/events.go":               "heartbeats and a deadline of a connection",
	"capture/retry.go":            "how long a render took",
	"capture/run.go":              "how long a render took",
	"ledger/dispatch.go":          "the grace of a stop",
	"ledger/records/jobs.go":      "River measures by it",
	"ledger/records/nodes.go":     "how long a node has given signs of life",
	"ledger/records/reconcile.go": "how long a look took",
	"ledger/records/self.go":      "how long ago a node gave a sign of life",
	"ledger/sqlite/apart.go":      "how long another process works and rests",
	"webhook/try.go":              "how long an attempt took",
	"webhook/webhook.go":          "how long an attempt took",
}

// TestThoseWhoOrderAskTheClock finds code that asks the machine for the time beside the clock that was passed in.
func TestThoseWhoOrderAskTheClock(t *testing.T) {
	seen := map[string]bool{}
	for _, folder := range ordering {
		for file, call := range machineTime(t, filepath.Join("..", folder)) {
			seen[file] = true
			if measured[file] == "" {
				t.Errorf("internal/%s calls %s: ask the clock, or say here what is measured", file, call)
			}
		}
	}
	for file := range measured {
		if !seen[file] {
			t.Errorf("internal/%s does not use the machine's time any more: remove its row", file)
		}
	}
}

// machineTime returns files of a folder that ask the machine for the time, and one of the calls.
func machineTime(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		suite := entry != nil && entry.IsDir() && strings.HasSuffix(entry.Name(), "test")
		switch {
		case err != nil:
			return err
		case suite:
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, is := n.(*ast.SelectorExpr); is {
				if id, is := s.X.(*ast.Ident); is && id.Name == "time" && asks(s.Sel.Name) {
					found[filepath.ToSlash(strings.TrimPrefix(name, ".."+string(filepath.Separator)))] = "time." + s.Sel.Name
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func asks(name string) bool {
	return slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name)
}
