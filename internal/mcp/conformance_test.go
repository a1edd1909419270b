package mcp_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/httpd"
)

// conforming are the scenarios of the suite that apply to what the tools offer.
var conforming = []string{
	"server-initialize", "ping", "logging-set-level", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection",
	"tools-call-simple-text", "tools-call-image", "tools-call-error", // by the calls in standIns
}

// foreign are the others, with the reason.
var foreign = map[string]string{
	"completion-complete":           "there are no prompts and resource templates, whose arguments are completed",
	"tools-call-audio":              "no tool answers with sound",
	"tools-call-embedded-resource":  "a full picture is linked, not embedded",
	"tools-call-mixed-content":      "it wants an embedded resource",
	"tools-call-with-logging":       "no tool sends log messages",
	"tools-call-with-progress":      "no tool sends progress: an answer is one JSON document",
	"tools-call-sampling":           "no tool asks the client's model",
	"tools-call-elicitation":        "no tool asks the user",
	"elicitation-sep1034-defaults":  "no tool asks the user",
	"elicitation-sep1330-enums":     "no tool asks the user",
	"json-schema-2020-12":           "it looks for a tool of the suite's own server and its schema",
	"server-sse-polling":            "an answer is one JSON document, not a stream",
	"server-sse-multiple-streams":   "an answer is one JSON document, not a stream",
	"resources-read-text":           "there are no resources",
	"resources-read-binary":         "there are no resources",
	"resources-templates-read":      "there are no resources",
	"resources-subscribe":           "there are no resources",
	"resources-unsubscribe":         "there are no resources",
	"prompts-get-simple":            "there are no prompts",
	"prompts-get-with-args":         "there are no prompts",
	"prompts-get-embedded-resource": "there are no prompts",
	"prompts-get-with-image":        "there are no prompts",
}

// standIns are calls of tools here in the place of those that the suite makes of its own server's, which answer with the same
// kinds of content.
var standIns = map[string]string{
	"test_simple_text":    `"name":"capture","arguments":{"url":"https://example.com/","format":"pdf"}`,
	"test_image_content":  `"name":"capture","arguments":{"url":"https://example.com/"}`,
	"test_error_handling": `"name":"capture","arguments":{}`,
}

// TestConformance runs the protocol's conformance suite against the handler.
func TestConformance(t *testing.T) {
	t.Parallel()
	suite := installed(t)
	server := httptest.NewUnstartedServer(nil)
	hosts := httpd.NewHosts(server.Listener.Addr(), nil, nil)
	handler := handlerOf(drawn{width: 400, height: 300})
	server.Config.Handler = hosts.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer good") // which the suite cannot send
		substitute(t, r)
		handler.ServeHTTP(w, r)
	}), httpd.Refusal(http.StatusMisdirectedRequest, "misdirected", "unknown host"))
	server.Start()
	t.Cleanup(server.Close)
	t.Run("scenarios", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), "node", suite, "list", "--server").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var unknown []string
		for _, found := range regexp.MustCompile(`(?m)^  - (\S+)`).FindAllSubmatch(out, -1) {
			name := string(found[1])
			if !slices.Contains(conforming, name) && foreign[name] == "" {
				unknown = append(unknown, name)
			}
		}
		if len(unknown) > 0 || !strings.Contains(string(out), "- ping") {
			t.Errorf("scenarios without a verdict: %v", unknown)
		}
	})
	for _, scenario := range conforming {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), "node", suite, "server", "--url", server.URL+"/mcp", "--scenario", scenario, "-o", t.TempDir())
			out, err := run.CombinedOutput()
			if err != nil || !regexp.MustCompile(`Passed: ([1-9]\d*)/\d+, 0 failed`).Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// substitute puts calls of the tools here in the place of the suite's.
func substitute(t *testing.T, r *http.Request) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("read a request of the suite: %v", err)
	}
	for name, call := range standIns {
		body = regexp.MustCompile(`"name":"`+name+`"(,"arguments":\{\})?`).ReplaceAll(body, []byte(call))
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// installed is the suite, where scripts/install-test-tools has put it.
func installed(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("conformance/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/tmp/.cache" // as the script has it
	}
	sum := sha256.Sum256(lock)
	suite := filepath.Join(cache, "savepage", "mcp-"+hex.EncodeToString(sum[:8]),
		"node_modules/@modelcontextprotocol/conformance/dist/index.js")
	if _, err := os.Stat(suite); err != nil {
		t.Fatalf("%v; scripts/install-test-tools installs it", err)
	}
	return suite
}
