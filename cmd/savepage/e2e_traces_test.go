package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// gathering is a collector of spans, by OTLP over HTTP.
type gathering struct {
	*httptest.Server

	t     *testing.T
	mu    sync.Mutex
	spans []*spanpb.Span
	names []string // of services and nodes
}

func newGathering(t *testing.T) *gathering {
	t.Helper()
	g := &gathering{t: t}
	g.Server = httptest.NewServer(http.HandlerFunc(g.take))
	t.Cleanup(g.Close)
	return g
}

func (g *gathering) take(w http.ResponseWriter, r *http.Request) {
	content := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			g.t.Error(err)
			return
		}
		content = unpacked
	}
	text, err := io.ReadAll(content)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &sent)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		g.t.Errorf("%s: %v", r.URL.Path, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, of := range sent.GetResourceSpans() {
		for _, attribute := range of.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				g.names = append(g.names, attribute.GetValue().GetStringValue())
			}
		}
		for _, scope := range of.GetScopeSpans() {
			g.spans = append(g.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// span is one that has arrived, with identities as text.
type span struct {
	*spanpb.Span

	id, parent, trace string
}

// named are the spans of a name that have arrived, in the order of their beginnings.
func (g *gathering) named(name string) (found []span) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.spans {
		if s.GetName() == name {
			id, above, of := hex.EncodeToString(s.GetSpanId()), hex.EncodeToString(s.GetParentSpanId()), hex.EncodeToString(s.GetTraceId())
			found = append(found, span{s, id, above, of})
		}
	}
	slices.SortFunc(found, func(a, b span) int { return int(a.GetStartTimeUnixNano()) - int(b.GetStartTimeUnixNano()) })
	return found
}

// one is the only span of a name.
func (g *gathering) one(name string) span {
	g.t.Helper()
	found := g.named(name)
	if len(found) != 1 {
		g.t.Fatalf("%d spans are called %s, not one", len(found), name)
	}
	return found[0]
}

// heard is a receiver of callbacks that keeps the headers.
type heard struct {
	*httptest.Server

	mu   sync.Mutex
	seen []http.Header
}

func newHeard(t *testing.T) *heard {
	t.Helper()
	h := &heard{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seen = append(h.seen, r.Header.Clone())
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *heard) headers() []http.Header {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
	callersState = "vendor=of-the-caller"
)

// TestTraces follows a capture and a batch from the requests of a caller, on a node that ends before another begins to render
// them, to the receivers of their callbacks.
func TestTraces(t *testing.T) {
	collected, hook := newGathering(t), newHeard(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	t.Setenv("OTEL_SERVICE_NAME", "shots")
	server := newPostgres(t)
	site, pictures := startSite(t), filepath.Join(t.TempDir(), "pictures")
	asks := ward{newProgramOn(t, server.Address("records"), "--blobs", pictures, "--roles", "api")}
	works := asks.another("--blobs", pictures, "--roles", "render,deliver", "--database", server.Address("records"))
	asks.start()
	page := map[string]any{"url": site + "/bands?height=300", "width": 320, "height": 240, "callback_url": hook.URL}
	for path, body := range map[string]any{
		"/v1/capture": page,
		"/v1/batches": map[string]any{"captures": []any{page}, "batch_callback_url": hook.URL},
	} {
		parent := "00-" + callersTrace + "-" + callersSpan + "-01"
		status, _, text := asks.call(http.MethodPost, path, body, "traceparent", parent, "tracestate", callersState)
		if status != http.StatusAccepted {
			t.Fatalf("%s: status %d, %s", path, status, text)
		}
	}
	if err := asks.terminate(); err != nil {
		t.Fatal(err)
	}
	submit, batch := collected.one("submit"), collected.one("submit batch")
	for _, one := range []span{submit, batch} {
		if one.trace != callersTrace || one.parent != callersSpan || one.GetKind() != spanpb.Span_SPAN_KIND_SERVER {
			t.Errorf("a submission: %v", one)
		}
	}
	works.start()
	asks.eventually("three callbacks and their spans", func() bool { return len(hook.headers()) == 3 && len(collected.named("webhook")) == 3 })
	if err := works.terminate(); err != nil {
		t.Fatal(err)
	}
	collected.lie(submit.id, batch.id)
	for _, header := range hook.headers() {
		parts := strings.Split(header.Get("traceparent"), "-")
		sent := func(s span) bool { return len(parts) == 4 && parts[2] == s.id }
		if len(parts) != 4 || parts[1] != callersTrace || !slices.ContainsFunc(collected.named("webhook"), sent) ||
			header.Get("tracestate") != callersState {
			t.Errorf("a callback goes on with %q, tracestate %q", header.Get("traceparent"), header.Get("tracestate"))
		}
	}
	if slices.ContainsFunc(collected.names, func(name string) bool { return name != "shots" }) {
		t.Errorf("the services are called %q", collected.names)
	}
}

// lie checks that every span of captures lies where it belongs: below the two submissions.
func (g *gathering) lie(single, batch string) {
	g.t.Helper()
	renders := map[string]string{} // by id: where it lies
	for _, one := range g.named("render") {
		renders[one.id] = one.parent
	}
	if len(renders) != 2 {
		g.t.Errorf("%d renders", len(renders))
	}
	for _, name := range []string{"queue", "render"} {
		above := []string{}
		for _, one := range g.named(name) {
			above = append(above, one.parent)
		}
		if !slices.Contains(above, single) || !slices.Contains(above, batch) || len(above) != 2 {
			g.t.Errorf("spans called %s lie in %q", name, above)
		}
	}
	for _, name := range []string{"navigate", "settle", "shoot", "encode", "store", "record"} {
		within := g.named(name)
		if len(within) != 2 {
			g.t.Errorf("%d spans are called %s, not two", len(within), name)
		}
		for _, one := range within {
			if renders[one.parent] == "" || one.trace != callersTrace {
				g.t.Errorf("%v does not lie in a render", one)
			}
		}
	}
	above := map[string]int{}
	for _, one := range g.named("webhook") {
		above[one.parent]++
		if one.trace != callersTrace || one.GetKind() != spanpb.Span_SPAN_KIND_CLIENT {
			g.t.Errorf("a callback: %v", one)
		}
	}
	if above[single] != 1 || above[batch] != 2 {
		g.t.Errorf("callbacks lie in %v", above)
	}
}

// TestTracesFail marks what went wrong: a page that is refused, a receiver that fails.
func TestTracesFail(t *testing.T) {
	collected := newGathering(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collected.URL+"/v1/traces")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	t.Cleanup(gone.Close)
	p := newProgram(t)
	p.start()
	p.submit(map[string]any{"url": startSite(t) + "/bands?height=300", "selector": "#not-there", "timeout": 5000, "callback_url": gone.URL})
	p.eventually("a span of the callback", func() bool { return len(collected.named("webhook")) == 1 })
	render, hook := collected.one("render"), collected.one("webhook")
	if render.GetStatus().GetCode() != spanpb.Status_STATUS_CODE_ERROR || hook.GetStatus().GetMessage() != "status" {
		t.Errorf("render: %v, callback: %v", render.GetStatus(), hook.GetStatus())
	}
	if submit := collected.one("submit"); submit.parent != "" || submit.trace != hook.trace || submit.GetStatus().GetCode() != 0 {
		t.Errorf("a submission without a caller's trace: %v, its callback %v", submit, hook)
	}
}

// TestNoTraces neither sends nor keeps anything when it is not asked to.
func TestNoTraces(t *testing.T) {
	collected, hook := newGathering(t), newHeard(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.URL)
	t.Setenv("OTEL_SDK_DISABLED", "true")
	p := newProgram(t)
	p.start()
	page := map[string]any{"url": startSite(t) + "/bands?height=300", "callback_url": hook.URL}
	status, _, text := p.call(http.MethodPost, "/v1/capture", page, "traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	if status != http.StatusAccepted {
		t.Fatalf("status %d, %s", status, text)
	}
	p.eventually("a callback", func() bool { return len(hook.headers()) == 1 })
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	if got := hook.headers()[0].Get("traceparent"); got != "" || len(collected.named("submit")) != 0 {
		t.Errorf("the callback goes on with %q, the collector has %d submissions", got, len(collected.named("submit")))
	}
}

// TestTraceSettings names what is wrong with a variable.
func TestTraceSettings(t *testing.T) {
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ name, value, want string }{
		{"OTEL_TRACES_EXPORTER", "zipkin", `OTEL_TRACES_EXPORTER is "zipkin": want otlp or none`},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", `OTEL_EXPORTER_OTLP_PROTOCOL is "http/json": want http/protobuf or grpc`},
	} {
		serve := exec.CommandContext(t.Context(), path, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir())
		serve.Env = append(serve.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", one.name+"="+one.value)
		if out, err := serve.CombinedOutput(); err == nil || !strings.Contains(string(out), one.want) {
			t.Errorf("%s=%s: %v, %s", one.name, one.value, err, out)
		}
	}
}
