package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/savepage/savepage"
)

func TestBatchFileNames(t *testing.T) {
	plain := regexp.MustCompile(`^[0-9]{4,}-[a-z0-9][a-z0-9.-]*\.[a-z]+$`)
	seen := map[string]bool{}
	for i, address := range []string{
		"https://example.com", "https://example.com/", "https://EXAMPLE.com/a/b?c=d", "https://e.test/../../etc/passwd",
		"https://e.test/%2e%2e%2f%00", "https://e.test/-rf", "https://e.test/ü/\u202e", "https://[::1]:80/", "https://e.test/" +
			strings.Repeat("x", 500), "",
		"https://e.test/CON", "https://e.test/a\\b", "https://e.test/....//",
	} {
		name := fileName(i+1, savepage.Options{URL: address, Format: savepage.FormatPNG})
		if !plain.MatchString(name) || strings.Contains(name, "..") || len(name) > 100 || seen[name] {
			t.Errorf("%q is named %q", address, name)
		}
		seen[name] = true
	}
	if got := fileName(12, savepage.Options{
		URL:    "https://example.com/a/b.html?x",
		Format: savepage.FormatWebP,
	}); got != "0012-example.com-a-b.html.webp" {
		t.Error(got)
	}
}

// TestBatchGoesOnAfterAKill kills the command in the middle. What its report has is there, whole, and not done again.
func TestBatchGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	// The first six pages come at once, the others after the kill.
	killed := make(chan struct{})
	release := sync.OnceFunc(func() { close(killed) })
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(r.URL.Query().Get("n")); err != nil || n >= 6 {
			<-killed
		}
		greenPage(w, r)
	})
	t.Cleanup(release)
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const pages = 12
	var list strings.Builder
	for i := range pages {
		fmt.Fprintf(&list, "%s/?n=%d\n", page, i)
	}
	run := func() (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(path, "batch", "-", "-o", dir, "--parallel", "2", "--width", "320", "--height", "240")
		cmd.Env = append(os.Environ(), "SAVEPAGE_EGRESS_ALLOW=127.0.0.0/8")
		cmd.Stdin = strings.NewReader(list.String())
		var said bytes.Buffer
		cmd.Stderr = &said
		return cmd, &said
	}
	first, _ := run()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "three captures are in the report", func() bool { return len(reportOf(t, dir)) >= 3 })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	release()
	before := reportOf(t, dir)
	// A line that the kill cut off.
	report, err := os.OpenFile(filepath.Join(dir, reportName), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.WriteString(`{"index":1,"url":"cut o`); err != nil {
		t.Fatal(err)
	}
	if err := report.Close(); err != nil {
		t.Fatal(err)
	}
	second, said := run()
	if err := second.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if want := fmt.Sprintf("%d of %d pictures in %s, %d of them from earlier runs", pages, pages, dir,
		len(before)); !strings.Contains(said.String(), want) {
		t.Errorf("want %q in\n%s", want, said)
	}
	after := reportOf(t, dir)
	if len(after) != pages {
		t.Errorf("%d lines for %d pages", len(after), pages)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil || len(files) != pages {
		t.Errorf("%d pictures, %v", len(files), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// reportOf reads the whole lines of a report.
func reportOf(t *testing.T, dir string) (lines []reportLine) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, reportName))
	if err != nil {
		return nil // not there yet
	}
	for s := bufio.NewScanner(bytes.NewReader(text[:bytes.LastIndexByte(text, '\n')+1])); s.Scan(); {
		var one reportLine
		if err := json.Unmarshal(s.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, one.File)); err != nil || info.Size() != one.Size {
			t.Errorf("%+v without its file: %v", one, err)
		}
		lines = append(lines, one)
	}
	return lines
}
