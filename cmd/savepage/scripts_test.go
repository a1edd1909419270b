package main

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// archives serves headless shells as Chrome for Testing does: one version with a program, one without.
func archives(t *testing.T) *httptest.Server {
	t.Helper()
	platform := map[string]string{"amd64": "linux64", "arm64": "linux-arm64"}[runtime.GOARCH]
	packed := func(program string) []byte {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		header := &zip.FileHeader{Name: "chrome-headless-shell-" + platform + "/" + program}
		header.SetMode(0o700)
		w, err := z.CreateHeader(header)
		if err == nil {
			_, err = w.Write([]byte("#!/bin/sh\necho shell\n"))
		}
		if err != nil || z.Close() != nil {
			t.Fatal("no archive")
		}
		return archive.Bytes()
	}
	answers := map[string][]byte{"/latest": []byte("150.1.2.3\n")}
	for version, program := range map[string]string{"150.1.2.3": "chrome-headless-shell", "151.1.2.3": "other"} {
		answers["/files/"+version+"/"+platform+"/chrome-headless-shell-"+platform+".zip"] = packed(program)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, there := answers[r.URL.Path]; there {
			_, _ = w.Write(answer)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestBrowserIsDownloaded(t *testing.T) {
	site := archives(t)
	folder := filepath.Join(t.TempDir(), "parent", "shell")
	download := func(version string) (string, error) {
		script := exec.CommandContext(t.Context(), "../../scripts/download-browser", folder)
		script.Env = append(os.Environ(), "CHROME_MIRROR="+site.URL+"/files", "CHROME_LATEST="+site.URL+"/latest", "CHROME_VERSION="+version)
		said, err := script.CombinedOutput()
		return string(said), err
	}
	if said, err := download(""); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	program := filepath.Join(folder, "chrome-headless-shell")
	for _, c := range []struct{ version, says string }{
		{"151.1.2.3", "has no program"}, {"1.2.3.4", "could not download"}, {"newest", "is no version"},
	} {
		if said, err := download(c.version); err == nil || !strings.Contains(said, c.says) {
			t.Errorf("%s: %v: %s", c.version, err, said)
		}
	}
	// What is there is kept until another one is complete, and may be run by any user.
	info, err := os.Stat(program)
	if err != nil || info.Mode().Perm()&0o055 != 0o055 {
		t.Fatalf("%v %v", info, err)
	}
	if left, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
