package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/savepage/savepage/internal/health"
)

// silentBrowser is the name under which the program of the tests is a browser that never answers.
const silentBrowser = "silent-browser"

// TestAnswersBeforeTheBrowser starts a server whose browser does not come up. It accepts captures, says what it waits for, and
// ends when it is told to; the next start renders them.
func TestAnswersBeforeTheBrowser(t *testing.T) {
	t.Parallel()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	browser := filepath.Join(dir, silentBrowser)
	// The browser's user may go there.
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.WriteFile(browser, text, 0o755)); err != nil {
		t.Fatal(err)
	}
	p := ward{newProgram(t)}
	usual := p.args
	p.args = append(p.args, "--browser", browser)
	launch(p.program)
	if status, why := p.wrong(string(health.Browser)); status != http.StatusServiceUnavailable || why != errStarting.Error() {
		t.Errorf("/readyz: status %d, %q", status, why)
	}
	id := p.submit(map[string]any{"html": "<h1>early</h1>", "width": 320, "height": 240})
	if got := p.lookup(id); got.Status != "queued" {
		t.Errorf("the capture: %+v", got)
	}
	if err := p.terminate(); err != nil {
		t.Errorf("the end: %v", err)
	}
	p.args = usual
	p.start()
	p.eventually("the picture", func() bool { return p.lookup(id).Status == "success" })
}
