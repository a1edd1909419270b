package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// TestPythonClient has the client of Python do everything that it can.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	page := servePage(t, greenPage)
	p := newProgram(t)
	p.start()
	secret := linkSecret(p)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not there; scripts/install-test-tools installs it")
	}
	folder, err := filepath.Abs("../../clients/python")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), python, "testdata/client.py", p.base, p.key, page, p.secret, secret)
	run.Env = append(os.Environ(), "PYTHONPATH="+folder, "PYTHONDONTWRITEBYTECODE=1")
	run.Stderr = os.Stderr
	said, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(said, &got); err != nil {
		t.Fatal(err)
	}
	const png = "89504e47"
	var sorted []string
	for _, f := range api.OptionFields() {
		sorted = append(sorted, f.Name)
	}
	slices.Sort(sorted)
	var names []any
	for _, name := range sorted {
		names = append(names, name)
	}
	events, _ := got["events"].([]any)
	delete(got, "events")
	want := map[string]any{
		"options": names, "picture": []any{"success", 320.0, png, png}, "again": true, "waited": "success", "batch": []any{2.0},
		"captures": true, "invalid": []any{"invalid_request", 400.0}, "closed": []any{"address_blocked", 400.0},
		"link": []any{200.0, png}, "expired": 403.0, "verified": []any{true, false}, "stale": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(events) == 0 || events[len(events)-1] != "done" {
		t.Errorf("events %v", events)
	}
}

// linkSecret makes a secret that signs links.
func linkSecret(p *program) string {
	p.t.Helper()
	var made savepage.LinkSecret
	status, _, text := p.call(http.MethodPost, "/v1/links/secrets", nil)
	if json.Unmarshal(text, &made) != nil || status != http.StatusCreated {
		p.t.Fatalf("%d %s", status, text)
	}
	return made.Secret
}

// forClient is the environment in which the own tests of a client find the server, which runs, and what they need beside it.
func forClient(p *program) []string {
	p.t.Helper()
	vectors, err := filepath.Abs("../../docs/webhook-vectors.json")
	if err != nil {
		p.t.Fatal(err)
	}
	return append(os.Environ(), "BASE="+p.base, "KEY="+p.key, "PAGE="+servePage(p.t, greenPage), "WEBHOOK_SECRET="+p.secret,
		"LINK_SECRET="+linkSecret(p), "VECTORS="+vectors, "TMPDIR="+p.t.TempDir())
}

// TestTypeScriptClient makes the types of the TypeScript client again, builds it as for a release, and has its own tests and
// examples use it.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start()
	folder := t.TempDir()
	for _, name := range []string{"src", "test", "tools", "examples"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join("../../clients/typescript", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"package.json", "tsconfig.json"} {
		text, err := os.ReadFile(filepath.Join("../../clients/typescript", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tools := lockedFolder(t, "typescript", "clients/typescript")
	if err := os.Symlink(tools, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	environ, tsc := forClient(p), filepath.Join(tools, ".bin", "tsc")
	for _, command := range [][]string{
		{"node", "tools/types.mjs", "types.ts"},
		{"diff", "--unified", "src/openapi.ts", "types.ts"}, // what differs: "npm run types" writes openapi.ts
		{tsc},
		{tsc, "--project", "test"},
		{"node", "build/test/live.test.js"},
	} {
		run := exec.CommandContext(t.Context(), command[0], command[1:]...)
		run.Dir, run.Env = folder, environ
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, said)
		}
	}
}
