package manual_test

import (
	"html"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/docs"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/doors"
	"github.com/savepage/savepage/internal/manual"
)

// document stands for what a server says of itself; the whole program is tested with its own.
const document = `{"tags":[{"name":"Captures","description":"Submit captures."}],
"paths":{"/v1/capture":{"post":{"operationId":"createCapture","summary":"Capture a page","tags":["Captures"],
 "security":[{"key":["capture"]}],
 "requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Options"},
  "examples":{"usual":{"summary":"A full page","value":{"url":"https://example.com","fullpage":true,"css":"a{b:'c'}","hide":[".x"]}}}}}},
 "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/View"},
  "example":{"status":"success"}}}}}}},
"/v1/captures/{id}":{"delete":{"operationId":"deleteCapture","summary":"Delete","tags":["Captures"],
 "parameters":[{"name":"id","in":"path","required":true,"example":"cap_1","schema":{"type":"string"}}],
 "responses":{"204":{"description":"Deleted."}}}}},
"components":{"schemas":{"Options":{},"View":{"required":["status"],"properties":{"status":{"type":"string","description":"State."}}}}}}`

func serve(t *testing.T) http.Handler {
	t.Helper()
	m := manual.New(manual.Config{
		Files: docs.Files(), Document: []byte(document), Asset: func(name string) string { return "/ui/static/" + name }, Version: "v1",
	})
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func get(h http.Handler, address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}

var (
	linked = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	named  = regexp.MustCompile(` id="([^"]*)"`)
)

// pages reads every page that the front page leads to.
func pages(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	all, todo := map[string]string{}, []string{manual.Prefix}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if _, seen := all[address]; seen {
			continue
		}
		w := get(h, address)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", address, w.Code)
		}
		all[address] = w.Body.String()
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		for _, link := range linked.FindAllStringSubmatch(all[address], -1) {
			target, _, _ := strings.Cut(html.UnescapeString(link[1]), "#")
			if target == manual.Prefix || strings.HasPrefix(target, manual.Prefix+"/") {
				todo = append(todo, target)
			}
		}
	}
	return all
}

// Every link leads to a page, and every part of a page that a link names is there.
func TestNoLinkIsDead(t *testing.T) {
	h := serve(t)
	all := pages(t, h)
	if len(all) < 25 {
		t.Fatalf("%d pages", len(all))
	}
	for address, text := range all {
		ids := map[string]bool{}
		for _, id := range named.FindAllStringSubmatch(text, -1) {
			if ids[id[1]] {
				t.Errorf("%s has %q twice", address, id[1])
			}
			ids[id[1]] = true
		}
		for _, link := range linked.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(html.UnescapeString(link[1]), "#")
			if target == "" {
				target = address
			}
			if strings.HasSuffix(target, ".md") || strings.HasPrefix(target, "..") {
				t.Errorf("%s leads to the file %s", address, target)
			}
			if page, ours := all[target]; ours && fragment != "" && !strings.Contains(page, ` id="`+fragment+`"`) {
				t.Errorf("%s leads to %s#%s, which is not there", address, target, fragment)
			}
		}
	}
}

// Every file of the folder is a page, and the codes of errors are where the types of problems lead.
func TestEverythingIsShown(t *testing.T) {
	h := serve(t)
	files, err := fs.Glob(docs.Files(), "*.md")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	front := get(h, manual.Prefix).Body.String()
	for _, file := range files {
		if address := manual.Prefix + "/" + strings.TrimSuffix(file, ".md"); !strings.Contains(front, `href="`+address+`"`) {
			t.Errorf("%s is not on the front page", address)
		}
	}
	for _, row := range savepage.Codes() {
		if !strings.Contains(front, `id="`+string(row.Code)+`"`) {
			t.Errorf("%s is not on the front page", row.Code)
		}
	}
	options := get(h, manual.Prefix+"/options").Body.String()
	for _, f := range api.OptionFields() {
		if !strings.Contains(options, `id="option-`+f.Name+`"`) || !strings.Contains(options, html.EscapeString(f.Doc)) {
			t.Errorf("the page of options lacks %s", f.Name)
		}
	}
}

// The page about moving still has the parts that links of earlier versions name, and each leads to the guide of its peer.
func TestMovingLeadsToGuides(t *testing.T) {
	text := get(serve(t), manual.Prefix+"/moving").Body.String()
	for _, peer := range doors.Peers() {
		name := strings.ToLower(peer.Name)
		_, part, found := strings.Cut(text, `<h2 id="`+name+`">`)
		part, _, _ = strings.Cut(part, "<h2")
		if !found || !strings.Contains(part, `href="`+manual.Prefix+"/moving-"+name+`"`) {
			t.Errorf("#%s does not lead to the guide: %s", name, part)
		}
	}
	if !strings.Contains(text, `<h2 id="savepageio">`) {
		t.Error("the older API has no part")
	}
}

// The links to the playground hold options that the API takes.
func TestPlaygroundLinksAreValid(t *testing.T) {
	h, decoder, seen := serve(t), api.NewDecoder(), 0
	for address, text := range pages(t, h) {
		for _, link := range linked.FindAllStringSubmatch(text, -1) {
			_, query, is := strings.Cut(html.UnescapeString(link[1]), "/ui/playground?")
			if !is {
				continue
			}
			seen++
			values, err := url.ParseQuery(query)
			if err == nil {
				_, err = decoder.Values("query", values)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", address, query, err)
			}
		}
	}
	if seen < len(api.OptionFields()) {
		t.Errorf("%d links", seen)
	}
}

// The search finds options by their names, parts of guides by their words, operations by their paths.
func TestSearch(t *testing.T) {
	h := serve(t)
	first := regexp.MustCompile(`<ol class="found"><li><a href="([^"]*)"`)
	for query, want := range map[string]string{
		"wait_for_selector": "/docs/options#option-wait_for_selector", "wait for selector": "/docs/options#option-wait_for_selector",
		"FULLPAGE": "/docs/options#option-fullpage", "time": "/docs/options#option-time", "rotate a secret": "/docs/webhooks#rotate-a-secret",
		"/v1/captures/{id}": "/docs/reference/captures#deleteCapture", "steps before": "/docs/pictures#steps-before-the-picture",
		"moving from urlbox": "/docs/moving-urlbox", "render.failed": "/docs/moving-urlbox#webhooks",
	} {
		w := get(h, "/docs/search?q="+url.QueryEscape(query))
		found := first.FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || found == nil || found[1] != want {
			t.Errorf("%s: %d %q", query, w.Code, found)
		}
	}
	for _, query := range []string{"", "zzzzz", "<script>alert(1)</script>", strings.Repeat("ä", 5000), "%ff"} {
		w := get(h, "/docs/search?q="+url.QueryEscape(query))
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>a") || strings.Contains(w.Body.String(), `<ol class="found">`) {
			t.Errorf("%.20q: %d %s", query, w.Code, w.Body)
		}
	}
}

// While somebody types, the best few places come as a list, whose last row leads to all of them.
func TestPlaces(t *testing.T) {
	h := serve(t)
	text := get(h, "/docs/places?q=callback").Body.String()
	if n := strings.Count(text, `role="option"`); n != 9 || strings.Contains(text, "<html") {
		t.Errorf("%d rows: %s", n, text)
	}
	if !regexp.MustCompile(`<a [^>]*href="/docs/search\?q=callback">All \d\d+ places for “callback”</a>`).MatchString(text) {
		t.Errorf("nothing leads to all of them: %s", text)
	}
	text = get(h, "/docs/places?q="+url.QueryEscape(`<b>"&x=1`)).Body.String()
	if strings.Contains(text, "<b>") || !strings.Contains(text, `Nothing has all the words of “&lt;b&gt;&#34;&amp;x=1”`) {
		t.Errorf("nothing: %s", text)
	}
	if text = get(h, "/docs/places?q=+").Body.String(); strings.TrimSpace(text) != `<p class="none" role="option" aria-disabled="true" `+
		`aria-selected="false" data-said="Nothing found">Nothing has all the words of “”.</p>` {
		t.Errorf("without a word: %s", text)
	}
}

// The reference shows requests that can be pasted, what a key needs, and the answers.
func TestReference(t *testing.T) {
	text := html.UnescapeString(get(serve(t), "/docs/reference/captures").Body.String())
	for _, want := range []string{
		`curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/v1/capture \` + "\n" +
			`  --json '{"url":"https://example.com","fullpage":true,"css":"a{b:'\''c'\''}","hide":[".x"]}'`,
		`curl -X DELETE http://127.0.0.1:8080/v1/captures/cap_1`, "Needs no <code>Authorization</code> header.",
		`/ui/playground?css=a%7Bb%3A%27c%27%7D&fullpage=true&hide=.x&url=https%3A%2F%2Fexample.com`,
		"Needs a key with the scope capture.", `"status": "success"`, `href="/docs/reference/schemas#View"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the reference lacks %s", want)
		}
	}
}

// The pages let nothing run or load that is not of this server, and other addresses are errors.
func TestAnswers(t *testing.T) {
	h := serve(t)
	for address, want := range map[string]int{
		"/docs/": 301, "/docs/nothing": 404, "/docs/reference/nothing": 404, "/docs/a/b/c": 404, "/docs/static/nothing": 404,
		"/docs/static/manual.css": 200, "/docs/webhook-vectors.json": 200, "/docs/pictures/options.json": 404,
	} {
		if w := get(h, address); w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", address, w.Code, w.Header())
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, manual.Prefix, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	for address, text := range pages(t, h) {
		if strings.Contains(text, ` style="`) || strings.Contains(text, "<style") || strings.Contains(text, "src=\"http") {
			t.Errorf("%s has a style of its own, or loads something", address)
		}
	}
}

// Every option that changes what is seen has a picture of the size that the page reserves for it, and all of them are small.
func TestOptionsHavePictures(t *testing.T) {
	h := serve(t)
	options := get(h, manual.Prefix+"/options").Body.String()
	shown := regexp.MustCompile(`<img src="(/docs/pictures/(\w+)\.webp[^"]*)" width="(\d+)" height="(\d+)" loading="lazy" alt="([^"]+)">`)
	have, all := map[string]bool{}, 0
	for _, one := range shown.FindAllStringSubmatch(options, -1) {
		w := get(h, html.UnescapeString(one[1]))
		have[one[2]], all = true, all+w.Body.Len()
		size, err := webp.DecodeConfig(w.Body)
		if err != nil || strconv.Itoa(size.Width) != one[3] || strconv.Itoa(size.Height) != one[4] {
			t.Errorf("%s: %v by %v, the page has %s by %s, %v", one[2], size.Width, size.Height, one[3], one[4], err)
		}
	}
	if all > 700_000 {
		t.Errorf("%d bytes of pictures", all)
	}
	// These change what is answered, sent or kept, or when a capture fails; png_effort and pdf_outline change bytes that are not seen.
	without := []string{
		"png_effort", "pdf_outline", "fail_on", "require_text", "fail_on_text", "cache_ttl", "store", "async", "metadata", "response",
	}
	for _, f := range api.OptionFields() {
		if !have[f.Name] && !slices.Contains(without, f.Name) && !strings.HasPrefix(f.Name, "callback_") {
			t.Errorf("%s has no picture", f.Name)
		}
	}
}
