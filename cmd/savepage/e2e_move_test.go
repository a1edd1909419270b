package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/savepage/savepage"
)

// TestMoveToPostgreSQL moves an installation whose server was killed while captures ran, waited and owed callbacks, from SQLite and a
// folder to PostgreSQL and a bucket. The move is killed too, and started again. The server goes on there with all of it, with the keys
// that clients have; the old records serve nobody.
func TestMoveToPostgreSQL(t *testing.T) {
	_, bucket := bucketServer(t)
	database := newPostgres(t).Address("records")
	site := startSite(t)
	p := ward{newProgram(t, "--concurrency", "2")}
	var refuses atomic.Bool
	refuses.Store(true)
	hook := newReceiver(t, p.secret, func(w http.ResponseWriter, nth int) {
		if refuses.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		takes(w, nth)
	})
	p.start()
	capture := func(n int, more ...any) map[string]any {
		options := map[string]any{"url": fmt.Sprintf("%s/bands?height=300&n=%d", site, n), "width": 320, "height": 240, "callback_url": hook.URL}
		for i := 0; i < len(more); i += 2 {
			options[more[i].(string)] = more[i+1]
		}
		return options
	}
	ids := []string{p.submit(capture(0)), p.submit(capture(1))}
	p.eventually("the first ones end", func() bool { return p.lookup(ids[0]).Status == "success" && p.lookup(ids[1]).Status == "success" })
	pictures := map[string][]byte{ids[0]: p.picture(ids[0]), ids[1]: p.picture(ids[1])}
	for n := 2; n < 12; n++ {
		ids = append(ids, p.submit(capture(n, "delay", 300)))
	}
	batch := p.submitBatch(map[string]any{
		"urls": []string{site + "/a?1", site + "/a?2"}, "batch_callback_url": hook.URL, "options": map[string]any{"width": 320, "height": 240},
	})
	_, _, first := p.call(http.MethodPost, "/v1/capture", capture(100), "Idempotency-Key", "order-1")
	out, err := p.command("migrate", "--to", database, "--blobs", bucket)
	if err == nil || !strings.Contains(out, "another savepage serves it") {
		t.Errorf("moved under a running server: %v\n%s", err, out)
	}
	p.kill()

	p.killedMove("--to", database, "--blobs", bucket)
	out, err = p.command("migrate", "--to", database, "--blobs", bucket)
	if err != nil || !strings.Contains(out, "captures ") || !strings.Contains(out, "compared byte by byte") {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	t.Log(out)
	if out, err := p.command("serve", "--listen", p.listen); err == nil || !strings.Contains(out, "have moved") {
		t.Errorf("the old records are served: %v\n%s", err, out)
	}
	refuses.Store(false)
	p.args = []string{"--concurrency", "2", "--database", database, "--blobs", bucket}
	p.start()
	for id, want := range pictures {
		if !bytes.Equal(p.picture(id), want) {
			t.Errorf("the picture of %s is another one", id)
		}
	}
	_, _, again := p.call(http.MethodPost, "/v1/capture", capture(100), "Idempotency-Key", "order-1")
	if id := captureID(t, first); id != captureID(t, again) {
		t.Errorf("%s became another one: %s", id, again)
	}
	ids = append(ids, captureID(t, first))
	p.eventually("everything ends", func() bool {
		for _, id := range ids {
			if !savepage.State(p.lookup(id).Status).Final() {
				return false
			}
		}
		return p.batch(http.MethodGet, "/v1/batches/"+batch.BatchID, nil, http.StatusOK).Counts.Success == 2
	})
	for _, id := range ids {
		if got := p.lookup(id); got.Status != "success" || len(p.picture(id)) != got.Size {
			t.Errorf("%s: %+v", id, got)
		}
	}
	all := slices.Concat(ids, []string{batch.BatchID})
	p.eventually("every callback", func() bool { return hook.taken(all) == len(all) })
	hook.check()
	if err := p.terminate(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

func captureID(t *testing.T, answer []byte) string {
	t.Helper()
	_, rest, _ := strings.Cut(string(answer), `"capture_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if !strings.HasPrefix(id, "cap_") {
		t.Fatalf("no capture in %s", answer)
	}
	return id
}

// killedMove kills a move when it says that it copies rows.
func (p ward) killedMove(args ...string) {
	p.t.Helper()
	move := exec.CommandContext(p.t.Context(), p.path, append([]string{"migrate", "--data", p.data}, args...)...)
	move.Env = os.Environ()
	says, err := move.StderrPipe()
	p.must(err)
	p.must(move.Start())
	text, buffer := "", make([]byte, 4096)
	for !strings.Contains(text, "rows of captures") {
		n, err := says.Read(buffer)
		text += string(buffer[:n])
		if err != nil {
			p.t.Fatalf("the move says %q", text)
		}
	}
	p.must(move.Process.Kill())
	if err := move.Wait(); err == nil {
		p.t.Log("the move was done before it was killed")
	}
}
