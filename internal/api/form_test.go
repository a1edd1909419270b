package api_test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

const (
	pageBody    = `{"url":"https://example.com","format":"webp"}`
	pagePicture = "picture of https://example.com"
)

func TestPostIsAnsweredWithThePicture(t *testing.T) {
	for name, c := range map[string]struct {
		path, accept string
		picture      bool
	}{
		"asked for":          {"?response=image", "", true},
		"accepted":           {"", "image/*", true},
		"one format":         {"", "image/png", true},
		"pdf":                {"", "application/pdf", true},
		"rather than JSON":   {"", "application/json;q=0.5, image/*", true},
		"with problems":      {"", "image/webp, application/problem+json", true},
		"JSON asked for":     {"?response=json", "image/*", false},
		"in JSON":            {"?inline=1", "image/*", false},
		"anything":           {"", "*/*", false},
		"anything first":     {"", "*/*, image/*;q=0.8", false},
		"JSON as good":       {"", "image/*, application/json", false},
		"not at all":         {"", "image/*;q=0, text/html", false},
		"of a browser":       {"", "text/html,image/avif,image/webp,*/*;q=0.8", true},
		"not understood":     {"", "image", false},
		"refused and wanted": {"?response=image", "application/json", true},
	} {
		s := serve(t, nil)
		r := s.call(t, http.MethodPost, "/v1/capture"+c.path, pageBody, "Accept: "+c.accept)
		wantStatus(t, r, 200)
		if is := r.header.Get("Content-Type") == "image/webp" && r.body == pagePicture; is != c.picture {
			t.Errorf("%s: %v %q", name, r.header, r.body)
		}
		if c.picture && (r.header.Get("X-Capture-Id") == "" || r.header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %v", name, r.header)
		}
	}
}

func TestPictureInJSON(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(pagePicture))
	for inline, want := range map[string]any{"30": encoded, "29": nil, "4194304": encoded, "0": nil} {
		s := serve(t, nil)
		post := s.call(t, http.MethodPost, "/v1/capture?inline="+inline, pageBody)
		wantStatus(t, post, 200)
		get := s.call(t, http.MethodGet, "/v1/?url=https://example.com&format=webp&inline="+inline, "")
		wantStatus(t, get, 200)
		for _, r := range []reply{post, get} {
			if got := r.json(t); got["image_base64"] != want || got["image"] == nil || got["status"] != "success" {
				t.Errorf("%s: %s", inline, r.body)
			}
		}
	}
}

func TestFormIsWrong(t *testing.T) {
	s := serve(t, nil)
	for query, field := range map[string]string{
		"response=pdf": "query.response", "response=image&response=image": "query.response", "inline=-1": "query.inline",
		"inline=4194305": "query.inline", "inline=much": "query.inline", "inline=1&response=image": "query.inline", "width=800": "query.width",
	} {
		p := wantProblem(t, s.call(t, http.MethodPost, "/v1/capture?"+query, pageBody), 400, savepage.CodeInvalidRequest)
		if errorsOf(t, p)[field] == "" {
			t.Errorf("%s: %v", query, p)
		}
	}
	for _, query := range []string{"response=image", "inline=5"} {
		later := s.call(t, http.MethodPost, "/v1/capture?"+query, `{"url":"https://example.com","async":true}`)
		wantProblem(t, later, 400, savepage.CodeInvalidRequest)
	}
	if len(s.requested()) > 0 {
		t.Errorf("%+v", s.requested())
	}
	wantStatus(t, s.call(t, http.MethodPost, "/v1/capture", `{"url":"https://example.com","async":true}`, "Accept: image/*"), 202)
}

// TestFormIsNoPartOfTheCapture asks again for the same capture in another form, and for one that takes too long.
func TestFormIsNoPartOfTheCapture(t *testing.T) {
	s := serve(t, nil)
	first := s.call(t, http.MethodPost, "/v1/capture", pageBody, "Idempotency-Key: k")
	wantStatus(t, first, 200)
	again := s.call(t, http.MethodPost, "/v1/capture?response=image", pageBody, "Idempotency-Key: k")
	if wantStatus(t, again, 200); again.body != pagePicture || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%v %q", again.header, again.body)
	}
	slow := serve(t, func(c *api.Config) { c.SyncWait = time.Millisecond })
	slow.ends = nil
	wantStatus(t, slow.call(t, http.MethodPost, "/v1/capture?response=image", pageBody), 202)
	failing := serve(t, nil)
	failing.ends = failWith(savepage.CodeNameNotResolved, "no such name")
	wantProblem(t, failing.call(t, http.MethodPost, "/v1/capture?inline=9", pageBody, "Accept: image/*"), 502, savepage.CodeNameNotResolved)
}
