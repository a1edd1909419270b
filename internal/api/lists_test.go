package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// A list is the same as JSON, given several times, as a JSON list in a text, and, of fixed words, with commas.
func TestListsInEveryCarrier(t *testing.T) {
	want := savepage.Options{
		URL: "http://e.test", Authorization: "Bearer t",
		Hide: []string{".a, .b", "[data-ad]"}, Click: []string{"#open"}, CSS: "@media screen{}", JS: "a,b",
		BlockURLs: []string{"*://a.test/x?a=1,2", "https://b.test/*"}, BlockResources: []savepage.Resource{"image", "font", "websocket"},
	}.WithDefaults()
	want.Timeout = 0 // it is not given
	d := api.NewDecoder()
	body, err := d.JSON([]byte(`{"url":"http://e.test","authorization":"Bearer t","hide":[".a, .b","[data-ad]"],"click":["#open"],` +
		`"css":"@media screen{}","js":"a,b","block_urls":["*://a.test/x?a=1,2","https://b.test/*"],"block_resources":["image","font",` +
		`"websocket"]}`))
	if diff := cmp.Diff(want, body); err != nil || diff != "" {
		t.Errorf("JSON: %v %s", err, diff)
	}
	for _, lists := range []url.Values{
		{"block_urls": {"*://a.test/x?a=1,2", "https://b.test/*"}, "block_resources": {"image", "font", "websocket"}},
		{"block_urls": {`["*://a.test/x?a=1,2","https://b.test/*"]`}, "block_resources": {"image, font,websocket"}},
		{"block_urls": {`["*://a.test/x?a=1,2"]`, "https://b.test/*"}, "block_resources": {`["image"]`, "font,websocket"}},
	} {
		lists["hide"], lists["click"], lists["css"], lists["js"] = []string{".a, .b", "[data-ad]"}, []string{"#open"},
			[]string{"@media screen{}"}, []string{"a,b"}
		lists["url"], lists["authorization"] = []string{"http://e.test"}, []string{"Bearer t"}
		got, err := d.Values("query", lists)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %v %s", lists, err, diff)
		}
	}
}

func TestWrongListsAreNamed(t *testing.T) {
	d := api.NewDecoder()
	kinds := "must be one of image, stylesheet, font, script, media, xhr, fetch, eventsource, websocket, frame, ping, other"
	for given, want := range map[string]map[string]string{
		`"block_resources":["image","pictures"]`: {"body.block_resources[1]": kinds},
		`"block_resources":"image"`: {"body.block_resources": "must be a list of strings, at most 20, each " +
			strings.TrimPrefix(kinds, "must be ")},
		`"block_urls":["*",7]`: {"body.block_urls[1]": "must be a string"},
		`"block_urls":["*://a.test/*","ads.test/x"]`: {"body.block_urls[1]": "matches no URL; begin it with * or a scheme, " +
			"such as *://example.com/*"},
		`"hide":".a"`: {"body.hide": "must be a list of strings, at most 50, each from 1 to " +
			"2048 characters"},
		`"click":["a",""]`: {"body.click[1]": "must be from 1 to 2048 characters"},
		`"css":["a"]`:      {"body.css": "must be a string"},
		`"js":"` + strings.Repeat("a", 262145) + `"`: {"body.js": "must be at most 262144 characters"},
		`"block_urls":[""]`:                          {"body.block_urls[0]": "must be from 1 to 1024 characters"},
		`"block_urls":{"a":1}`: {"body.block_urls": "must be a list of strings, at most 100, each from " +
			"1 to 1024 characters"},
		`"authorization":"a\nb"`: {"body.authorization": "must be at most 8192 bytes of printable ASCII"},
		`"authorization":"a","headers":{"authorization":"b"}`: {"body.authorization": "must not be given together with " +
			"headers.authorization"},
		`"block_urls":[` + strings.Repeat(`"*a",`, 100) + `"*b"]`: {"body.block_urls": "must be a list of strings, at most 100, each from " +
			"1 to 1024 characters"},
	} {
		_, err := d.JSON([]byte(`{"url":"http://e.test",` + given + `}`))
		if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%.60s: %s", given, diff)
		}
	}
	_, err := d.Values("query", url.Values{
		"url": {"http://e.test"}, "block_resources": {"image,x"},
		"authorization": {strings.Repeat("s3cret", 2000)},
	})
	if got := fieldsOf(t, err); got["query.block_resources[1]"] != kinds || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", got)
	}
}

func TestPatternsThatMatchNothing(t *testing.T) {
	for pattern, right := range map[string]bool{
		"*": true, "?ttp://a/": true, "http://a/*": true, "https://a/*": true, "http*://a": true, "ws://a": true, "wss:*": true,
		"http?://a/": true, "ws*": true,
		"example.com/*": false, "/ads/*": false, "httpd": false, "https": false, "ftp://a": false, "w*": false,
	} {
		if wrong := (savepage.Options{URL: "http://e.test", BlockURLs: []string{pattern}}).ValidateFields(); (len(wrong) == 0) != right {
			t.Errorf("%q: %v", pattern, wrong)
		}
	}
}
