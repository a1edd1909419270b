package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// answering is a server that takes captures and renders none.
func answering(t *testing.T) (*server, string) {
	t.Helper()
	sv := start(t, settings(t, t.TempDir(), "--roles", "api"))
	return sv, sv.key()
}

// G10: a cursor that was changed is refused, or leads to captures of the same account.
func TestEditedCursors(t *testing.T) {
	sv, key := answering(t)
	own := map[string]bool{}
	for range 3 {
		status, body := sv.do(http.MethodPost, "/v1/capture", key, `{"html":"x","async":true}`)
		var made told
		if err := json.Unmarshal(body, &made); err != nil || status != http.StatusAccepted {
			t.Fatalf("%d %s", status, body)
		}
		own[made.CaptureID] = true
	}
	type page struct {
		Captures   []told `json:"captures"`
		NextCursor string `json:"next_cursor"`
	}
	var first page
	_, body := sv.do(http.MethodGet, "/v1/captures?limit=1", key, "")
	if err := json.Unmarshal(body, &first); err != nil || first.NextCursor == "" {
		t.Fatalf("no cursor in %s", body)
	}
	edited := []string{first.NextCursor[1:], first.NextCursor + "A", strings.ToUpper(first.NextCursor), "0", "%00", "-1", "' OR 1=1 --"}
	for i := range first.NextCursor {
		edited = append(edited, first.NextCursor[:i]+string(first.NextCursor[i]^1)+first.NextCursor[i+1:])
	}
	refused := 0
	for _, cursor := range edited {
		q := "/v1/captures?limit=1&cursor=" + strings.NewReplacer(" ", "%20", "'", "%27", "+", "%2B", "&", "%26", "#", "%23").Replace(cursor)
		status, body := sv.do(http.MethodGet, q, key, "")
		if status == http.StatusBadRequest {
			refused++
			continue
		}
		var got page
		if err := json.Unmarshal(body, &got); err != nil || status != http.StatusOK {
			t.Errorf("%q: %d %s", cursor, status, body)
		}
		for _, one := range got.Captures {
			if !own[one.CaptureID] {
				t.Errorf("%q shows %s", cursor, one.CaptureID)
			}
		}
	}
	if refused == 0 {
		t.Error("no changed cursor is refused")
	}
}

// K12: no answer lets a page of another origin use what a browser knows of the user: there are no cookies, and no answer
// allows credentials. K10: what a proxy says of the client changes nothing that a client could gain by.
func TestOtherOrigins(t *testing.T) {
	sv, key := answering(t)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodDelete} {
		for path := range strings.FieldsSeq(
			"/v1 /v1/ /v1/capture /v1/captures /v1/batches /v1/webhooks/secret /healthz /metrics /docs /nothing") {
			for _, authorization := range []string{"", "Bearer " + key} {
				r, err := http.NewRequestWithContext(t.Context(), method, "http://"+sv.address+path, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Origin", "https://evil.test")
				r.Header.Set("Access-Control-Request-Method", "POST")
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", authorization)
				got, err := sv.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				got.Body.Close()
				origin := got.Header.Get("Access-Control-Allow-Origin")
				if got.Header.Get("Access-Control-Allow-Credentials") != "" || len(got.Header.Values("Set-Cookie")) > 0 ||
					origin != "" && (origin != "*" || path != "/v1" && path != "/v1/") {
					t.Errorf("%s %s: %v", method, path, got.Header)
				}
			}
		}
	}
	for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"} {
		if status, body := sv.askHost("/v1/captures", "localhost", name); status != http.StatusUnauthorized {
			t.Errorf("with %s and no key: %d %s", name, status, body)
		}
	}
}

// K03: how long a refusal takes says nothing about how near a key is: of all pairs of a key that shares its beginning with a
// real one and of one that does not, either is the slower in about half, whatever the machine does.
func TestKeysAreNotFoundByTime(t *testing.T) {
	sv, key := answering(t)
	const tries = 1000
	var near, far [tries]time.Duration
	for i := range tries {
		suffix := fmt.Sprintf("%06d", i)
		for _, one := range []struct {
			key  string
			took *time.Duration
		}{{key[:len(key)-6] + suffix, &near[i]}, {"sp_" + strings.Repeat("x", len(key)-9) + suffix, &far[i]}} {
			began := time.Now()
			status, _ := sv.do(http.MethodGet, "/v1/captures", one.key, "")
			*one.took = time.Since(began)
			if status != http.StatusUnauthorized {
				t.Fatalf("a wrong key gets %d", status)
			}
		}
	}
	slower := 0
	for _, a := range near {
		for _, b := range far {
			if a > b {
				slower++
			}
		}
	}
	if share := float64(slower) / tries / tries; share < 0.35 || share > 0.65 {
		t.Errorf("a near key is slower in %.2f of the pairs", share)
	}
}

// E08: the user that a browser runs as reads nothing of the service: no database, no picture, no other browser's folder.
func TestFilesAreClosedToTheBrowsersUser(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "savepage-closed-") //nolint:usetesting // t.TempDir is closed to others anyway
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	sv := start(t, settings(t, filepath.Join(dir, "data")))
	if status, body := sv.do(http.MethodPost, "/v1/capture", sv.key(), `{"html":"x"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("open"), 0o644); err != nil {
		t.Fatal(err)
	}
	read := func(path string) error {
		cmd := exec.CommandContext(t.Context(), "/bin/cat", path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61299, Gid: 61299}}
		return cmd.Run()
	}
	if err := read(open); err != nil {
		t.Fatalf("the user reads nothing at all: %v", err)
	}
	checked := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == open || !d.Type().IsRegular() {
			return nil //nolint:nilerr // what a browser has removed meanwhile
		}
		if checked++; checked < 200 && read(path) == nil {
			t.Errorf("another browser's user reads %s", path)
		}
		return nil
	})
	if err != nil || checked < 3 {
		t.Errorf("only %d files were tried: %v", checked, err)
	}
}
