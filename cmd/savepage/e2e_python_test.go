package main

import (
	"bufio"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedPythonProgram runs the documentation's program: one half submits, the other verifies and saves.
func TestDocumentedPythonProgram(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not there; scripts/install-test-tools installs it")
	}
	examples, err := filepath.Abs("../../examples/python")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	receiver := exec.CommandContext(t.Context(), python, filepath.Join(examples, "receiver.py"),
		"--listen", "127.0.0.1:0", "--out", out, "--count", "2", "--secret", p.secret)
	receiver.Stderr = os.Stderr
	said, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() {
		t.Fatal("the receiver said nothing")
	}
	hook := strings.TrimPrefix(lines.Text(), "listening on ") + "/webhooks/screenshot"
	submitted, err := exec.CommandContext(t.Context(), python, filepath.Join(examples, "submit.py"), site+"/a",
		"--base-url", p.base, "--key", p.key, "--callback-url", hook).Output()
	if err != nil {
		t.Fatalf("submit.py: %v", err)
	}
	id := strings.TrimSpace(string(submitted))
	if !lines.Scan() {
		t.Fatal("the receiver ended without a callback")
	}
	words := strings.Fields(lines.Text())
	failing, err := exec.CommandContext(t.Context(), python, filepath.Join(examples, "submit.py"), "http://"+freeAddress(t),
		"--base-url", p.base, "--key", p.key, "--callback-url", hook).Output()
	if err != nil || !lines.Scan() {
		t.Fatalf("the receiver ended without the second callback (%v)", err)
	}
	if got, want := lines.Text(), strings.TrimSpace(string(failing))+" failed connection_failed"; got != want {
		t.Errorf("of a failure the receiver said %q, not %q", got, want)
	}
	if err := receiver.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(words) != 3 || words[0] != id || words[1] != "success" || !strings.HasPrefix(words[2], out) {
		t.Fatalf("the receiver said %q for %s", words, id)
	}
	file, err := os.Open(words[2])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, format, err := image.Decode(file)
	if err != nil || format != "png" || picture.Bounds().Dx() != 1440 || picture.Bounds().Dy() <= 900 {
		t.Fatalf("saved %s %v, %v", format, picture.Bounds(), err)
	}
}
