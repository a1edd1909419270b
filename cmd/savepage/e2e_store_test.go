package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/s3server"
)

// shelf is a bucket of an account's own, at a server of its own.
type shelf struct {
	t      *testing.T
	server *s3server.Server
	dir    string
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: t.TempDir()}
	var err error
	if s.server, err = s3server.Start(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.server.Bucket("shots", ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// setUp makes it the store of the name of a program's account.
func (s *shelf) setUp(p *program, name string) {
	p.t.Helper()
	status, _, text := p.call(http.MethodPut, "/v1/stores/"+name, map[string]any{
		"endpoint": s.server.Endpoint(), "bucket": "shots", "prefix": name + "/",
		"access_key_id": s3server.AccessKey, "secret_access_key": s3server.SecretKey,
	})
	if status != http.StatusCreated {
		p.t.Fatalf("set up %s: %d %s", name, status, text)
	}
}

func (s *shelf) object(key string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "shots", key))
	if err != nil {
		s.t.Error(err)
	}
	return data
}

// putAway is what a capture with a store is answered with.
type putAway struct {
	told

	Stored *savepage.Stored `json:"stored"`
}

func putAwayBy(p *program, body any) (int, putAway) {
	p.t.Helper()
	status, _, text := p.call(http.MethodPost, "/v1/capture", body)
	var got putAway
	if err := json.Unmarshal(text, &got); err != nil {
		p.t.Fatalf("capture: %d %s", status, text)
	}
	return status, got
}

// TestStores puts pictures into a bucket of the account: one that a client waits for, one with a callback, one whose bucket hangs
// while the service is killed, and one that the bucket refuses. Meanwhile the one page serves others.
func TestStores(t *testing.T) {
	t.Parallel()
	ours, hanging := newShelf(t), newShelf(t)
	p := newProgram(t, "--concurrency", "1", "--store-timeout", "5s", "--store-retry-base", "50ms")
	hook := newReceiver(t, p.secret, takes)
	p.start()
	ours.setUp(p, "archive")
	hanging.setUp(p, "slow")

	small := map[string]any{"html": "<body style='background:#0a0'>", "width": 320, "height": 240, "store": "archive/{date}/{id}.{format}"}
	status, got := putAwayBy(p, small)
	if status != http.StatusOK || got.Stored == nil || !strings.HasPrefix(got.Stored.Key, "archive/") ||
		!strings.HasSuffix(got.Stored.Key, "/"+got.CaptureID+".png") {
		t.Fatalf("a client that waits: %d, %+v", status, got)
	}
	if !bytes.Equal(ours.object(got.Stored.Key), p.picture(got.CaptureID)) || !strings.HasSuffix(got.Stored.URL, "/shots/"+got.Stored.Key) {
		t.Errorf("another picture is in the bucket, or elsewhere: %+v", got.Stored)
	}
	small["callback_url"], small["store"] = hook.URL, map[string]any{"name": "archive", "key": "home.png"}
	told := p.submit(small)
	p.eventually("the callback", func() bool { return hook.taken([]string{told}) == 1 })
	if !bytes.Equal(ours.object("archive/home.png"), p.picture(told)) {
		t.Error("another picture is at the key")
	}

	refused := p.submit(small)
	p.eventually("the capture fails", func() bool { return p.lookup(refused).Status == "failed" })
	if fault := p.lookup(refused).Error; fault.Code != savepage.CodeStoreFailed || !strings.Contains(fault.Message, "archive/home.png") {
		t.Errorf("it failed with %v", fault)
	}

	if err := hanging.server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	small["store"] = "slow"
	var held []string
	for range 8 {
		held = append(held, p.submit(small))
	}
	p.eventually("pictures wait for the bucket", func() bool {
		n := 0
		for _, id := range held {
			n += len(p.lookup(id).Deliveries)
		}
		return n == len(held)
	})
	small["store"] = "archive"
	beside := p.submit(small)
	p.eventually("another store takes a picture meanwhile", func() bool { return p.lookup(beside).Status == "success" })
	p.kill()
	if err := hanging.server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.start()
	for _, id := range held {
		p.eventually("what waited ends", func() bool { return p.lookup(id).Status == "success" })
		if !bytes.Equal(hanging.object("slow/"+id+".png"), p.picture(id)) {
			t.Errorf("%s: another picture is in the bucket", id)
		}
	}
	p.eventually("their callbacks", func() bool { return hook.taken(held) == len(held) })
}

// TestStoreOfNobody refuses a store that the account has not, in a capture and in a row of a batch.
func TestStoreOfNobody(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "--roles", "api,render,deliver")
	p.start()
	for path, body := range map[string]map[string]any{
		"/v1/capture": {"html": "<p>", "store": "none"},
		"/v1/batches": {"captures": []map[string]any{{"html": "<p>"}, {"html": "<p>", "store": map[string]any{"name": "none"}}}},
	} {
		status, _, text := p.call(http.MethodPost, path, body)
		if status != http.StatusBadRequest || !strings.Contains(string(text), "store.name") ||
			!strings.Contains(string(text), "PUT /v1/stores/none") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
