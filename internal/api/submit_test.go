package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

const page = `{"url":"https://example.com"}`

func TestSynchronousCapture(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","metadata":{"a":1}}`)
	wantStatus(t, r, http.StatusOK)
	want := `{"status":"success","capture_id":"cap_00000000000000000000000001","url":"https://example.com",` +
		`"image":"http://cdn.test/captures/` + pictureStem + `.png","width":1440,"height":900,"format":"png","size":30,"fullpage":false,` +
		`"captured_at":"2026-04-01T12:00:00Z","timing":{"queue_ms":12,"render_ms":234,"total_ms":246},` +
		`"report":{"http_status":200,"blank":false,"partial":false,"truncated":false,"requests":{"total":0,"failed":0,"blocked":0,"pending":0},` +
		`"console":{"errors":0,"warnings":0},"dialogs":0,"fonts":{"missing":0}},"metadata":{"a":1}}`
	if r.body != want {
		t.Errorf("got  %s\nwant %s", r.body, want)
	}
	for name, value := range map[string]string{
		"Content-Type":           "application/json",
		"Server-Timing":          "queue;dur=12, navigate;dur=1, settle;dur=2, shoot;dur=3, encode;dur=4, store;dur=5",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
		"X-RateLimit-Limit":      "60000",
		"X-RateLimit-Remaining":  "59999",
	} {
		if got := r.header.Get(name); got != value {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := s.requested()[0]; !got.Interactive || got.Account != "acc_a" || got.Fingerprint != "" || got.IdempotencyKey != "" {
		t.Errorf("request %+v", got)
	}
}

func TestQueryAndFormsAreCapturesToo(t *testing.T) {
	s := serve(t, nil)
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	_ = form.WriteField("width", "800")
	file, _ := form.CreateFormFile("html", "page.html")
	_, _ = file.Write([]byte("<p>&"))
	_ = form.Close()
	for _, r := range []reply{
		s.call(t, "GET", "/v1/?url=https%3A%2F%2Fexample.com&width=800", ""),
		s.call(t, "GET", "/v1?url=https://example.com&width=800", ""),
		s.call(t, "POST", "/v1/capture", "url=https://example.com&width=800", "Content-Type: application/x-www-form-urlencoded"),
		s.call(t, "POST", "/v1/capture", parts.String(), "Content-Type: "+form.FormDataContentType()),
		s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","width":800}`, "Content-Type:"),
		s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","width":800}`, "Content-Type: application/json; charset=utf-8"),
	} {
		wantStatus(t, r, http.StatusOK)
	}
	for i, got := range s.requested() {
		if got.Options.Width != 800 || got.Options.URL == "" && got.Options.HTML != "<p>&" {
			t.Errorf("%d: %+v", i, got.Options)
		}
	}
}

func TestAsynchronousCapture(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	for _, r := range []reply{
		s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","callback_url":"http://hook.test/"}`),
		s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","async":true}`),
		s.call(t, "POST", "/v1/capture", page, "Prefer: wait=9, respond-async"),
		s.call(t, "GET", "/v1/?url=https://example.com&async=1", ""),
	} {
		wantStatus(t, r, http.StatusAccepted)
		got := r.json(t)
		id, _ := got["capture_id"].(string)
		if len(got) != 3 || got["status"] != "accepted" || !strings.HasPrefix(id, "cap_") ||
			got["status_url"] != "http://api.test/v1/captures/"+id {
			t.Errorf("body %s", r.body)
		}
		if r.header.Get("Location") != "/v1/captures/"+id {
			t.Errorf("Location %q", r.header.Get("Location"))
		}
	}
	for _, got := range s.requested() {
		if got.Interactive {
			t.Errorf("interactive: %+v", got)
		}
	}
	r := s.call(t, "POST", "/v1/capture", page, "Prefer: wait=9, respond-async")
	if got := r.header.Get("Preference-Applied"); got != "respond-async" {
		t.Errorf("Preference-Applied %q", got)
	}
}

// A capture that takes longer than the wait becomes a 202 and goes on.
func TestLongCaptureBecomesAccepted(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.SyncWait = 20 * time.Millisecond })
	s.ends = nil
	r := s.call(t, "POST", "/v1/capture", page)
	wantStatus(t, r, http.StatusAccepted)
	id, _ := r.json(t)["capture_id"].(string)
	s.end(id, s.succeed)
	r = s.call(t, "GET", "/v1/captures/"+id, "")
	wantStatus(t, r, http.StatusOK)
	if r.json(t)["status"] != "success" {
		t.Errorf("body %s", r.body)
	}
}

func TestPreferWait(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.SyncWait, c.MaxWait = time.Hour, 1500*time.Millisecond })
	s.ends = nil
	started := time.Now()
	r := s.call(t, "POST", "/v1/capture", page, "Prefer: wait=1")
	wantStatus(t, r, http.StatusAccepted)
	if took := time.Since(started); took < time.Second {
		t.Errorf("waited %s", took)
	}
	if got := r.header.Get("Preference-Applied"); got != "wait=1" {
		t.Errorf("Preference-Applied %q", got)
	}
	s.ends = s.succeed
	for prefer, want := range map[string]string{
		"wait=110": "wait=1", "wait=99999999999": "wait=1", "wait=99999999999999999999": "", "wait=2;x=y": "wait=1", "wait=0": "",
		"wait=x": "", "handling=lenient": "", `wait="1"`: "wait=1",
	} {
		r := s.call(t, "POST", "/v1/capture", page, "Prefer: "+prefer)
		wantStatus(t, r, http.StatusOK)
		if got := r.header.Get("Preference-Applied"); got != want {
			t.Errorf("%s: Preference-Applied %q", prefer, got)
		}
	}
}

// The read timeout of the server ends no wait: it is for reading the request.
func TestReadTimeoutDoesNotEndTheWait(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	server := httptest.NewUnstartedServer(s.API)
	server.Config.ReadTimeout = time.Second
	server.Start()
	defer server.Close()
	s.url = server.URL
	answers := make(chan reply, 1)
	go func() { answers <- s.call(t, "POST", "/v1/capture", page) }()
	eventually(t, "submitted", func() bool { return len(s.requested()) == 1 })
	<-time.After(2 * server.Config.ReadTimeout)
	s.end(firstID, s.succeed)
	wantStatus(t, <-answers, http.StatusOK)
}

// A client that hung up is not told anything, and the log is told that.
func TestHangingUpIsNoted(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	for _, req := range []*http.Request{
		httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/capture", strings.NewReader(page)),
		httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/?q=e.test&key="+keyA, nil),
	} {
		req.Header.Set("Authorization", "Bearer "+keyA)
		if got := record(s, req); got.Code != 499 || got.Body.Len() > 0 {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}

// A client that hangs up ends its wait, not the capture.
func TestHangingUpCancelsNothing(t *testing.T) {
	s := serve(t, nil)
	s.ends = nil
	ctx, hangUp := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/capture", strings.NewReader(page))
	req.Header.Set("Authorization", "Bearer "+keyA)
	failed := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	eventually(t, "submitted", func() bool { return len(s.requested()) == 1 })
	hangUp()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if c, err := s.Get(t.Context(), "acc_a", "cap_00000000000000000000000001"); err != nil || c.State != savepage.Queued {
		t.Errorf("%+v %v", c, err)
	}
}

func TestFailedCaptureIsAProblem(t *testing.T) {
	s := serve(t, nil)
	for code, status := range map[savepage.Code]int{
		savepage.CodeNameNotResolved: 502, savepage.CodeTooLarge: 502, savepage.CodeAddressBlocked: 502,
		savepage.CodeRenderTimeout: 504, savepage.CodeInternal: 500,
	} {
		s.ends = failWith(code, "it went wrong")
		p := wantProblem(t, s.call(t, "POST", "/v1/capture", page), status, code)
		if p["detail"] != "it went wrong" || p["capture_id"] == "" || p["status_url"] == nil {
			t.Errorf("%v", p)
		}
	}
	s.ends = func(c *savepage.Capture) { c.State = savepage.Canceled }
	wantProblem(t, s.call(t, "POST", "/v1/capture", page), 409, savepage.CodeConflict)
}

func TestPictureAsAnswer(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/?url=https://example.com&response=image&format=webp", "", "Accept: application/json")
	wantStatus(t, r, http.StatusOK)
	if r.body != "picture of https://example.com" || r.header.Get("Content-Type") != "image/webp" || r.header.Get("X-Capture-Id") == "" ||
		r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", r.body, r.header)
	}
	p := wantProblem(t, s.call(t, "GET", "/v1/?url=https://example.com&response=pdf", ""), 400, savepage.CodeInvalidRequest)
	if errorsOf(t, p)["query.response"] != "must be one of json, image" {
		t.Errorf("%v", p)
	}
	wantProblem(t, s.call(t, "GET", "/v1/?url=https://example.com&response=image&async=true", ""), 400, savepage.CodeInvalidRequest)
}

func TestIdempotency(t *testing.T) {
	s := serve(t, nil)
	first := s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","width":800,"metadata":{"a":1}}`, "Idempotency-Key: k1")
	again := s.call(t, "POST", "/v1/capture", `{ "metadata":{"a": 1}, "width":800.0,"url":"https://example.com"}`, "Idempotency-Key: k1")
	wantStatus(t, first, 200)
	wantStatus(t, again, 200)
	if first.header.Get("Idempotent-Replayed") != "" || again.header.Get("Idempotent-Replayed") != "true" || first.body != again.body {
		t.Errorf("%v\n%v", first, again)
	}
	if got := s.requested()[0]; len(got.Fingerprint) != 64 || got.IdempotencyKey != "k1" {
		t.Errorf("%+v", got)
	}
	wantProblem(t, s.call(t, "POST", "/v1/capture", page, "Idempotency-Key: k1"), 422, savepage.CodeIdempotencyMismatch)
	wantStatus(t, s.call(t, "POST", "/v1/capture", page, "Idempotency-Key: k1", "Authorization: Bearer "+keyB), 200)
	wantStatus(t, s.call(t, "POST", "/v1/capture", page, "Idempotency-Key: "+strings.Repeat("x", 255)), 200)
	for _, key := range []string{strings.Repeat("x", 256), "caf\xc3\xa9"} {
		p := wantProblem(t, s.call(t, "POST", "/v1/capture", page, "Idempotency-Key: "+key), 400, savepage.CodeInvalidRequest)
		if errorsOf(t, p)["header.Idempotency-Key"] == "" {
			t.Errorf("%v", p)
		}
	}
}

// When the server stops, those who wait get a 202 at once, and new captures are refused.
func TestDrain(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.SyncWait = time.Hour })
	s.ends = nil
	answers := make(chan reply, 1)
	go func() { answers <- s.call(t, "POST", "/v1/capture", page) }()
	eventually(t, "submitted", func() bool { return len(s.requested()) == 1 })
	s.Drain()
	s.Drain()
	wantStatus(t, <-answers, http.StatusAccepted)
	r := s.call(t, "POST", "/v1/capture", page)
	wantProblem(t, r, 503, savepage.CodeShuttingDown)
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wantStatus(t, s.call(t, "GET", "/v1/captures", ""), 200)
}

func TestRefusals(t *testing.T) {
	s := serve(t, nil)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               savepage.Code
	}{
		"no key":            {"POST", "/v1/capture", page, []string{"Authorization:"}, 401, savepage.CodeUnauthorized},
		"basic":             {"POST", "/v1/capture", page, []string{"Authorization: Basic eA=="}, 401, savepage.CodeUnauthorized},
		"wrong key":         {"POST", "/v1/capture", page, []string{"Authorization: Bearer sp_x"}, 401, savepage.CodeUnauthorized},
		"key in the query":  {"GET", "/v1/captures?api_key=" + keyA, "", []string{"Authorization:"}, 401, savepage.CodeUnauthorized},
		"no path":           {"GET", "/v2/capture", "", nil, 404, savepage.CodeNotFound},
		"no root":           {"GET", "/", "", nil, 404, savepage.CodeNotFound},
		"unclean path":      {"GET", "/v1//captures", "", nil, 404, savepage.CodeNotFound},
		"dots":              {"GET", "/captures/%2e%2e%2fsecret", "", nil, 404, savepage.CodeNotFound},
		"method":            {"PUT", "/v1/capture", page, nil, 405, savepage.CodeMethodNotAllowed},
		"patch":             {"PATCH", "/v1/captures/x", "", nil, 405, savepage.CodeMethodNotAllowed},
		"media type":        {"POST", "/v1/capture", page, []string{"Content-Type: text/xml"}, 415, savepage.CodeUnsupportedMedia},
		"broken media type": {"POST", "/v1/capture", page, []string{"Content-Type: ;;"}, 415, savepage.CodeUnsupportedMedia},
		"gzip":              {"POST", "/v1/capture", page, []string{"Content-Encoding: gzip"}, 415, savepage.CodeUnsupportedMedia},
		"too large":         {"POST", "/v1/capture", `{"html":"` + strings.Repeat("x", 3<<20) + `"}`, nil, 413, savepage.CodeTooLarge},
		"broken JSON":       {"POST", "/v1/capture", `{`, nil, 400, savepage.CodeInvalidRequest},
		"no body":           {"POST", "/v1/capture", ``, nil, 400, savepage.CodeInvalidRequest},
		"JSON as form": {
			"POST", "/v1/capture", page,
			[]string{"Content-Type: application/x-www-form-urlencoded"},
			400,
			savepage.CodeInvalidRequest,
		},
		"broken form": {
			"POST", "/v1/capture", "url=%zz",
			[]string{"Content-Type: application/x-www-form-urlencoded"},
			400,
			savepage.CodeInvalidRequest,
		},
		"broken multipart": {
			"POST", "/v1/capture", "x",
			[]string{"Content-Type: multipart/form-data; boundary=b"},
			400,
			savepage.CodeInvalidRequest,
		},
		"broken query":      {"GET", "/v1/?url=http://e.test;x", "", nil, 400, savepage.CodeInvalidRequest},
		"query on POST":     {"POST", "/v1/capture?width=800", page, nil, 400, savepage.CodeInvalidRequest},
		"blocked":           {"POST", "/v1/capture", `{"url":"http://10.0.0.1/"}`, nil, 400, savepage.CodeAddressBlocked},
		"nothing":           {"GET", "/v1/", "", nil, 400, savepage.CodeInvalidRequest},
		"older without key": {"POST", "/v1/", page, nil, 400, savepage.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.call(t, c.method, c.path, c.body, c.headers...)
			wantProblem(t, r, c.status, c.code)
			if c.status == 401 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("no WWW-Authenticate")
			}
			if c.status == 405 && r.header.Get("Allow") == "" {
				t.Error("no Allow")
			}
		})
	}
	r := s.call(t, "PUT", "/v1/capture", page)
	if got := r.header.Get("Allow"); got != "POST" {
		t.Errorf("Allow %q", got)
	}
}

// A length that only claims to be large costs nothing.
func TestClaimedLength(t *testing.T) {
	s := serve(t, nil)
	req := httptest.NewRequest(http.MethodPost, "/v1/capture", strings.NewReader(page))
	req.ContentLength = 1 << 50
	req.Header.Set("Authorization", "Bearer "+keyA)
	if got := record(s, req); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	req = httptest.NewRequest(http.MethodPost, "/v1/capture", strings.NewReader(page))
	req.ContentLength = int64(len(page)) + 1
	req.Header.Set("Authorization", "Bearer "+keyA)
	if got := record(s, req); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "is incomplete") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// A client that reads the answer only when it has sent all gets it, whether it tells the length or not.
func TestEndlessBody(t *testing.T) {
	s := serve(t, nil)
	for _, length := range []int64{0, 20 << 20} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/capture", io.LimitReader(zeros{}, 20<<20))
		req.ContentLength = length
		req.Header.Set("Authorization", "Bearer "+keyA)
		if err := req.Write(conn); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("length %d: status %d", length, resp.StatusCode)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// Errors of the flow keep their status; those that are not for clients are hidden.
func TestErrorsOfTheFlow(t *testing.T) {
	s := serve(t, nil)
	s.submitErr = savepage.Errorf(savepage.CodeQueueFull, "full")
	r := s.call(t, "POST", "/v1/capture", page)
	wantProblem(t, r, 503, savepage.CodeQueueFull)
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	odd := []savepage.FieldError{{Location: "url", Message: "is odd"}}
	s.submitErr = &savepage.Error{Code: savepage.CodeInvalidRequest, Message: "m", Fields: odd}
	p := wantProblem(t, s.call(t, "POST", "/v1/capture", page), 400, savepage.CodeInvalidRequest)
	if errorsOf(t, p)["body.url"] != "is odd" {
		t.Errorf("%v", p)
	}
	s.submitErr = errors.New("disk /secret/path is full")
	r = s.call(t, "POST", "/v1/capture", page)
	wantProblem(t, r, 500, savepage.CodeInternal)
	if strings.Contains(r.body, "secret") {
		t.Errorf("told %s", r.body)
	}
}

func TestRequestIDIsInTheProblem(t *testing.T) {
	s := serve(t, nil)
	recorder := httptest.NewRecorder()
	recorder.Header().Set("X-Request-Id", "req-7")
	s.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/nothing", nil))
	if !strings.Contains(recorder.Body.String(), `"request_id":"req-7"`) {
		t.Error(recorder.Body.String())
	}
}

func TestRateLimit(t *testing.T) {
	s := serve(t, nil)
	s.limits.RequestsPerMinute = 3
	for remaining := 2; remaining >= 0; remaining-- {
		r := s.call(t, "GET", "/v1/captures", "")
		wantStatus(t, r, 200)
		if r.header.Get("X-RateLimit-Limit") != "3" || r.header.Get("X-RateLimit-Remaining") != string(rune('0'+remaining)) ||
			r.header.Get("X-RateLimit-Reset") == "" {
			t.Errorf("%v", r.header)
		}
	}
	r := s.call(t, "GET", "/v1/captures", "")
	wantProblem(t, r, 429, savepage.CodeRateLimited)
	if after, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || after < 1 || after > 20 { // less the time that has passed
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	wantStatus(t, s.call(t, "GET", "/v1/captures", "", "Authorization: Bearer "+keyB), 200)
	r = s.call(t, "GET", "/v1/?key="+keyA+"&q=e.test", "")
	wantStatus(t, r, 429)
	if !strings.Contains(r.body, `"error":"429 - `) {
		t.Error(r.body)
	}
}

func TestScopes(t *testing.T) {
	s := serve(t, nil)
	id, _ := s.call(t, "POST", "/v1/capture", `{"url":"https://example.com"}`).json(t)["capture_id"].(string)
	reads := "Authorization: Bearer " + keyRead
	for _, path := range []string{"/v1/captures", "/v1/captures/" + id, "/v1/deliveries", "/v1/batches", "/v1/webhooks/secret"} {
		wantStatus(t, s.call(t, "GET", path, "", reads), 200)
	}
	for _, one := range [][3]string{
		{"POST", "/v1/capture", `{"url":"https://example.com"}`},
		{"GET", "/v1/?url=https://example.com", ""},
		{"DELETE", "/v1/captures/" + id, ""},
		{"POST", "/v1/batches", `{"urls":["https://example.com"]}`},
		{"POST", "/v1/webhooks/secret/rotate", ""},
		{"POST", "/v1/webhooks/test", `{"url":"https://example.com"}`},
		{"POST", "/v1/deliveries/redeliver", `{"since":"2026-04-01T12:00:00Z"}`},
	} {
		r := s.call(t, one[0], one[1], one[2], reads)
		p := wantProblem(t, r, 403, savepage.CodeForbidden)
		if p["detail"] != `this key does not have the scope "capture"` || r.header.Get("X-RateLimit-Limit") == "" {
			t.Errorf("%s %s: %s", one[0], one[1], r.body)
		}
	}
	if r := s.call(t, "GET", "/v1/?q=example.com&key="+keyRead, ""); r.status != 403 {
		t.Errorf("older API: %d %s", r.status, r.body)
	}
	if len(s.requested()) != 1 {
		t.Errorf("%d submissions", len(s.requested()))
	}
}
