package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDocumentForOthers has the programs of others read the OpenAPI document: redocly finds nothing wrong, not in its examples
// either, and a client made from it compiles with requests that leave out what has a default.
func TestDocumentForOthers(t *testing.T) {
	p := newProgram(t)
	p.start()
	status, _, document := p.call(http.MethodGet, "/openapi.json", nil)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, document)
	}
	folder := t.TempDir()
	redocly, typescript := lockedFolder(t, "readers", "internal/api/readers"), lockedFolder(t, "typescript", "clients/typescript")
	if err := os.WriteFile(filepath.Join(folder, "openapi.json"), document, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"redocly.yaml", "requests.ts"} {
		text, err := os.ReadFile(filepath.Join("../../internal/api/readers", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range [][]string{
		{filepath.Join(redocly, ".bin", "redocly"), "lint", "openapi.json", "--max-problems=100"},
		{filepath.Join(typescript, ".bin", "openapi-typescript"), "openapi.json", "--output", "api.d.ts"},
		{
			filepath.Join(typescript, ".bin", "tsc"), "--strict", "--noEmit", "--target", "es2022",
			"--moduleResolution", "bundler", "--module", "esnext", "requests.ts",
		},
	} {
		cmd := exec.CommandContext(t.Context(), tool[0], tool[1:]...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", tool[0], err, out)
		}
	}
}
