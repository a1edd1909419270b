package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
)

const batchID = "bat_00000000000000000000000001"

func (w *world) SubmitBatch(_ context.Context, r capture.BatchRequest) (capture.AcceptedBatch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, r)
	a := capture.AcceptedBatch{Batch: savepage.Batch{ID: batchID}, Replayed: r.IdempotencyKey != "" && len(w.batches) > 1}
	for i := range r.Captures {
		a.CaptureIDs = append(a.CaptureIDs, fmt.Sprintf("cap_%026d", i+1))
	}
	return a, w.batchErr
}

func (w *world) Batch(_ context.Context, account, id string) (savepage.Batch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != batchID || account != "acc_a" {
		return savepage.Batch{}, savepage.Errorf(savepage.CodeNotFound, "there is no batch %s", id)
	}
	return savepage.Batch{
		ID: id, Account: account, Metadata: savepage.Metadata(`"m"`), CreatedAt: time.Date(2026, 4, 1, 12, 0, 0, 5e8, time.UTC),
		Counts: savepage.Counts{Total: 6, Queued: 1, Running: 1, Success: 2, Failed: 1, Canceled: 1},
	}, nil
}

func (w *world) ListBatches(ctx context.Context, account string, limit int, cursor string) ([]savepage.Batch, string, error) {
	if cursor == "broken" {
		return nil, "", savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not one of ours")
	}
	b, err := w.Batch(ctx, account, batchID)
	if err != nil {
		return nil, "", nil //nolint:nilerr // the other account has none
	}
	return slices.Repeat([]savepage.Batch{b}, limit), "next", nil
}

func (w *world) BatchDeliveries(context.Context, string, string) ([]savepage.Delivery, error) {
	return []savepage.Delivery{{ID: "msg_1", BatchID: batchID}}, nil
}

func (w *world) CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error) {
	b, err := w.Batch(ctx, account, id)
	b.EndedAt = b.CreatedAt.Add(time.Minute)
	return b, err
}

func TestBatchOfURLs(t *testing.T) {
	s := serve(t, nil)
	const body = `{"urls":["https://a.test/x","https://b.test"],"options":{"width":800,"html":"<p>","headers":{"X-A":"1"},` +
		`"callback_headers":{"X-B":"2"}},
		"callback_url":"https://hook.test","batch_callback_url":"https://done.test/","metadata":{"k":"<v>"}}`
	r := s.call(t, "POST", "/v1/batches", body, "Idempotency-Key: k")
	wantStatus(t, r, http.StatusAccepted)
	got := r.json(t)
	want := map[string]any{
		"status": "accepted", "batch_id": batchID, "status_url": "http://api.test/v1/batches/" + batchID,
		"capture_ids": []any{"cap_00000000000000000000000001", "cap_00000000000000000000000002"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || r.header.Get("Location") != "/v1/batches/"+batchID {
		t.Errorf("%s %v", r.body, r.header)
	}
	asked := s.batches[0]
	if asked.Account != "acc_a" || asked.CallbackURL != "https://done.test/" || string(asked.Metadata) != `{"k":"<v>"}` ||
		asked.IdempotencyKey != "k" || len(asked.Fingerprint) != 64 || len(asked.Captures) != 2 {
		t.Fatalf("%+v", asked)
	}
	for i, url := range []string{"https://a.test/x", "https://b.test"} {
		o := asked.Captures[i]
		if o.URL != url || o.Width != 800 || o.Height != 900 || o.HTML != "" || o.Headers["X-A"] != "1" || o.CallbackURL != "https://hook.test" {
			t.Errorf("row %d: %+v", i, o)
		}
	}
	again := s.call(t, "POST", "/v1/batches", body, "Idempotency-Key: k")
	if again.header.Get("Idempotent-Replayed") != "true" || s.batches[1].Fingerprint != asked.Fingerprint {
		t.Errorf("%v", again.header)
	}
	s.call(t, "POST", "/v1/batches", strings.Replace(body, "done.test", "else.test", 1), "Idempotency-Key: k")
	if s.batches[2].Fingerprint == asked.Fingerprint {
		t.Error("another batch has the same fingerprint")
	}
}

func TestBatchOfCaptures(t *testing.T) {
	s := serve(t, nil)
	wantStatus(t, s.call(t, "POST", "/v1/batches", `{"options":{"url":"https://a.test","width":800,"delay":5,"cookies":"a=1",`+
		`"metadata":{"all":1}},"captures":[
		{}, {"width":1000,"cookies":[{"name":"b","value":"2"}]}, {"html":"<p>","metadata":"own","callback_url":"https://own.test"}]}`), 202)
	rows := s.batches[0].Captures
	if rows[0].URL != "https://a.test" || rows[0].Width != 800 || rows[0].Cookies[0].Name != "a" || string(rows[0].Metadata) != `{"all":1}` {
		t.Errorf("%+v", rows[0])
	}
	if rows[1].Width != 1000 || rows[1].Delay != 5 || rows[1].Cookies[0].Name != "b" {
		t.Errorf("%+v", rows[1])
	}
	if rows[2].URL != "" || rows[2].HTML != "<p>" || string(rows[2].Metadata) != `"own"` || rows[2].CallbackURL != "https://own.test" {
		t.Errorf("%+v", rows[2])
	}
	if len(s.batches[0].Metadata) != 0 || s.batches[0].CallbackURL != "" {
		t.Errorf("%+v", s.batches[0])
	}
}

func TestBatchNamesEveryWrongField(t *testing.T) {
	s := serve(t, nil)
	for body, want := range map[string]map[string]string{
		`{"captures":[{"url":"https://a.test","width":1},{"url":"https://a.test"},{"height":1,"colour":1},7,{"url":"https://10.0.0.1"}],` +
			`"widht":2}`: {
			"body.captures[0].width":  "must be from 320 to 3840",
			"body.captures[2].height": "must be from 240 to 2160",
			"body.captures[2].colour": "unknown option",
			"body.captures[2].url":    "is required; give an http or https URL, or html",
			"body.captures[3]":        "must be an object of options",
			"body.captures[4].url":    "the address is private",
			"body.widht":              "unknown field",
		},
		`{"urls":["https://a.test","b.test",7,"https://10.0.0.1/"],"options":{"width":1,"height":"x"},"width":2,"metadata":[],` +
			`"batch_callback_url":"ftp:/"}`: {
			"body.urls[1]":            `must be an http or https URL; did you mean "https://b.test"?`,
			"body.urls[2]":            "must be a URL",
			"body.urls[3]":            "the address is private",
			"body.options.width":      "must be from 320 to 3840",
			"body.options.height":     "must be a whole number from 240 to 2160",
			"body.width":              "must be in options or in one of captures",
			"body.metadata":           "must be a string or a flat object of strings, numbers and booleans",
			"body.batch_callback_url": "must be an http or https URL",
		},
		`{"urls":["https://a.test"],"callback_url":"x","options":{"callback_url":"https://a.test","delay":20000,"timeout":10000}}`: {
			"body.callback_url":  "must not be given in options as well",
			"body.options.delay": "must be shorter than timeout",
		},
		`{"captures":[{"url":"https://a.test","timeout":1000},{"url":"https://a.test"}],"options":{"delay":5000}}`: {
			"body.options.delay": "must be shorter than timeout",
		},
		// Not given back: it is secret.
		`{"urls":["https://a.test"],"callback_secret":"whsec_x","options":{"callback_headers":{"X-A":"1"}}}`: {
			"body.callback_secret":          "must be in options or in one of captures",
			"body.options.callback_headers": "needs callback_url",
		},
		`{}`:                                   {"body.urls": "is required; give a list of URLs, or captures with a list of options"},
		`{"urls":[]}`:                          {"body.urls": "must be a list of 1 to 1000"},
		`{"urls":"https://a.test"}`:            {"body.urls": "must be a list of 1 to 1000"},
		`{"urls":["https://a.t"],"options":1}`: {"body.options": "must be an object of options"},
		`{"urls":["https://a.t"],"captures":[{"url":"https://a.t"}]}`:               {"body.urls": "must not be given together with captures"},
		`{"urls":["https://a.test"` + strings.Repeat(`,"https://a.t"`, 1000) + `]}`: {"body.urls": "must be a list of 1 to 1000"},
	} {
		p := wantProblem(t, s.call(t, "POST", "/v1/batches", body), 400, savepage.CodeInvalidRequest)
		if got := errorsOf(t, p); fmt.Sprint(got) != fmt.Sprint(want) || strings.Contains(fmt.Sprint(p), "whsec_x") {
			t.Errorf("%.200s:\n got %v\nwant %v", body, got, want)
		}
	}
	if len(s.batches) != 0 {
		t.Errorf("%d batches were submitted", len(s.batches))
	}
}

func TestBatchErrorsAreBoundedAndCounted(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "POST", "/v1/batches", `{"urls":["x"`+strings.Repeat(`,"x"`, 999)+`]}`)
	p := wantProblem(t, r, 400, savepage.CodeInvalidRequest)
	list, _ := p["errors"].([]any)
	detail, _ := p["detail"].(string)
	if len(list) != 100 || !strings.Contains(detail, "; 995 more, of which errors lists the first 95") || len(r.body) > 30_000 {
		t.Errorf("%d errors, %d bytes: %.300s", len(list), len(r.body), detail)
	}
	first, _ := list[0].(map[string]any)
	last, _ := list[99].(map[string]any)
	if first["location"] != "body.urls[0]" || last["location"] != "body.urls[99]" {
		t.Errorf("%v … %v", first, last)
	}
}

// The flow's own refusals come back with places of the body.
func TestBatchErrorsOfTheFlow(t *testing.T) {
	s := serve(t, nil)
	refuse := func(code savepage.Code, fields ...string) {
		fault := savepage.Errorf(code, "x")
		for _, one := range fields {
			fault.Fields = append(fault.Fields, savepage.FieldError{Location: one, Message: "is private"})
		}
		s.batchErr = fault
	}
	refuse(savepage.CodeAddressBlocked, "[1].url", "[0].callback_url", "[1].callback_url", "batch_callback_url")
	p := wantProblem(t, s.call(t, "POST", "/v1/batches", `{"urls":["https://a.test","https://b.test"],"callback_url":"https://c.test"}`),
		400, savepage.CodeAddressBlocked)
	if got := errorsOf(t, p); len(got) != 3 || got["body.urls[1]"] == "" || got["body.callback_url"] == "" ||
		got["body.batch_callback_url"] == "" {
		t.Errorf("%v", got)
	}
	refuse(savepage.CodeAddressBlocked, "[0].url", "[0].callback_url")
	p = wantProblem(t, s.call(t, "POST", "/v1/batches", `{"captures":[{"url":"https://a.test"}],`+
		`"options":{"callback_url":"https://c.test"}}`), 400, savepage.CodeAddressBlocked)
	if got := errorsOf(t, p); len(got) != 2 || got["body.captures[0].url"] == "" || got["body.options.callback_url"] == "" {
		t.Errorf("%v", got)
	}
	refuse(savepage.CodeQueueFull)
	full := s.call(t, "POST", "/v1/batches", `{"urls":["https://a.test"]}`)
	wantProblem(t, full, 503, savepage.CodeQueueFull)
	if full.header.Get("Retry-After") == "" {
		t.Errorf("%v", full.header)
	}
	s.batchErr = nil
	s.Drain()
	wantProblem(t, s.call(t, "POST", "/v1/batches", `{"urls":["https://a.test"]}`), 503, savepage.CodeShuttingDown)
}

func TestBatchRefusals(t *testing.T) {
	s := serve(t, nil)
	for _, one := range []struct {
		body    string
		headers []string
		status  int
		code    savepage.Code
	}{
		{"", nil, 400, savepage.CodeInvalidRequest},
		{"[]", nil, 400, savepage.CodeInvalidRequest},
		{`{"urls":["https://a.test"],"urls":[]}`, nil, 400, savepage.CodeInvalidRequest},
		{`{"captures":[{"url":"https://a.test","url":"https://b.test"}]}`, nil, 400, savepage.CodeInvalidRequest},
		{"urls=x", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, savepage.CodeUnsupportedMedia},
		{`{"urls":["https://a.test"]}`, []string{"Authorization:"}, 401, savepage.CodeUnauthorized},
		{`{"urls":["https://a.test"]}`, []string{"Idempotency-Key: " + strings.Repeat("x", 256)}, 400, savepage.CodeInvalidRequest},
		{`{"urls":["` + strings.Repeat("x", 16<<20) + `"]}`, nil, 413, savepage.CodeTooLarge},
	} {
		wantProblem(t, s.call(t, "POST", "/v1/batches", one.body, one.headers...), one.status, one.code)
	}
	wantProblem(t, s.call(t, "POST", "/v1/batches?width=1", `{"urls":["https://a.test"]}`), 400, savepage.CodeInvalidRequest)
	// More than a single capture's body may have.
	one := `"https://a.test/` + strings.Repeat("x", 8000) + `"`
	long := `{"urls":[` + one + strings.Repeat(","+one, 999) + `]}`
	wantStatus(t, s.call(t, "POST", "/v1/batches", long), 202)
}

func TestBatchLookUp(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/batches/"+batchID, "")
	wantStatus(t, r, 200)
	var got api.BatchRecord
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "running" || got.Counts != (savepage.Counts{Total: 6, Queued: 1, Running: 1, Success: 2, Failed: 1, Canceled: 1}) ||
		got.CreatedAt != "2026-04-01T12:00:00Z" || got.EndedAt != "" || string(got.Metadata) != `"m"` ||
		got.CapturesURL != "http://api.test/v1/captures?batch_id="+batchID || len(*got.Deliveries) != 1 || (*got.Deliveries)[0].Attempts == nil {
		t.Errorf("%s", r.body)
	}
	r = s.call(t, "DELETE", "/v1/batches/"+batchID, "")
	wantStatus(t, r, 200)
	if v := r.json(t); v["status"] != "ended" || v["ended_at"] != "2026-04-01T12:01:00Z" {
		t.Errorf("%s", r.body)
	}
	r = s.call(t, "GET", "/v1/batches?limit=2", "")
	wantStatus(t, r, 200)
	if v := r.json(t); len(v["batches"].([]any)) != 2 || v["next_cursor"] != "next" {
		t.Errorf("%s", r.body)
	}
	for _, path := range []string{
		"/v1/batches?limit=0", "/v1/batches?state=x", "/v1/batches?cursor=broken", "/v1/batches/" + batchID + "?x=1",
	} {
		wantProblem(t, s.call(t, "GET", path, ""), 400, savepage.CodeInvalidRequest)
	}
	for _, method := range []string{"GET", "DELETE"} {
		wantProblem(t, s.call(t, method, "/v1/batches/"+batchID, "", "Authorization: Bearer "+keyB), 404, savepage.CodeNotFound)
		wantProblem(t, s.call(t, method, "/v1/batches/bat_x", ""), 404, savepage.CodeNotFound)
	}
	if r := s.call(t, "GET", "/v1/batches", "", "Authorization: Bearer "+keyB); !strings.Contains(r.body, `"batches":[]`) {
		t.Errorf("%s", r.body)
	}
	s.call(t, "GET", "/v1/captures?batch_id="+batchID, "")
	if f := s.filters[0]; f.BatchID != batchID {
		t.Errorf("%+v", f)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(`{"urls":["https://a.test"],"options":{"width":800}}`)
	f.Add(`{"captures":[{"html":"<p>"},{"url":null}],"options":{"url":"https://a.test","cookies":"a=1"},"metadata":{"a":1}}`)
	s := serve(f, nil)
	s.limits.RequestsPerMinute = math.MaxInt32 // a fuzzer asks often
	f.Fuzz(func(t *testing.T, body string) {
		r := s.call(t, "POST", "/v1/batches", body)
		if r.status != 202 && r.status != 400 {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
}
