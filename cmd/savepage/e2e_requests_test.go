package main

import (
	"bytes"
	"image"
	_ "image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// requestLanguages are those in which the manual shows requests. scripts/install-test-tools installs them.
var requestLanguages = []struct {
	name, ending string
	run          []string // the program, before the file
}{
	{"js", "mjs", []string{"node"}},
	{"python", "py", []string{"python3"}},
	{"go", "go", []string{"go", "run"}},
	{"php", "php", []string{"php"}},
}

// TestDocumentedRequests runs the requests of README.md and docs/requests.md in every language, as they are but for the
// addresses: a picture, a result, and the error of a request that is refused.
func TestDocumentedRequests(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	for _, l := range requestLanguages {
		if _, err := exec.LookPath(l.run[0]); err != nil {
			t.Errorf("%s is not there; scripts/install-test-tools installs it", l.run[0])
			continue
		}
		run := func(source, page string) (string, string, error) {
			return runSource(t, l.ending, l.run, source, "KEY="+p.key, "BASE="+p.base, "PAGE="+page)
		}
		short := codeIn(t, "README.md", l.name, "page.png")
		short = strings.ReplaceAll(strings.ReplaceAll(short, "http://127.0.0.1:8080", p.base), "https://example.com", site+"/a")
		folder, said, err := run(short, "")
		if err != nil {
			t.Errorf("%s: README.md: %v: %s", l.name, err, said)
		} else {
			wantFullPage(t, filepath.Join(folder, "page.png"))
		}
		long := codeIn(t, "docs/requests.md", l.name, "BASE")
		_, said, err = run(long, site+"/a")
		link, status, _ := strings.Cut(strings.TrimSpace(said), " ")
		if err != nil || status != "200" || !strings.HasPrefix(link, p.base+"/captures/") {
			t.Errorf("%s: docs/requests.md: %v: %s", l.name, err, said)
		} else if answer, _, _ := p.call(http.MethodGet, link, nil); answer != http.StatusOK {
			t.Errorf("%s: the picture answers %d", l.name, answer)
		}
		if _, said, err = run(long, "ftp://example.com"); err == nil || !strings.Contains(said, "invalid_request") {
			t.Errorf("%s: of a request that is refused: %v: %s", l.name, err, said)
		}
	}
}

// runSource runs a program in a folder of its own, and returns the folder and what it said.
func runSource(t *testing.T, ending string, run []string, source string, environ ...string) (folder, said string, err error) {
	t.Helper()
	folder = t.TempDir()
	file := filepath.Join(folder, "program."+ending)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if ending == "go" { // the module is found from here; the program writes where it runs
		built := filepath.Join(folder, "program")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", built, file).CombinedOutput(); err != nil {
			return folder, string(out), err
		}
		run, file = nil, built
	}
	words := append(append([]string{}, run...), file)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environ...)
	out, err := cmd.CombinedOutput()
	return folder, string(out), err
}

func wantFullPage(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	picture, _, err := image.DecodeConfig(bytes.NewReader(text))
	if err != nil || picture.Width != 1440 || picture.Height <= 900 {
		t.Errorf("%s is %d×%d, %v", file, picture.Width, picture.Height, err)
	}
}
