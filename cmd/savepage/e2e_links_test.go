package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestLinks has the program sign links of two accounts and opens them without a key.
func TestLinks(t *testing.T) {
	t.Parallel()
	page := servePage(t, greenPage)
	p := newProgram(t)
	p.start()
	status, _, text := p.call(http.MethodPost, "/v1/links/secrets", nil)
	var made savepage.LinkSecret
	if err := json.Unmarshal(text, &made); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	link := p.link(made.Secret, page, "--width", "320", "--height", "240", "--expires", "1h")
	status, head, picture := open(t, link)
	if drawn, err := png.Decode(bytes.NewReader(picture)); err != nil || drawn.Bounds().Dx() != 320 {
		t.Fatalf("%d %v %v", status, head, err)
	}
	if head.Get("X-Cache") != "miss" || !strings.HasPrefix(head.Get("Cache-Control"), "public, max-age=3") {
		t.Errorf("%v", head)
	}
	if _, again, same := open(t, link); again.Get("X-Cache") != "hit" || !bytes.Equal(same, picture) {
		t.Errorf("the second time: %v", again)
	}
	_, mac, _ := strings.Cut(link, "&sig=")
	wrong := strings.Replace(link, "width=320", "width=640", 1)
	if status, _, text := open(t, wrong); status != http.StatusForbidden {
		t.Errorf("changed: %d %s", status, text)
	}
	if status, _, _ := p.call(http.MethodDelete, "/v1/links/secrets/"+made.ID, nil); status != http.StatusNoContent {
		t.Fatal(status)
	}
	if status, _, _ := open(t, link); status != http.StatusForbidden {
		t.Errorf("of a secret that was removed: %d", status)
	}
	var usage savepage.Usage
	if _, _, text := p.call(http.MethodGet, "/v1/usage", nil); json.Unmarshal(text, &usage) != nil || usage.CapturesPerMonth.Used != 1 {
		t.Errorf("used: %s", text)
	}
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	logs, err := os.ReadFile(p.logs.Name())
	if err != nil || !strings.Contains(string(logs), "/v1/image") {
		t.Fatalf("no request is logged: %v", err)
	}
	for _, hidden := range []string{mac, made.Secret, p.key, url.QueryEscape(page)} {
		if strings.Contains(string(logs), hidden) {
			t.Errorf("the log has %q", hidden)
		}
	}
}

// link has the command line sign a link.
func (p *program) link(secret, page string, flags ...string) string {
	p.t.Helper()
	sign := exec.CommandContext(p.t.Context(), p.path, append([]string{"link", page, "--public-url", p.base}, flags...)...)
	sign.Env = append(os.Environ(), envLinkSecret+"="+secret)
	said, err := sign.Output()
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(said))
}

// open opens an address as a browser does, without a key.
func open(t *testing.T, address string) (int, http.Header, []byte) {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, body.Bytes()
}
