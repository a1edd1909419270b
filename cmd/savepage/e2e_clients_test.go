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
	var made savepage.LinkSecret
	status, _, text := p.call(http.MethodPost, "/v1/links/secrets", nil)
	if json.Unmarshal(text, &made) != nil || status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not there; scripts/install-test-tools installs it")
	}
	folder, err := filepath.Abs("../../clients/python")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), python, "testdata/client.py", p.base, p.key, page, p.secret, made.Secret)
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
