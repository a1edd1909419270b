package site_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/savepage/savepage/internal/site"
)

func TestFiles(t *testing.T) {
	from := fstest.MapFS{"static/a.css": {Data: []byte("a{}")}, "static/b.js": {Data: []byte("b()")}, "other/c.js": {Data: []byte("c()")}}
	all, err := site.Files(from, "static/*")
	if err != nil || len(all) != 2 || all["static/a.css"].Version == all["static/b.js"].Version {
		t.Fatalf("%v %v", all, err)
	}
	one := all["static/a.css"]
	for query, want := range map[string]string{
		"": "no-cache", "?v=older": "no-cache", "?v=" + one.Version: "public, max-age=31536000, immutable",
	} {
		w := httptest.NewRecorder()
		one.Serve(w, httptest.NewRequest(http.MethodGet, "/static/a.css"+query, nil), "a.css")
		if w.Header().Get("Cache-Control") != want || w.Body.String() != "a{}" || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%q: %v %q", query, w.Header(), w.Body)
		}
	}
}

func TestCurl(t *testing.T) {
	for want, r := range map[string]site.Request{
		`curl https://s.test/readyz`: {URL: "https://s.test/readyz"},
		`curl -H "Authorization: Bearer $KEY" 'https://s.test/v1/captures?a=b'`: {URL: "https://s.test/v1/captures?a=b", Key: "$KEY"},
		`curl -X DELETE -H "Authorization: Bearer $KEY" https://s.test/x`:       {Method: "DELETE", URL: "https://s.test/x", Key: "$KEY"},
		`curl -X POST https://s.test/x`:                                         {Method: "POST", URL: "https://s.test/x"},
		"curl https://s.test/x \\\n  --json '{\"a\":\"it'\\''s\"}'":             {Method: "POST", URL: "https://s.test/x", Body: `{"a":"it's"}`},
		"curl -X PATCH https://s.test/x \\\n  --json '{}'":                      {Method: "PATCH", URL: "https://s.test/x", Body: `{}`},
	} {
		if got := r.Curl(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	if got := site.Quoted(""); got != "''" {
		t.Errorf("an empty text is %s", got)
	}
	if got := site.JSON(map[string]string{"a": "<b>"}, ""); got != `{"a":"<b>"}` {
		t.Error(got)
	}
}
