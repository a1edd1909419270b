package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// acknowledged is the captures that a server under load has answered with 202.
type acknowledged struct {
	mu  sync.Mutex
	ids []string
}

func (a *acknowledged) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
}

// all returns the ids up to now.
func (a *acknowledged) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.ids...)
}

// submitUntil submits captures from several clients until the function that it returns is called.
func (p *program) submitUntil(to *acknowledged) (stop func()) {
	p.t.Helper()
	var group sync.WaitGroup
	var over atomic.Bool
	for client := range 3 {
		group.Go(func() {
			for n := 0; !over.Load(); n++ {
				html := fmt.Sprintf("<body style='background:#%02x%02x40'>%d of %d", n%256, client*40, n, client)
				to.add(p.submit(map[string]any{"html": html, "async": true, "width": 320, "height": 240}))
			}
		})
	}
	return func() { over.Store(true); group.Wait() }
}

// picture returns the picture of a capture that is a success; else nothing.
func (p *program) picture(id string) []byte {
	p.t.Helper()
	got := p.lookup(id)
	if got.Status != "success" {
		return nil
	}
	status, _, text := p.call(http.MethodGet, got.Image, nil)
	if status != http.StatusOK {
		p.t.Errorf("the picture of %s: status %d", id, status)
	}
	return text
}

// command runs another command of the program on the data folder.
func (p *program) command(args ...string) (string, error) {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), p.path, append(args, "--data", p.data)...).CombinedOutput()
	return string(out), err
}

// TestBackupUnderLoad copies a server that is accepting, rendering and removing captures, and starts another one with the
// copy. Every capture that was acknowledged before the backup began is there, and each picture, byte by byte.
func TestBackupUnderLoad(t *testing.T) {
	p := newProgram(t, "--concurrency", "2", "--max-pending", "1000000")
	p.start()
	var load acknowledged
	stop := p.submitUntil(&load)
	p.eventually("some captures have ended", func() bool {
		ids := load.all()
		return len(ids) > 60 && p.lookup(ids[7]).Status == "success"
	})
	var before []string
	pictures := map[string][]byte{}
	for i, id := range load.all() {
		picture := p.picture(id)
		if picture != nil && i%4 == 0 {
			p.call(http.MethodDelete, "/v1/captures/"+id, nil) // gone before the backup
			continue
		}
		pictures[id] = picture
		before = append(before, id)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	for range 2 { // the second one copies only what is new
		if out, err := p.command("backup", dir); err != nil || !strings.Contains(out, "captures and") {
			t.Fatalf("backup: %v, %s", err, out)
		}
	}
	stop()
	if out, err := p.command("restore", dir); err == nil || !strings.Contains(out, "another savepage serves it") {
		t.Errorf("restored into a folder in use: %v, %s", err, out)
	}
	p.kill()

	p.data = filepath.Join(t.TempDir(), "data")
	if out, err := p.command("restore", dir); err != nil {
		t.Fatalf("restore: %v, %s", err, out)
	}
	p.start()
	for _, id := range before {
		if got := p.lookup(id); got.Status != "success" && got.Status != "queued" && got.Status != "running" {
			t.Errorf("%s is %s: %v", id, got.Status, got.Error)
		}
		if want := pictures[id]; want != nil && !bytes.Equal(p.picture(id), want) {
			t.Errorf("the picture of %s is another one", id)
		}
		p.picture(id)
	}
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
}
