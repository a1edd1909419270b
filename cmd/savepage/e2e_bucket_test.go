package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/savepage/savepage/internal/s3server"
)

// bucketServer starts an S3-compatible server and returns it with the setting of an empty place there. Programs that are
// started from now on have its credentials.
func bucketServer(t *testing.T) (*s3server.Server, string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	server, err := s3server.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	setting, err := server.Bucket("pictures", "shots/here")
	if err != nil {
		t.Fatal(err)
	}
	return server, setting
}

// TestPicturesInABucket captures into a bucket, whose server stands still meanwhile: nothing fails, and what was waiting ends
// when it goes on. A backup carries the pictures away, and a restore puts them into another place.
func TestPicturesInABucket(t *testing.T) {
	server, setting := bucketServer(t)
	p := newProgram(t, "--blobs", setting)
	p.start()
	first := p.submit(map[string]any{"html": "<body style='background:#0a0'>", "async": true, "width": 320, "height": 240})
	p.eventually("the first capture ends", func() bool { return p.lookup(first).Status == "success" })
	want := p.picture(first)
	if len(want) == 0 {
		t.Fatal("there is no picture")
	}
	if files, _ := filepath.Glob(filepath.Join(p.data, "pictures", "*", "*.png")); len(files) != 0 {
		t.Errorf("pictures are in the folder too: %q", files)
	}

	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := p.submit(map[string]any{"html": "<body style='background:#00a'>", "async": true, "width": 320, "height": 240})
	p.eventually("the bucket is found sick", func() bool {
		status, _, text := p.call(http.MethodGet, "/readyz", nil)
		return status == http.StatusServiceUnavailable && strings.Contains(string(text), "pictures")
	})
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.eventually("the second capture ends", func() bool { return p.lookup(second).Status == "success" })

	backup, restored := filepath.Join(t.TempDir(), "backup"), strings.Replace(setting, "shots/here", "shots/there", 1)
	if out, err := p.command("backup", backup, "--blobs", setting); err != nil {
		t.Fatalf("backup: %v, %s", err, out)
	}
	p.kill()
	p.data = filepath.Join(t.TempDir(), "data")
	if out, err := p.command("restore", backup, "--blobs", restored); err != nil {
		t.Fatalf("restore: %v, %s", err, out)
	}
	p.args = []string{"--blobs", restored, "--picture-links", "1h"}
	p.start()
	if got := p.picture(first); string(got) != string(want) {
		t.Errorf("the restored picture has %d bytes, want %d", len(got), len(want))
	}
	linkIsSigned(t, p.lookup(first).Image)
}

// linkIsSigned expects that a picture's address leads to the bucket.
func linkIsSigned(t *testing.T, image string) {
	t.Helper()
	plain := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := plain.Get(image)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusFound || !strings.Contains(to, "X-Amz-Signature=") {
		t.Fatalf("the picture's address answers %d to %q", answer.StatusCode, to)
	}
	if answer, err = http.Get(image); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), "\x89PNG") ||
		answer.Header.Get("Content-Type") != "image/png" {
		t.Errorf("behind it: %d, %d bytes of %s, %v", answer.StatusCode, len(text), answer.Header.Get("Content-Type"), err)
	}
}
