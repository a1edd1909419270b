package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
)

func record(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	r := httptest.NewRecorder()
	h.ServeHTTP(r, req)
	return r
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func document(t *testing.T) (*service, map[string]any) {
	t.Helper()
	s := serve(t, func(c *api.Config) {
		c.Operations = api.Operations{Live: http.HandlerFunc(ok), Ready: http.HandlerFunc(ok), Metrics: http.HandlerFunc(ok)}
	})
	r := s.call(t, "GET", "/openapi.json", "", "Authorization:")
	wantStatus(t, r, 200)
	return s, r.json(t)
}

// dig walks into nested maps and lists.
func dig(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, name := range path {
		m, isMap := v.(map[string]any)
		if !isMap || m[name] == nil {
			t.Fatalf("no %s of %v in the document", name, path)
		}
		v = m[name]
	}
	return v
}

// What is documented is served, and what is served is documented.
func TestDocumentAndRoutesAgree(t *testing.T) {
	s, doc := document(t)
	documented := map[string]bool{}
	paths, _ := dig(t, doc, "paths").(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method := range methods {
			documented[strings.ToUpper(method)+" "+path] = true
			target := strings.NewReplacer("{id}", "x", "{name}", "x", "{key}", "x").Replace(path)
			r := record(s, httptest.NewRequest(strings.ToUpper(method), target, nil))
			if r.Code == 405 || r.Code == 404 && !strings.Contains(path, "{name}") {
				t.Errorf("%s %s is documented, but answers %d", method, path, r.Code)
			}
		}
	}
	var served []string
	for _, path := range []string{
		"/v1", "/v1/capture", "/v1/captures", "/v1/captures/{id}", "/v1/captures/{id}/image", "/v1/captures/{id}/events",
		"/captures/{name}", "/v1/image", "/v1/links/secrets", "/v1/links/secrets/{id}",
		"/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/", "/v1/devices", "/v1/deliveries",
		"/v1/deliveries/{id}", "/v1/inbox", "/v1/inbox/{id}", "/v1/deliveries/redeliver", "/v1/deliveries/{id}/redeliver",
		"/v1/batches", "/v1/batches/{id}",
		"/v1/webhooks/secret", "/v1/webhooks/secret/rotate", "/v1/webhooks/test", "/v1/usage", "/v1/usage/history",
		"/v1/accounts", "/v1/accounts/{id}", "/v1/accounts/{id}/usage", "/v1/accounts/{id}/usage/history",
		"/v1/accounts/{id}/keys", "/v1/accounts/{id}/keys/{key}", "/v1/accounts/{id}/keys/{key}/rotate",
		"/v1/nodes", "/v1/stores", "/v1/stores/{name}", "/v1/stores/{name}/test",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if method == "GET" && path == "/v1/deliveries/redeliver" {
				continue // an id like any other
			}
			full := strings.NewReplacer("{id}", "x", "{key}", "x", "{name}", strings.Repeat("x", 30)+".png").Replace(path)
			r := record(s, httptest.NewRequest(method, full, nil))
			if r.Code != 405 && (r.Code != 404 || path == "/captures/{name}") {
				served = append(served, method+" "+path)
			}
		}
	}
	for _, route := range served {
		if !documented[route] {
			t.Errorf("%s is served, but not documented", route)
		}
	}
	if len(served) != len(documented) || len(served) != 53 {
		t.Errorf("%d served, %d documented", len(served), len(documented))
	}
}

// plain writes a number of a JSON document without an exponent.
func plain(n any) string {
	f, _ := n.(float64)
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// The document lists every option with its range, in the body and in the query.
func TestDocumentListsEveryOption(t *testing.T) {
	_, doc := document(t)
	options, _ := dig(t, doc, "components", "schemas", "Options", "properties").(map[string]any)
	parameters, _ := dig(t, doc, "paths", "/v1", "get", "parameters").([]any)
	byName, said := map[string]map[string]any{}, map[string]any{}
	for _, one := range parameters {
		p, _ := one.(map[string]any)
		name, _ := p["name"].(string)
		byName[name], _ = p["schema"].(map[string]any)
		said[name] = p["description"]
	}
	for _, f := range api.OptionFields() {
		for where, schema := range map[string]any{"body": options[f.Name], "query": byName[f.Name]} {
			s, found := schema.(map[string]any)
			if !found || len(s) == 0 {
				t.Errorf("%s is missing in the %s", f.Name, where)
				continue
			}
			if strings.HasPrefix(f.Range, "from ") && f.Range != "from "+plain(s["minimum"])+" to "+plain(s["maximum"]) {
				t.Errorf("%s in the %s: %v to %v, want %s", f.Name, where, s["minimum"], s["maximum"], f.Range)
			}
			enum, _ := s["enum"].([]any)
			if items, isList := s["items"].(map[string]any); isList {
				enum, _ = items["enum"].([]any)
			}
			if len(f.Enum) != len(enum) {
				t.Errorf("%s in the %s: %v", f.Name, where, enum)
			}
			description := s["description"]
			if where == "query" {
				description = said[f.Name]
			}
			// Clients that are generated would send a default, and it would override the device.
			if s["default"] != nil || f.Default != "" && !strings.HasSuffix(fmt.Sprint(description), " Default: "+f.Default+".") {
				t.Errorf("%s in the %s: default %v, described as %v", f.Name, where, s["default"], description)
			}
		}
	}
	if len(options) != len(api.OptionFields()) {
		t.Errorf("%d options in the document", len(options))
	}
}

// The document is whole: every reference leads somewhere, every operation says how it fails and is secured.
func TestDocumentIsWhole(t *testing.T) {
	_, doc := document(t)
	if doc["openapi"] != "3.1.0" || dig(t, doc, "components", "securitySchemes", "key", "scheme") != "bearer" {
		t.Errorf("%v", doc["openapi"])
	}
	text, _ := json.Marshal(doc)
	for _, part := range strings.Split(string(text), `"$ref":"`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		dig(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	var ids []string
	paths, _ := dig(t, doc, "paths").(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, one := range methods {
			op, _ := one.(map[string]any)
			id, _ := op["operationId"].(string)
			responses, _ := op["responses"].(map[string]any)
			if id == "" || slices.Contains(ids, id) || op["summary"] == "" || len(responses) == 0 {
				t.Errorf("%s %s is incomplete", method, path)
			}
			ids = append(ids, id)
			if strings.HasPrefix(path, "/v1/capture") && responses["401"] == nil {
				t.Errorf("%s %s does not say 401", method, path)
			}
		}
	}
	codes, _ := dig(t, doc, "x-error-codes").([]any)
	if len(codes) != len(savepage.Codes()) {
		t.Errorf("%d codes", len(codes))
	}
}

// An answer has no field that the document does not know.
func TestAnswersFitTheDocument(t *testing.T) {
	s, doc := document(t)
	id := submitted(t, s)
	for schema, r := range map[string]reply{
		"View":     s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","metadata":"m"}`),
		"Accepted": s.call(t, "POST", "/v1/capture", `{"url":"https://example.com","async":true}`),
		"Record":   s.call(t, "GET", "/v1/captures/"+id, ""),
		"Page":     s.call(t, "GET", "/v1/captures?limit=1", ""),

		"AcceptedBatch": s.call(t, "POST", "/v1/batches", `{"urls":["https://example.com"],"batch_callback_url":"http://e.test","metadata":"m"}`),
		"BatchRecord":   s.call(t, "GET", "/v1/batches/bat_00000000000000000000000001", ""),
		"BatchPage":     s.call(t, "GET", "/v1/batches", ""),
		"Problem":       s.call(t, "POST", "/v1/capture", `{}`),
		"Version":       s.call(t, "GET", "/version", ""),
	} {
		known, _ := dig(t, doc, "components", "schemas", schema, "properties").(map[string]any)
		for name := range r.json(t) {
			if known[name] == nil {
				t.Errorf("%s.%s is not documented", schema, name)
			}
		}
	}
}

// What is null in the answer for a capture that failed may be null in the document.
func TestNullsFitTheDocument(t *testing.T) {
	s, doc := document(t)
	s.ends = nil
	id := submitted(t, s)
	s.end(id, failWith(savepage.CodeTLSError, "expired"))
	nulls := 0
	for name, value := range s.call(t, "GET", "/v1/captures/"+id, "").json(t) {
		if value != nil {
			continue
		}
		nulls++
		schema := dig(t, doc, "components", "schemas", "Record", "properties", name)
		if text, err := json.Marshal(schema); err != nil || !strings.Contains(string(text), `"null"`) {
			t.Errorf("%s is null, and documented as %s", name, text)
		}
	}
	if nulls < 6 {
		t.Errorf("%d fields are null", nulls)
	}
}

func TestVersionAndOperations(t *testing.T) {
	s, _ := document(t)
	r := s.call(t, "GET", "/version", "", "Authorization:")
	if r.json(t)["version"] != "v1.2.3" {
		t.Errorf("%s", r.body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		wantStatus(t, s.call(t, "GET", path, "", "Authorization:"), 200)
	}
	wantProblem(t, serve(t, nil).call(t, "GET", "/metrics", ""), 404, savepage.CodeNotFound)
}

func TestNewNeedsAllParts(t *testing.T) {
	if _, err := api.New(api.Parts{}, api.Config{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

func TestFault(t *testing.T) {
	s := serve(t, nil)
	r := httptest.NewRecorder()
	s.Fault(r, httptest.NewRequest(http.MethodGet, "/", nil))
	if r.Code != 500 || !strings.Contains(r.Body.String(), `"code":"internal_error"`) {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

func TestAccountIsToldToTheLog(t *testing.T) {
	w := newWorld()
	var accounts []string
	cfg := api.Config{Links: capture.Links{PublicURL: "http://api.test"}, OnAccount: func(r *http.Request, account string) {
		accounts = append(accounts, r.Method+" "+account)
	}}
	var logged bytes.Buffer
	a, err := api.New(w.parts(), cfg, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "/v1/captures", nil)
	req.Header.Set("Authorization", "bearer "+keyA)
	record(a, req)
	if !slices.Equal(accounts, []string{"GET acc_a"}) {
		t.Errorf("%v", accounts)
	}
}
