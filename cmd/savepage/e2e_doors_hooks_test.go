package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"net/http"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// letters are those that came to a path.
func (m *mailbox) letters(path string) (found []letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.got {
		if one.path == path {
			found = append(found, one)
		}
	}
	return found
}

// first waits for a letter to a path.
func (n *newcomer) first(hook *mailbox, path string) letter {
	n.t.Helper()
	n.eventually("a letter to "+path, func() bool { return len(hook.letters(path)) > 0 })
	return hook.letters(path)[0]
}

func size(t *testing.T, picture string) (format string, width, height int) {
	t.Helper()
	config, format, err := image.DecodeConfig(strings.NewReader(picture))
	if err != nil {
		t.Fatalf("%v: %.200q", err, picture)
	}
	return format, config.Width, config.Height
}

const gotenbergClient = `
const { Chromiumly, UrlScreenshot, HtmlScreenshot, HtmlConverter, UrlConverter } = require("chromiumly");
const fs = require("node:fs");
Chromiumly.configure({ endpoint: process.env.BASE, username: "anyone", password: process.env.KEY });
const html = Buffer.from('<!doctype html><title>Invoice</title><link rel=stylesheet href=style.css><body><img src=red.svg><p id=p>x');
const assets = [
  { name: "style.css", file: Buffer.from("body{margin:0;background:#00f}img{display:block}") },
  { name: "red.svg", file: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"></svg>') },
];
const webhook = {
  webhookUrl: process.env.HOOK + "/file", webhookErrorUrl: process.env.HOOK + "/failed", webhookMethod: "PUT",
  webhookExtraHttpHeaders: { "X-Order": "17" },
};
(async () => {
  fs.writeFileSync("html.png", await new HtmlScreenshot().capture({
    html, assets, properties: { format: "png", width: 400, height: 300, clip: true },
    waitForExpression: "document.title === 'Invoice'", waitDelay: "100ms",
  }));
  const properties = { size: { width: 5, height: 4 }, margins: { top: 0, bottom: 0, left: 0, right: 0 } };
  fs.writeFileSync("page.pdf", await new HtmlConverter().convert({ html, assets, properties, header: Buffer.from("<p>header") }));
  const sent = await new HtmlScreenshot().capture({
    html, assets, properties: { format: "jpeg", width: 400, height: 300 }, webhook, outputFilename: "invoice", trace: "order-17",
  });
  console.log(sent.length);
  await new UrlScreenshot().capture({ url: process.env.SITE + "/nothing-here", properties: { format: "png" }, webhook });
  for (const bad of [{ properties: { format: "png", width: 99 } }, { properties: { format: "png" }, failOnConsoleExceptions: true }]) {
    await new HtmlScreenshot().capture({ html, ...bad }).catch((e) => console.log(e.message.replaceAll("\n", "|")));
  }
  await new UrlConverter().convert({ url: process.env.SITE + "/nothing-here" }).catch((e) => console.log(e.message.replaceAll("\n", "|")));
})();`

// TestGotenbergClient runs a client of Gotenberg: the example of the manual, a document with files, a pdf, and a webhook that
// carries the file and is sent again until it is accepted.
func TestGotenbergClient(t *testing.T) {
	t.Parallel()
	n, hook, site := newNewcomer(t), newMailbox(t), startSite(t)
	hook.refuses(true)
	n.example("Gotenberg", site+"/bands?height=3000")
	if got := n.picture("page.png"); got.Width != 800 || got.Height != 3000 {
		t.Errorf("the picture is %d × %d", got.Width, got.Height)
	}
	said := strings.Split(strings.TrimSpace(n.node(gotenbergClient, "HOOK="+hook.URL, "SITE="+site)), "\n")
	if got := n.picture("html.png"); got.Width != 400 || got.Height != 300 {
		t.Errorf("the picture of the document is %d × %d", got.Width, got.Height)
	}
	if text := n.tool("pdfinfo", "page.pdf"); !strings.Contains(text, " 360 x 288 pts") {
		t.Errorf("the pdf: %s", text)
	}
	for i, want := range []string{
		"0", "width must be from 320 to 3840", "failOnConsoleExceptions is not supported", "Status: 409",
	} {
		if i >= len(said) || !strings.Contains(said[i], want) {
			t.Errorf("want %q, the client said %q", want, said)
		}
	}
	n.first(hook, "/file")
	n.kill() // what is owed outlives the server
	before := len(hook.letters("/file"))
	hook.refuses(false)
	n.start()
	n.eventually("the file is sent again", func() bool { return len(hook.letters("/file")) > before })
	letters := hook.letters("/file")
	file := letters[len(letters)-1]
	if format, width, _ := size(t, file.body); format != "jpeg" || width != 400 || file.method != http.MethodPut {
		t.Errorf("%s of a %s, %d wide", file.method, format, width)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Content-Disposition": `attachment; filename="invoice.jpeg"`, "X-Order": "17",
		"Gotenberg-Trace": "order-17",
	} {
		if got := file.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if file.header.Get("X-Signature") != savepage.Sign(n.secret, []byte(file.body)) {
		t.Error("the file is not signed")
	}
	var failure struct {
		Status  int
		Message string
	}
	if err := json.Unmarshal([]byte(n.first(hook, "/failed").body), &failure); err != nil || failure.Status != 502 || failure.Message == "" {
		t.Errorf("%+v, %v", failure, err)
	}
	n.unlogged()
}

const screenshotOneHook = `
const { Client, TakeOptions } = require("screenshotone-api-sdk");
const client = new Client(process.env.KEY, process.env.API_SECRET, process.env.BASE);
const page = () => TakeOptions.html("<p>x").viewportWidth(400).viewportHeight(300).format("png");
(async () => {
  console.log((await client.take(page().async(true).webhookUrl(process.env.HOOK + "/async").externalIdentifier("order17"))).size);
  console.log((await client.take(page().webhookUrl(process.env.HOOK + "/sync").responseType("json"))).size);
  const missing = TakeOptions.url(process.env.SITE + "/nothing-here");
  await client.take(missing.async(true).webhookUrl(process.env.HOOK + "/error").webhookErrors(true));
})();`

// TestScreenshotOneWebhook runs ScreenshotOne's client with webhooks: the callback is what the answer would have been.
func TestScreenshotOneWebhook(t *testing.T) {
	t.Parallel()
	n, hook := newNewcomer(t), newMailbox(t)
	said := strings.Fields(n.node(screenshotOneHook, "HOOK="+hook.URL, "SITE="+startSite(t)))
	if len(said) != 2 || said[0] != "0" || said[1] == "0" {
		t.Errorf("the answers had %q bytes", said)
	}
	async := n.first(hook, "/async")
	if format, width, height := size(t, async.body); format != "png" || width != 400 || height != 300 {
		t.Errorf("%s of %d × %d", format, width, height)
	}
	if async.header.Get("X-Screenshotone-External-Identifier") != "order17" ||
		async.header.Get("X-Screenshotone-Signature") != savepage.Sign(n.secret, []byte(async.body)) {
		t.Errorf("%v", async.header)
	}
	if sync := n.first(hook, "/sync"); !strings.Contains(sync.body, `"screenshot_url":"`+n.base+"/captures/") {
		t.Errorf("%s", sync.body)
	}
	if failed := n.first(hook, "/error"); !strings.Contains(failed.body, `"error_code":"http_error"`) {
		t.Errorf("%s", failed.body)
	}
}

// TestUrlboxRender follows renders of Urlbox' REST API: synchronous, asynchronous, and told by a webhook with its signature.
func TestUrlboxRender(t *testing.T) {
	t.Parallel()
	n, hook := newNewcomer(t), newMailbox(t)
	var done struct {
		RenderID, RenderURL, StatusURL, Status string
		Size                                   int
	}
	ask := func(method, path string, body any, want int) {
		t.Helper()
		done.RenderURL, done.Status = "", ""
		status, _, text := n.call(method, path, body)
		if err := json.Unmarshal(text, &done); err != nil || status != want {
			t.Fatalf("%s %s: %d, %s", method, path, status, text)
		}
	}
	page := map[string]any{"html": "<p>x", "width": 400, "height": 300, "force": true, "webhook_url": hook.URL + "/hook"}
	ask(http.MethodPost, "/v1/render/sync", page, http.StatusOK)
	_, _, picture := n.get(strings.TrimPrefix(done.RenderURL, n.base))
	if format, width, _ := size(t, string(picture)); format != "png" || width != 400 || done.Size != len(picture) {
		t.Errorf("%+v: %s, %d wide", done, format, width)
	}
	event := n.first(hook, "/hook")
	head, digest, _ := strings.Cut(event.header.Get("X-Urlbox-Signature"), ",sha256=")
	if digest != savepage.Sign(n.secret, []byte(strings.TrimPrefix(head, "t=")+"."+event.body)) ||
		!strings.Contains(event.body, `"event":"render.succeeded"`) || !strings.Contains(event.body, done.RenderID) {
		t.Errorf("%v, %s", event.header, event.body)
	}
	ask(http.MethodPost, "/v1/render/async", map[string]any{"html": "<p>y", "block_images": true}, http.StatusCreated)
	if done.Status != "created" || done.StatusURL != n.base+"/v1/render/"+done.RenderID {
		t.Errorf("%+v", done)
	}
	n.eventually("the render", func() bool {
		ask(http.MethodGet, "/v1/render/"+done.RenderID, nil, http.StatusOK)
		return done.Status == "succeeded" && strings.HasPrefix(done.RenderURL, n.base+"/captures/")
	})
}

// TestBrowserless asks as browserless' clients do: the example of the manual, base64, a pdf, and what is refused.
func TestBrowserless(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	n.example("browserless", startSite(t)+"/bands?height=3000")
	if got := n.picture("page.png"); got.Width != 800 || got.Height != 3000 {
		t.Errorf("the picture is %d × %d", got.Width, got.Height)
	}
	status, header, body := n.call(http.MethodPost, "/screenshot", map[string]any{
		"html": "<p>x", "options": map[string]any{"type": "jpeg", "quality": 50, "encoding": "base64"}, "scrollPage": true,
		"addScriptTag": []any{map[string]any{"content": "document.title = 'a'"}}, "setExtraHTTPHeaders": map[string]string{"X-A": "b.c"},
	})
	picture, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil || status != http.StatusOK || header.Get("X-Savepage-Ignored") != "scrollPage" || header.Get("X-Response-Code") != "200" {
		t.Errorf("%d, %v, %v, %.100s", status, header, err, body)
	}
	if format, width, height := size(t, string(picture)); format != "jpeg" || width != 800 || height != 600 {
		t.Errorf("%s of %d × %d", format, width, height)
	}
	status, header, body = n.call(http.MethodPost, "/pdf?token="+n.key, map[string]any{
		"html": "<p>x", "options": map[string]any{"format": "A5", "margin": map[string]any{"top": "1cm", "left": 10}, "printBackground": true},
	}, "Authorization", "")
	if status != http.StatusOK || header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(body, []byte("%PDF-")) {
		t.Errorf("%d, %v, %.200s", status, header, body)
	}
	status, _, body = n.call(http.MethodPost, "/pdf", map[string]any{"html": "<p>x", "rejectRequestPattern": []string{".*"}})
	if status != http.StatusBadRequest || !strings.HasPrefix(string(body), "rejectRequestPattern is not supported") {
		t.Errorf("%d, %s", status, body)
	}
	n.unlogged()
}
