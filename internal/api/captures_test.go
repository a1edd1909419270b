package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// submitted makes a capture through the API and returns its id.
func submitted(t *testing.T, s *service, headers ...string) string {
	t.Helper()
	r := s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","async":true}`, headers...)
	wantStatus(t, r, http.StatusAccepted)
	id, _ := r.json(t)["capture_id"].(string)
	return id
}

func TestLookUp(t *testing.T) {
	s := serve(t, nil)
	id := submitted(t, s)
	s.captures[id].Options.URL = "https://example.com/?a=1&b=<2>"
	s.deliveries[id] = []savepage.Delivery{{
		ID: "msg_1", CaptureID: id, Account: "acc_a", URL: "http://hook.test/", Body: []byte("secret body"), State: savepage.Delivered,
		Attempts: []savepage.Attempt{{Number: 1, Outcome: savepage.AttemptDelivered, Status: 200, LatencyMS: 3}},
	}, {ID: "msg_2", State: savepage.Pending}}
	r := s.call(t, "GET", "/v1/captures/"+id, "")
	wantStatus(t, r, 200)
	got := r.json(t)
	if got["status"] != "success" || got["image"] != "http://cdn.test/captures/"+pictureStem+".png" || got["created_at"] == nil ||
		got["captured_at"] != "2026-04-01T12:00:00Z" || !strings.Contains(r.body, "/?a=1&b=<2>") {
		t.Errorf("%s", r.body)
	}
	owed, _ := got["deliveries"].([]any)
	if len(owed) != 2 || !strings.Contains(r.body, `"attempts":[{"number":1,`) || !strings.Contains(r.body, `"attempts":[]`) ||
		strings.Contains(r.body, "secret") {
		t.Errorf("%s", r.body)
	}
	if !strings.HasPrefix(r.header.Get("Server-Timing"), "queue;dur=12") {
		t.Errorf("%v", r.header)
	}
	p := wantProblem(t, s.call(t, "GET", "/v1/captures/"+id+"?expnd=1", ""), 400, savepage.CodeInvalidRequest)
	if errorsOf(t, p)["query.expnd"] == "" {
		t.Errorf("%v", p)
	}
}

func TestLookUpBeforeTheEnd(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	id := submitted(t, s)
	r := s.call(t, "GET", "/v1/captures/"+id, "")
	if r.json(t)["status"] != "queued" || !strings.Contains(r.body, `"deliveries":[]`) ||
		!strings.Contains(r.body, `"image":null`) {
		t.Errorf("%s", r.body)
	}
	r = s.call(t, "GET", "/v1/captures/"+id+"/image", "")
	wantProblem(t, r, 409, savepage.CodeConflict)
	s.end(id, failWith(savepage.CodeTLSError, "expired"))
	r = s.call(t, "GET", "/v1/captures/"+id, "")
	if !strings.Contains(r.body, `"error":{"code":"tls_error","message":"expired"}`) || r.json(t)["failed_at"] == nil {
		t.Errorf("%s", r.body)
	}
	wantProblem(t, s.call(t, "GET", "/v1/captures/"+id+"/image", ""), 404, savepage.CodeNotFound)
}

// Every route with an id answers a foreign one exactly as an unknown one.
func TestForeignCapturesAreUnknown(t *testing.T) {
	s := serve(t, nil)
	foreign := submitted(t, s, "Authorization: Bearer "+keyB)
	for _, c := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"GET", "/image"}} {
		theirs := s.call(t, c[0], "/v1/captures/"+foreign+c[1], "")
		none := s.call(t, c[0], "/v1/captures/cap_none"+c[1], "")
		wantProblem(t, theirs, 404, savepage.CodeNotFound)
		if theirs.body != none.body {
			t.Errorf("%v: %s / %s", c, theirs.body, none.body)
		}
	}
	if r := s.call(t, "GET", "/v1/captures", ""); strings.Contains(r.body, foreign) {
		t.Errorf("listed %s", r.body)
	}
}

func TestDelete(t *testing.T) {
	s := serve(t, nil)
	ended := submitted(t, s)
	r := s.call(t, "DELETE", "/v1/captures/"+ended, "")
	wantStatus(t, r, http.StatusNoContent)
	wantProblem(t, s.call(t, "GET", "/v1/captures/"+ended, ""), 404, savepage.CodeNotFound)
	s.ends = nil
	waiting := submitted(t, s)
	r = s.call(t, "DELETE", "/v1/captures/"+waiting, "")
	wantStatus(t, r, 200)
	if got := r.json(t); got["status"] != "canceled" || got["canceled_at"] == nil || got["capture_id"] != waiting {
		t.Errorf("%s", r.body)
	}
	wantStatus(t, s.call(t, "DELETE", "/v1/captures/"+waiting, ""), http.StatusNoContent)
}

func TestImageRedirect(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/captures/"+submitted(t, s)+"/image", "")
	wantStatus(t, r, http.StatusFound)
	if got := r.header.Get("Location"); got != "http://cdn.test/captures/"+pictureStem+".png" {
		t.Errorf("Location %q", got)
	}
}

func TestList(t *testing.T) {
	s := serve(t, nil)
	var ids []string
	for range 5 {
		ids = append(ids, submitted(t, s))
	}
	var seen []string
	path := "/v1/captures?limit=2"
	for path != "" {
		r := s.call(t, "GET", path, "")
		wantStatus(t, r, 200)
		got := r.json(t)
		list, _ := got["captures"].([]any)
		for _, one := range list {
			record, _ := one.(map[string]any)
			id, _ := record["capture_id"].(string)
			seen = append([]string{id}, seen...)
		}
		path = ""
		if next, _ := got["next_cursor"].(string); next != "" {
			path = "/v1/captures?limit=2&cursor=" + url.QueryEscape(next)
		}
	}
	if diff := cmp.Diff(ids, seen); diff != "" {
		t.Error(diff)
	}
	if r := s.call(t, "GET", "/v1/captures", "", "Authorization: Bearer "+keyB); strings.TrimSpace(r.body) != `{"captures":[]}` {
		t.Errorf("%s", r.body)
	}
}

func TestListFilters(t *testing.T) {
	s := serve(t, nil)
	wantStatus(t, s.call(t, "GET", "/v1/captures?state=failed,success&state=queued&url=http%3A%2F%2Fe.test"+
		"&created_after=2026-01-02T03:04:05+02:00"+
		"&created_before=2026-02-02T00:00:00Z&limit=100&cursor=c&url_contains=PRI", ""), 200)
	want := capture.Filter{
		States: []savepage.State{savepage.Failed, savepage.Success, savepage.Queued}, URL: "http://e.test/", Limit: 100, Cursor: "c",
		URLContains:  "PRI",
		CreatedAfter: time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC), CreatedBefore: time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC),
	}
	got := s.filters[0]
	got.CreatedAfter = got.CreatedAfter.UTC()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p := wantProblem(t, s.call(t, "GET", "/v1/captures?state=done&limit=101&created_after=yesterday&crusor=x&url=a&url=b", ""), 400,
		savepage.CodeInvalidRequest)
	wrong := map[string]string{
		"query.state": "must be one of queued, running, success, failed, canceled", "query.limit": "must be from 1 to 100",
		"query.created_after": "must be a time like 2026-04-01T12:00:00Z", "query.crusor": `unknown parameter; did you mean "cursor"?`,
		"query.url": "must be given only once",
	}
	if diff := cmp.Diff(wrong, errorsOf(t, p)); diff != "" {
		t.Error(diff)
	}
	wantProblem(t, s.call(t, "GET", "/v1/captures?cursor=broken", ""), 400, savepage.CodeInvalidRequest)
	long := "/v1/captures?count=true&url_contains=" + strings.Repeat("a", 201)
	p = wantProblem(t, s.call(t, "GET", long, ""), 400, savepage.CodeInvalidRequest)
	wrong = map[string]string{
		"query.count": "cannot be true with url_contains", "query.url_contains": "must be at most 200 bytes",
	}
	if diff := cmp.Diff(wrong, errorsOf(t, p)); diff != "" {
		t.Error(diff)
	}
	wantProblem(t, s.call(t, "GET", "/v1/captures?count=yes", ""), 400, savepage.CodeInvalidRequest)
}

// A list is counted where that is asked for, and a capture says with which key it was asked for.
func TestListCounts(t *testing.T) {
	s := serve(t, nil)
	for range 3 {
		wantStatus(t, s.call(t, "POST", "/v1/capture", `{"url":"http://e.test","async":true}`), 202)
	}
	if r := s.call(t, "GET", "/v1/captures?limit=1&count=true", ""); !strings.Contains(r.body, `"total":3`) {
		t.Errorf("%s", r.body)
	}
	r := s.call(t, "GET", "/v1/captures?limit=1&count=false", "")
	if strings.Contains(r.body, `"total":3`) || !strings.Contains(r.body, `"key":"`+keyA[:11]+`"`) {
		t.Errorf("%s", r.body)
	}
}

// A page is found under every spelling that a capture of it may have had.
func TestListFindsPagesBySpelling(t *testing.T) {
	s := serve(t, nil)
	for given, want := range map[string]string{
		"HTTPS://Example.COM":          "https://example.com/",
		"https://example.com:443/A?b":  "https://example.com/A?b",
		"http://example.com:80?b=C":    "http://example.com/?b=C",
		"http://example.com:8080/x//y": "http://example.com:8080/x//y",
		"http://[::1]:443//":           "http://[::1]:443//",
		"odd":                          "odd",
		"ftp://Host":                   "ftp://host/",
	} {
		wantStatus(t, s.call(t, "GET", "/v1/captures?url="+url.QueryEscape(given), ""), 200)
		if got := s.filters[len(s.filters)-1].URL; got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
}

func TestPicture(t *testing.T) {
	s := serve(t, nil)
	path := "/captures/" + pictureStem + ".jpeg"
	s.pictures[pictureStem+".jpeg"] = []byte("0123456789")
	r := s.call(t, "GET", path, "", "Authorization:")
	wantStatus(t, r, 200)
	for name, value := range map[string]string{
		"Content-Type": "image/jpeg", "Etag": `"` + pictureStem + `"`, "Cache-Control": "public, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "cross-origin",
		"Accept-Ranges":                "bytes", "Content-Length": "10",
	} {
		if got := r.header.Get(name); got != value {
			t.Errorf("%s: %q", name, got)
		}
	}
	if r := s.call(t, "GET", path, "", "Range: bytes=2-4"); r.status != 206 || r.body != "234" {
		t.Errorf("%d %q", r.status, r.body)
	}
	if r := s.call(t, "GET", path, "", "Range: bytes=50-"); r.status != 416 {
		t.Errorf("%d %q", r.status, r.body)
	}
	if r := s.call(t, "GET", path, "", `If-None-Match: "`+pictureStem+`"`); r.status != 304 || r.body != "" {
		t.Errorf("%d %q", r.status, r.body)
	}
	if r := s.call(t, "HEAD", path, ""); r.status != 200 || r.body != "" || r.header.Get("Content-Length") != "10" {
		t.Errorf("%d %q %v", r.status, r.body, r.header)
	}
}

func TestPictureNames(t *testing.T) {
	s := serve(t, nil)
	for _, name := range []string{
		pictureStem + ".png", "short.png", pictureStem + ".html", pictureStem + ".svg", pictureStem, pictureStem + ".png.html",
		"..%2f..%2fetc%2fpasswd", pictureStem + "%00.png", strings.Repeat("a", 65) + ".png", pictureStem + ".PNG", "%2e%2e", "a%5cb.png",
	} {
		r := s.call(t, "GET", "/captures/"+name, "", "Authorization:")
		wantProblem(t, r, 404, savepage.CodeNotFound)
		if got := r.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
	}
	if len(s.opened) != 1 {
		t.Errorf("the store was asked for %q", s.opened)
	}
}
