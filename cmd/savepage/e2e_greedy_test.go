package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/savepage/savepage"
)

// Pages that give the browser more than it can take, of one account, while another keeps every page at once busy: the others'
// captures succeed, and none is rendered more than twice. The pages end after two renders at most, too.
func TestOnePageHarmsNoOther(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	stranger := p.newAccount()
	p.start()
	var hostile []string
	for _, script := range []string{
		`console.log("\x01".repeat(46e6))`,
		`console.log("a".repeat(270e6))`,
		`fetch("/x", {method: "POST", body: "\x01".repeat(46e6)})`,
		`const all = []; setInterval(() => all.push(new Blob([new Uint8Array(32 << 20).fill(all.length)])), 0)`,
		`for (let i = 0; i < 200; i++) fetch("/x?" + i + "a".repeat(2e6)).catch(() => 0)`,
		`setInterval(() => { for (let i = 0; i < 20000; i++) console.log("x".repeat(100)) }, 0)`,
	} {
		hostile = append(hostile, submitAs(p, stranger, map[string]any{
			"html": "<p>x</p><script>" + script + "</script>", "delay": 2000, "timeout": 20_000, "async": true,
		}))
	}
	over := make(chan struct{})
	var honest []string
	var mu sync.Mutex
	var loops sync.WaitGroup
	for range 3 {
		loops.Go(func() {
			for {
				id := p.submit(map[string]any{"html": "<h1>honest</h1>", "width": 320, "height": 240, "timeout": 120_000, "async": true})
				mu.Lock()
				honest = append(honest, id)
				mu.Unlock()
				p.eventually("an honest capture ends", func() bool { s := p.lookup(id).Status; return s == "success" || s == "failed" })
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	for _, id := range hostile {
		p.eventually("a hostile capture ends", func() bool { return endedAs(p, stranger, id) })
	}
	close(over)
	loops.Wait()
	for _, id := range honest {
		if got := p.lookup(id); got.Status != string(savepage.Success) {
			t.Errorf("%s: %+v", id, got)
		}
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
	attempts := map[string]int{}
	for _, m := range regexp.MustCompile(`capture ended capture=(\S+) .* attempt=(\d+)`).FindAllStringSubmatch(p.log(), -1) {
		attempts[m[1]], _ = strconv.Atoi(m[2])
	}
	for _, id := range honest {
		if n := attempts[id]; n < 1 || n > 2 {
			t.Errorf("%s was rendered %d times", id, n)
		}
	}
	for _, id := range hostile {
		if n := attempts[id]; n > 2 {
			t.Errorf("a hostile page was rendered %d times", n)
		}
	}
	t.Logf("%d honest captures", len(honest))
}

// submitAs is submit for the account of a key.
func submitAs(p *program, key string, options map[string]any) string {
	p.t.Helper()
	status, _, text := p.call(http.MethodPost, "/v1/capture", options, "Authorization", "Bearer "+key)
	var got told
	if err := json.Unmarshal(text, &got); err != nil || status != http.StatusAccepted {
		p.t.Fatalf("submit: status %d, %s", status, text)
	}
	return got.CaptureID
}

// endedAs reports whether a capture of the account of a key has ended.
func endedAs(p *program, key, id string) bool {
	p.t.Helper()
	_, _, text := p.call(http.MethodGet, "/v1/captures/"+id, nil, "Authorization", "Bearer "+key)
	var got told
	if err := json.Unmarshal(text, &got); err != nil {
		p.t.Fatal(err)
	}
	return got.Status == string(savepage.Success) || got.Status == string(savepage.Failed)
}
