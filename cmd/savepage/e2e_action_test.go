package main

import (
	"bytes"
	"fmt"
	"image"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/yaml"
)

// action is action.yml: what the GitHub Action is given and does.
type action struct {
	inputs map[string]any
	steps  []any
}

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	all, err := yaml.Parser().Unmarshal(text)
	if err != nil {
		t.Fatal(err)
	}
	runs, _ := all["runs"].(map[string]any)
	inputs, _ := all["inputs"].(map[string]any)
	steps, _ := runs["steps"].([]any)
	if runs["using"] != "composite" || len(inputs) == 0 {
		t.Fatalf("action.yml is no composite action: %v", all)
	}
	return action{inputs, steps}
}

// step is the step of an id.
func (a action) step(t *testing.T, id string) map[string]any {
	t.Helper()
	for _, one := range a.steps {
		if step, is := one.(map[string]any); is && step["id"] == id {
			return step
		}
	}
	t.Fatalf("action.yml has no step %s", id)
	return nil
}

// stoppedCommands is what the step prints while the runner takes no commands from it.
var stoppedCommands = regexp.MustCompile(`(?s)^::stop-commands::([0-9a-f]{32})\n.*\n::([0-9a-f]{32})::\n$`)

var inputExpression = regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`)

// environ is the environment of a step, with inputs in place of their defaults.
func (a action) environ(t *testing.T, step map[string]any, given map[string]string) []string {
	t.Helper()
	var environ []string
	variables, _ := step["env"].(map[string]any)
	for name, expression := range variables {
		parts := inputExpression.FindStringSubmatch(fmt.Sprint(expression))
		if parts == nil {
			t.Fatalf("%s is %v", name, expression)
		}
		input, known := a.inputs[parts[1]].(map[string]any)
		if !known {
			t.Fatalf("%s is an input that action.yml does not list", parts[1])
		}
		value, there := given[parts[1]]
		if !there {
			value = fmt.Sprint(input["default"])
		}
		environ = append(environ, name+"="+value)
	}
	return environ
}

// capture runs the step that captures, as a runner does, and returns the folder, the outputs, what it said, and its exit code.
func (a action) capture(t *testing.T, given map[string]string) (folder, outputs, said string, code int) {
	t.Helper()
	step := a.step(t, "capture")
	folder = t.TempDir()
	script, output := filepath.Join(folder, "script.sh"), filepath.Join(folder, "outputs")
	for name, text := range map[string]string{script: fmt.Sprint(step["run"]), output: ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	run.Dir = folder
	run.Env = append(os.Environ(), a.environ(t, step, given)...)
	run.Env = append(run.Env, "GITHUB_OUTPUT="+output, "RUNNER_TEMP="+folder, "GITHUB_ACTION_PATH="+folder)
	text, err := run.CombinedOutput()
	if run.ProcessState == nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return folder, string(told), string(text), run.ProcessState.ExitCode()
}

// TestActionCaptures runs the step of the GitHub Action that captures a list, with the built program.
func TestActionCaptures(t *testing.T) {
	t.Parallel()
	program, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	a, site := readAction(t), startSite(t)
	given := map[string]string{
		"urls":    "# two pages\n" + site + "/a\n\n{\"url\": \"" + site + "/bands?height=1000\", \"fullpage\": true}\n",
		"options": "--width=640\n\n  --hide=p, .a b\n", "egress-allow": "127.0.0.0/8", "binary": program,
	}
	folder, outputs, said, code := a.capture(t, given)
	if code != 0 || outputs != "folder=savepage-pictures\nreport=savepage-pictures/report.jsonl\n" {
		t.Fatalf("exit code %d: %s%s", code, outputs, said)
	}
	pictures, err := filepath.Glob(filepath.Join(folder, "savepage-pictures", "*.png"))
	if err != nil || len(pictures) != 2 {
		t.Fatalf("%v, %v: %s", pictures, err, said)
	}
	for i, height := range []int{900, 1000} {
		text, err := os.ReadFile(pictures[i])
		if err != nil {
			t.Fatal(err)
		}
		if size, _, err := image.DecodeConfig(bytes.NewReader(text)); err != nil || size.Width != 640 || size.Height != height {
			t.Errorf("%s is %d × %d, %v", pictures[i], size.Width, size.Height, err)
		}
	}
	commands := stoppedCommands.FindStringSubmatch(said)
	if commands == nil || commands[1] != commands[2] {
		t.Errorf("commands to the runner are not kept out: %s", said)
	}
}

// TestActionOfPagesThatFail has one page of a list fail, which ends the step unless it is told otherwise, and all of them.
func TestActionOfPagesThatFail(t *testing.T) {
	t.Parallel()
	program, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	a, site := readAction(t), startSite(t)
	list := filepath.Join(t.TempDir(), "urls.txt")
	if err := os.WriteFile(list, []byte(site+"/a\nhttp://"+freeAddress(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		given map[string]string
		code  int
		says  string
	}{
		{"one", map[string]string{"file": list}, 3, "connection_failed"},
		{"one, allowed", map[string]string{"file": list, "fail-on-error": "false"}, 0, "::warning::some pages failed"},
		{"all", map[string]string{"urls": "http://" + freeAddress(t), "fail-on-error": "false"}, 1, "connection_failed"},
		{"no list", map[string]string{}, 2, "::error::urls and file are empty"},
		{"two lists", map[string]string{"file": list, "urls": site}, 2, "::error::urls and file are both given"},
		{"neither", map[string]string{"file": list, "fail-on-error": "no"}, 2, "::error::fail-on-error is no: want true or false"},
		{"no folder", map[string]string{"file": list, "output": ""}, 2, "::error::output is empty"},
		{"no program", map[string]string{"file": list, "binary": "/none"}, 2, "::error::binary is /none: no such program"},
	} {
		given := map[string]string{"binary": program, "egress-allow": "127.0.0.0/8"}
		maps.Copy(given, c.given)
		if _, _, said, got := a.capture(t, given); got != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, %s", c.name, got, said)
		}
	}
}

// TestActionIsDocumented compares the inputs of the action with the manual.
func TestActionIsDocumented(t *testing.T) {
	manual, err := os.ReadFile("../../docs/action.md")
	if err != nil {
		t.Fatal(err)
	}
	a := readAction(t)
	for name := range a.inputs {
		if !strings.Contains(string(manual), "\n| `"+name+"` |") {
			t.Errorf("docs/action.md has no row for the input %s", name)
		}
	}
	if rows := strings.Count(string(manual), "\n| `"); rows != len(a.inputs) {
		t.Errorf("docs/action.md has %d rows for %d inputs", rows, len(a.inputs))
	}
}
