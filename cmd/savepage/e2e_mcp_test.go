package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
)

// talk connects a client of the protocol's own library.
func talk(t *testing.T, over sdk.Transport) *sdk.ClientSession {
	t.Helper()
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), over, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// said is what a tool answers: its words, its pictures, its links.
type said struct {
	text     string
	pictures []image.Image
	links    []string
	failed   bool
}

func ask(t *testing.T, session *sdk.ClientSession, tool string, arguments map[string]any) said {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	got := said{failed: result.IsError}
	for _, content := range result.Content {
		switch c := content.(type) {
		case *sdk.TextContent:
			got.text += c.Text + "\n"
		case *sdk.ImageContent:
			picture, _, err := image.Decode(bytes.NewReader(c.Data))
			if err != nil {
				t.Fatal(err)
			}
			got.pictures = append(got.pictures, picture)
		case *sdk.ResourceLink:
			got.links = append(got.links, c.URI)
		}
	}
	return got
}

// id finds the id of the capture that is told of.
func (s said) id() string { return s.after("capture_id: ") }

// after is the rest of the line that follows a word.
func (s said) after(word string) string {
	_, after, _ := strings.Cut(s.text, word)
	rest, _, _ := strings.Cut(after, "\n")
	return rest
}

// captureThree makes a tall page, a batch of a good and a bad one, and looks the first up in tiles. It returns the first's link.
func captureThree(t *testing.T, session *sdk.ClientSession, site string) string {
	t.Helper()
	tall := ask(t, session, "capture", map[string]any{"url": site + "/bands?height=4704", "fullpage": true, "width": 784})
	if tall.failed || len(tall.pictures) != 1 || len(tall.links) != 1 {
		t.Fatalf("of a tall page: %s", tall.text)
	}
	if got := tall.pictures[0].Bounds().Size(); got.Y != 1568 || !strings.Contains(tall.text, fmt.Sprintf("Shown at %d×1568 px", got.X)) {
		t.Errorf("a tall page is shown as %v: %s", got, tall.text)
	}
	tiles := ask(t, session, "look_up", map[string]any{"capture_id": tall.id(), "tiles": true})
	if len(tiles.pictures) < 3 || tiles.pictures[0].Bounds().Dx() != 784 || !strings.Contains(tiles.text, "Tile 2 of ") {
		t.Errorf("%d tiles: %s", len(tiles.pictures), tiles.text)
	}
	nobody := "http://" + freeAddress(t) + "/"
	both := ask(t, session, "batch", map[string]any{"urls": []string{site + "/a", nobody}, "width": 400, "height": 300})
	if both.failed || len(both.pictures) != 1 || !strings.Contains(both.text, "2. "+nobody+": failed: connection_failed") {
		t.Errorf("of a batch: %s", both.text)
	}
	again := ask(t, session, "look_up", map[string]any{"batch_id": both.after("batch_id: "), "first_item": 2})
	if again.failed || len(again.pictures) != 0 || !strings.Contains(again.text, "2 pages: 1 captured, 1 failed.") ||
		!strings.Contains(again.text, "2. "+nobody) || strings.Contains(again.text, "1. ") {
		t.Errorf("of the batch later: %s", again.text)
	}
	one := ask(t, session, "capture", map[string]any{"url": nobody})
	if !one.failed || !strings.Contains(one.text, "connection_failed: ") {
		t.Errorf("of a page that fails: %s", one.text)
	}
	return tall.links[0]
}

// giveUp ends the wait for a page that never answers, and returns when the page's own request has ended.
func giveUp(t *testing.T, session *sdk.ClientSession) {
	t.Helper()
	reached, left := make(chan struct{}), make(chan struct{})
	never := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			close(reached)
			<-r.Context().Done()
			close(left)
		}
	}))
	t.Cleanup(never.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := session.CallTool(ctx, &sdk.CallToolParams{
			Name: "capture", Arguments: map[string]any{"url": never.URL + "/", "timeout": 300_000},
		})
		ended <- err
	}()
	<-reached
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the call ends with %v", err)
	}
	<-left
}

// TestToolsOnStandardInput talks to savepage mcp, which renders by itself.
func TestToolsOnStandardInput(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	start := func(args ...string) *sdk.ClientSession {
		return talk(t, &sdk.CommandTransport{Command: exec.Command(path, append([]string{"mcp"}, args...)...)})
	}
	session := start("--egress-allow", "127.0.0.0/8", "--folder", folder)
	link := captureThree(t, session, site)
	file, is := strings.CutPrefix(link, "file://")
	before, err := os.ReadFile(file)
	if !is || err != nil || len(before) == 0 || filepath.Dir(file) != folder {
		t.Errorf("the link is %s (%v)", link, err)
	}
	giveUp(t, session)
	if got := ask(t, session, "capture", map[string]any{"url": site + "/a", "cache_ttl": 60}); !strings.Contains(got.text, "--server") {
		t.Errorf("of an option that needs a server: %s", got.text)
	}
	other := start("--egress-allow", "127.0.0.0/8", "--folder", folder)
	if got := ask(t, other, "capture", map[string]any{"url": site + "/a"}); got.failed || len(got.pictures) != 1 {
		t.Errorf("by a second run: %s", got.text)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a second run has changed the picture of the first (%v)", err)
	}
	closed := start()
	if got := ask(t, closed, "capture", map[string]any{"url": site + "/a"}); !strings.Contains(got.text, "--egress-allow 127.0.0.1/32") {
		t.Errorf("of a page on this machine: %s", got.text)
	}
}

// TestToolsOfAServer talks to /mcp of a server, and to savepage mcp in front of it.
func TestToolsOfAServer(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t, "--log-level", "debug")
	p.start()
	over := talk(t, toolsAt(p, p.key))
	link := captureThree(t, over, site)
	if status, _, _ := p.call(http.MethodGet, link, nil); status != http.StatusOK {
		t.Errorf("the link answers %d", status)
	}
	giveUp(t, over)
	command := exec.Command(p.path, "mcp", "--server", p.base)
	command.Env = append(os.Environ(), envKey+"="+p.key)
	before := talk(t, &sdk.CommandTransport{Command: command})
	link = captureThree(t, before, site)
	if status, _, _ := p.call(http.MethodGet, link, nil); status != http.StatusOK {
		t.Errorf("the link answers %d", status)
	}
	giveUp(t, before)
	p.eventually("both captures are canceled", func() bool {
		_, _, text := p.call(http.MethodGet, "/v1/captures?state=canceled", nil)
		return strings.Count(string(text), `"canceled"`) == 2
	})
	if err := p.terminate(); err != nil {
		t.Errorf("the program ends with %v", err)
	}
	log, err := os.ReadFile(p.logs.Name())
	if err != nil || strings.Contains(string(log), p.key) {
		t.Errorf("the key is in the log (%v)", err)
	}
	if !strings.Contains(string(log), "route=/mcp path=/mcp status=200") || !strings.Contains(string(log), "account="+p.account) {
		t.Errorf("the log does not say who asked")
	}
}

// TestToolsNeedScopes asks with keys that may not do everything.
func TestToolsNeedScopes(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	answer, err := http.Post(p.base+mcpPath, "application/json", strings.NewReader(`{}`))
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("without a key: %v %v", answer, err)
	}
	_ = answer.Body.Close()
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	if _, err := client.Connect(t.Context(), toolsAt(p, "sp_nobody"), nil); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("with a bad key: %v", err)
	}
	page := map[string]any{"url": site + "/a", "width": 400, "height": 300}
	urls := map[string]any{"urls": []string{site + "/a", site + "/b"}, "width": 400, "height": 300}
	takes, reads := talk(t, toolsAt(p, keyFor(p, "capture"))), talk(t, toolsAt(p, keyFor(p, "read")))
	taken := ask(t, takes, "capture", page)
	if taken.failed || len(taken.pictures) != 1 {
		t.Errorf("with the scope capture: %s", taken.text)
	}
	if both := ask(t, takes, "batch", urls); both.failed || len(both.pictures) != 2 {
		t.Errorf("a batch with the scope capture: %s", both.text)
	}
	for tool, arguments := range map[string]map[string]any{"capture": page, "batch": urls} {
		got := ask(t, reads, tool, arguments)
		if !got.failed || !strings.Contains(got.text, `forbidden: this key does not have the scope "capture"`) {
			t.Errorf("%s with the scope read: %s", tool, got.text)
		}
	}
	if got := ask(t, reads, "look_up", map[string]any{"capture_id": taken.id()}); got.failed || len(got.pictures) != 1 {
		t.Errorf("a look-up with the scope read: %s", got.text)
	}
	if got := ask(t, talk(t, toolsAt(p, keyFor(p, "admin"))), "look_up", map[string]any{"capture_id": taken.id()}); !got.failed {
		t.Errorf("a look-up with the scope admin: %s", got.text)
	}
}

// TestToolsCountOnce has a key whose account may ask twice a minute.
func TestToolsCountOnce(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t, "--rate-limit", "2")
	p.start()
	session := talk(t, toolsAt(p, p.key)) // which asks for no capture, and does not count
	page := map[string]any{"url": site + "/a", "width": 400, "height": 300}
	for i := range 2 {
		if got := ask(t, session, "capture", page); got.failed || len(got.pictures) != 1 {
			t.Fatalf("capture %d: %s", i+1, got.text)
		}
	}
	got := ask(t, session, "capture", page)
	if !got.failed || !strings.Contains(got.text, "rate_limited: the limit is 2 requests per minute") ||
		!strings.Contains(got.text, "Try again in ") {
		t.Errorf("the third: %s", got.text)
	}
}

// toolsAt is the way to the tools of the server with a key.
func toolsAt(p *program, key string) sdk.Transport {
	return &sdk.StreamableClientTransport{Endpoint: p.base + mcpPath, HTTPClient: &http.Client{Transport: withKey(key)}}
}

// keyFor makes a key of the account with one scope.
func keyFor(p *program, scope string) string {
	p.t.Helper()
	var made savepage.Issued
	text := p.run("key", "create", "--account", p.account, "--scopes", scope, "--json")
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		p.t.Fatal(err)
	}
	return made.Key
}

// withKey sends a key with every request, each on a connection of its own: other tests close idle ones of the default transport.
type withKey string

func (k withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}
