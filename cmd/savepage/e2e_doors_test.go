package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	_ "image/jpeg" // pictures are read
	_ "image/png"  // pictures are read
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// clientsFolder is where the clients of other services are.
func clientsFolder(t *testing.T) string {
	t.Helper()
	return lockedFolder(t, "clients", "internal/doors/clients")
}

// lockedFolder is where scripts/install-test-tools puts what a lock file names: its name is from that file.
func lockedFolder(t *testing.T, name, from string) string {
	t.Helper()
	lock, err := os.ReadFile("../../" + from + "/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "savepage", name+"-"+hex.EncodeToString(sum[:])[:16], "node_modules")
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("%v; scripts/install-test-tools installs it", err)
	}
	return folder
}

// newcomer is a program whose account has an API secret, and the folder in which clients of other services run.
type newcomer struct {
	*program

	apiSecret string
	folder    string
}

func newNewcomer(t *testing.T, args ...string) *newcomer {
	t.Helper()
	p := newProgram(t, args...)
	var made savepage.Issued
	if err := json.Unmarshal([]byte(p.run("key", "create", "--account", p.account, "--api-secret", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	p.key = made.Key
	p.start()
	return &newcomer{p, made.APISecret, t.TempDir()}
}

// node runs a script with the clients at hand and returns what it printed.
func (n *newcomer) node(script string, more ...string) string {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), "node", "-e", script)
	cmd.Dir = n.folder
	cmd.Env = append(os.Environ(), "NODE_PATH="+clientsFolder(n.t), "KEY="+n.key, "API_SECRET="+n.apiSecret, "BASE="+n.base)
	cmd.Env = append(cmd.Env, more...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("node: %v\n%s", err, out)
	}
	return string(out)
}

// tool runs another program in the folder of the clients and returns what it printed.
func (n *newcomer) tool(name string, args ...string) string {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), name, args...)
	cmd.Dir = n.folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// example runs the script of the guide for moving from a peer, with the addresses of the test.
func (n *newcomer) example(peer, page string) string {
	n.t.Helper()
	name := "docs/moving-" + strings.ToLower(peer) + ".md"
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		n.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Example\n")
	_, rest, _ = strings.Cut(rest, "```js\n")
	script, _, found := strings.Cut(rest, "```")
	if !found || !strings.Contains(script, "https://savepage.example.com") || !strings.Contains(script, "https://example.com") {
		n.t.Fatalf("%s has no example", name)
	}
	return n.node(strings.NewReplacer("https://savepage.example.com", n.base, "https://example.com", page).Replace(script))
}

// picture is the size of the picture in a file that a client has written.
func (n *newcomer) picture(name string) image.Config {
	n.t.Helper()
	file, err := os.Open(filepath.Join(n.folder, name))
	if err != nil {
		n.t.Fatal(err)
	}
	defer file.Close()
	config, _, err := image.DecodeConfig(file)
	if err != nil {
		n.t.Fatal(err)
	}
	return config
}

// get sends a GET request without any header.
func (n *newcomer) get(path string) (int, http.Header, []byte) {
	n.t.Helper()
	answer, err := http.Get(n.base + path)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, body
}

// unlogged fails the test if the log has one of the texts, or no line of a request.
func (n *newcomer) unlogged(secrets ...string) {
	n.t.Helper()
	log, err := os.ReadFile(n.logs.Name())
	if err != nil {
		n.t.Fatal(err)
	}
	if !bytes.Contains(log, []byte(" INF request ")) {
		n.t.Error("the log has no requests")
	}
	for _, secret := range append(secrets, n.key, n.apiSecret) {
		if bytes.Contains(log, []byte(secret)) {
			n.t.Errorf("the log has %q", secret)
		}
	}
}

const screenshotOneFails = `
const { Client, TakeOptions } = require("screenshotone-api-sdk");
const tries = [
  [new Client("sp_unknown", process.env.API_SECRET, process.env.BASE), TakeOptions.html("<p>x")],
  [new Client(process.env.KEY, "another secret", process.env.BASE), TakeOptions.html("<p>x")],
  [new Client(process.env.KEY, process.env.API_SECRET, process.env.BASE), TakeOptions.html("<p>x").viewportWidth(99)],
  [new Client(process.env.KEY, process.env.API_SECRET, process.env.BASE), TakeOptions.html("<p>x").proxy("http://proxy.example")],
  [new Client(process.env.KEY, process.env.API_SECRET, process.env.BASE), TakeOptions.html("<p>x").delay(31)],
];
(async () => {
  for (const [client, options] of tries) {
    await client.take(options).catch((e) => console.log([e.httpStatusCode, e.errorCode, e.errorMessage].join("|")));
  }
})();`

// TestScreenshotOneClient runs ScreenshotOne's own client against the server: the example of the manual, and what it is told
// when it is wrong.
func TestScreenshotOneClient(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	n.example("ScreenshotOne", startSite(t)+"/bands?height=3000")
	if got := n.picture("page.png"); got.Width != 800 || got.Height != 3000 {
		t.Errorf("the picture is %d × %d", got.Width, got.Height)
	}
	want := []string{
		"401|access_key_invalid|the key is not valid",
		"403|signature_is_not_valid|the signature is not that of this query",
		"400|request_not_valid|viewport_width must be from 320 to 3840 (it becomes width)",
		"400|request_not_valid|proxy is not supported: pages are fetched directly",
		"400|request_not_valid|delay must be from 0 to 30000 milliseconds",
	}
	got := strings.Split(strings.TrimSpace(n.node(screenshotOneFails)), "\n")
	for i, one := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], one) {
			t.Errorf("want %s, got %q", one, got)
		}
	}
	n.unlogged("another secret")
}

// TestScreenshotOneAnswers looks at what the client does not: JSON, headers, defaults, and a link without a signature.
func TestScreenshotOneAnswers(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	status, header, body := n.call(http.MethodPost, "/take", map[string]any{
		"access_key": n.key, "html": "<title>Hello</title><p>x", "response_type": "json", "metadata_page_title": true,
		"metadata_image_size": true, "servers_region": "eu", "never_heard_of": 1,
	}, "Authorization", "")
	var told struct {
		URL      string `json:"screenshot_url"`
		Metadata struct {
			Title string `json:"page_title"`
			Size  struct{ Width, Height int }
		}
	}
	if err := json.Unmarshal(body, &told); err != nil || status != http.StatusOK || told.Metadata.Title != "Hello" {
		t.Fatalf("%d, %v, %s", status, err, body)
	}
	if header.Get("X-Screenshotone-Image-Width") != "1280" || header.Get("X-Savepage-Ignored") != "never_heard_of, servers_region" {
		t.Errorf("headers %v", header)
	}
	status, header, body = n.get(strings.TrimPrefix(told.URL, n.base))
	if config, format, err := image.DecodeConfig(bytes.NewReader(body)); err != nil || format != "jpeg" || config.Height != 1024 {
		t.Errorf("%d, %v: %s of %d rows, %v", status, header, format, config.Height, err)
	}
	if status, _, body := n.get("/take?html=x&access_key=" + n.key); status != http.StatusForbidden {
		t.Errorf("without a signature: %d, %s", status, body)
	}
	n.unlogged()
}

const urlboxLinks = `
const Urlbox = require("urlbox").default;
const page = { html: "<p style='height:2000px'>x", format: "jpg", retina: true, width: 400, height: 300, click: ["p", "body"] };
console.log(Urlbox(process.env.KEY, process.env.API_SECRET, "/v1/").generateRenderLink(page));
console.log(Urlbox(process.env.KEY, "another secret", "/v1/").generateRenderLink(page));
console.log(Urlbox(process.env.KEY, process.env.API_SECRET, "/v1/").generateRenderLink({ ...page, highlight: "x" }));
console.log(Urlbox("ca482d7e-9417-4569-90fe-80f7c5e1c781", process.env.API_SECRET, "/v1/").generateRenderLink(page));
console.log(Urlbox(process.env.KEY, process.env.API_SECRET, "/v1/").generateInsecureRenderLink(page));`

// TestUrlboxClient runs Urlbox's own client: the example of the manual, and links of each kind.
func TestUrlboxClient(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	n.example("Urlbox", startSite(t)+"/bands?height=3000")
	if got := n.picture("page.png"); got.Width != 800 || got.Height != 3000 {
		t.Errorf("the picture is %d × %d", got.Width, got.Height)
	}
	links := strings.Fields(n.node(urlboxLinks))
	for try, cached := range []string{"MISS", "HIT"} {
		status, header, body := n.get(links[0])
		config, format, err := image.DecodeConfig(bytes.NewReader(body))
		if err != nil || status != http.StatusOK || format != "jpeg" || config.Width != 800 || config.Height != 600 {
			t.Errorf("link %d: %d, %s, %+v, %v", try, status, format, config, err)
		}
		if header.Get("X-Urlbox-Cache-Status") != cached || header.Get("Cache-Control") != "public, max-age=2592000" {
			t.Errorf("link %d: %v", try, header)
		}
	}
	for i, want := range map[int]string{1: "InvalidToken", 2: "InvalidOptions", 3: "ApiKeyNotFound", 4: "InvalidToken"} {
		status, header, body := n.get(links[i])
		if status < http.StatusBadRequest || !bytes.Contains(body, []byte(want)) || header.Get("X-Urlbox-Error-Message") == "" {
			t.Errorf("%s: %d, %s", want, status, body)
		}
	}
	token := strings.Split(links[0], "/")[3]
	n.unlogged("ca482d7e-9417-4569-90fe-80f7c5e1c781", token)
	// Paths of the API that look like a link are the API's.
	if status, header, _ := n.call(http.MethodGet, "/v1/captures/cap_none/image", nil); status != http.StatusNotFound ||
		header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the API's path: %d, %v", status, header)
	}
}

// TestSecondVersion asks for the second version of savepage.io's API: the result is arranged otherwise, errors are not.
func TestSecondVersion(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	for _, path := range []string{"/v2?html=x&width=500", "/v2/?html=x&width=500"} {
		status, _, body := n.call(http.MethodGet, path, nil)
		var told struct {
			Status string
			Data   struct {
				ImageURL string `json:"image_url"`
				Viewport struct{ Width, Height int }
				Output   struct {
					Format string
					Size   int `json:"size_bytes"`
				}
				Timing savepage.Timing
			}
			Meta struct {
				ID string `json:"capture_id"`
			}
		}
		if err := json.Unmarshal(body, &told); err != nil || status != http.StatusOK || told.Status != "success" {
			t.Fatalf("%d, %v, %s", status, err, body)
		}
		_, _, picture := n.get(strings.TrimPrefix(told.Data.ImageURL, n.base))
		if told.Data.Viewport.Width != 500 || told.Data.Viewport.Height != 900 || told.Data.Output.Format != "png" ||
			told.Data.Output.Size != len(picture) || told.Data.Timing.TotalMS == 0 || n.lookup(told.Meta.ID).Status != "success" {
			t.Errorf("%s: %s", path, body)
		}
	}
	status, header, body := n.call(http.MethodGet, "/v2/?html=x&response=image", nil)
	if _, format, err := image.DecodeConfig(bytes.NewReader(body)); status != http.StatusOK || format != "png" {
		t.Errorf("%d, %v, %v", status, header, err)
	}
	status, header, body = n.call(http.MethodGet, "/v2/?url=http://a.test&selectorAll=p", nil)
	if status != http.StatusBadRequest || header.Get("Content-Type") != "application/problem+json" ||
		!bytes.Contains(body, []byte("selectorAll")) {
		t.Errorf("%d, %s", status, body)
	}
}

// TestPeersPutIntoTheClientsBucket asks for a picture in the account's own bucket with the names of two peers.
func TestPeersPutIntoTheClientsBucket(t *testing.T) {
	t.Parallel()
	n, ours := newNewcomer(t), newShelf(t)
	ours.setUp(n.program, "default")
	ours.setUp(n.program, "second")
	for range 2 { // the second replaces the first, as at the peer
		status, header, body := n.call(http.MethodPost, "/take", map[string]any{
			"access_key": n.key, "html": "<p>x", "response_type": "json", "store": true, "storage_path": "/a/home", "storage_bucket": "second",
			"storage_return_location": true,
		}, "Authorization", "")
		var told struct {
			URL   string `json:"screenshot_url"`
			Store struct{ Bucket, Key, Location string }
		}
		if err := json.Unmarshal(body, &told); err != nil || status != http.StatusOK || told.Store.Key != "second/a/home.jpg" ||
			header.Get("X-Screenshotone-Store-Location") != ours.server.Endpoint()+"/shots/second/a/home.jpg" {
			t.Fatalf("%d, %v, %s", status, header, body)
		}
		if _, _, picture := n.get(strings.TrimPrefix(told.URL, n.base)); !bytes.Equal(picture, ours.object(told.Store.Key)) {
			t.Error("another picture is in the bucket")
		}
	}
	status, _, body := n.call(http.MethodPost, "/v1/render/sync", map[string]any{"html": "<p>y", "use_s3": true, "s3_path": "b/c"})
	if status != http.StatusOK || !strings.Contains(string(body), ours.server.Endpoint()+"/shots/default/b/c.png") {
		t.Fatalf("%d, %s", status, body)
	}
	if picture := ours.object("default/b/c.png"); !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("%d bytes are in the bucket", len(picture))
	}
	status, _, body = n.call(http.MethodPost, "/take", map[string]any{
		"access_key": n.key, "html": "<p>x", "store": true, "storage_secret_access_key": "hunter2",
	}, "Authorization", "")
	if status != http.StatusBadRequest || !strings.Contains(string(body), "PUT /v1/stores") || strings.Contains(string(body), "hunter2") {
		t.Errorf("credentials in a request: %d, %s", status, body)
	}
	n.unlogged("hunter2")
}
