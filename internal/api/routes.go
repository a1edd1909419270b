package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// route is one method of one path, and its description. Every request that is served is in the table.
type route struct {
	method  string
	path    string // as in the OpenAPI document
	handler http.Handler
	doc     *huma.Operation // nil: served, but not called by clients directly
}

// pattern is the path in the syntax of the mux: one that ends in a slash matches only itself.
func (r route) pattern() string {
	if strings.HasSuffix(r.path, "/") {
		return r.path + "{$}"
	}
	return r.path
}

// handlers are all handlers of the API, by their tasks.
type handlers struct {
	out        responder
	drain      *drain
	gate       *gate
	captures   *captureHandlers
	records    *recordHandlers
	events     *eventHandlers
	pictures   *pictureHandlers
	batches    *batchHandlers
	deliveries *deliveryHandlers
	secrets    *secretHandlers
	tests      *testHandlers
	legacy     *legacyHandlers
	documents  *documents
	operations Operations
}

// newHandlers joins the parts. The configuration is complete.
func newHandlers(p Parts, cfg Config, log *slog.Logger) *handlers {
	out, drain, decoder := responder{publicURL: cfg.Links.PublicURL, log: log}, newDrain(), NewDecoder()
	gate := newGate(out, p, cfg)
	finder := finder{records: p.Records, links: cfg.Links}
	submits := &submitter{out: out, captures: p.Captures, records: p.Records, drain: drain}
	pictures := &pictureHandlers{out: out, open: p.Open}
	waits := waits{usual: cfg.SyncWait, atMost: cfg.MaxWait}
	captures := &captureHandlers{out: out, submits: submits, pictures: pictures, decoder: decoder, waits: waits, links: cfg.Links}
	return &handlers{
		out: out, drain: drain, gate: gate, captures: captures, pictures: pictures,
		records:    &recordHandlers{finder: finder, out: out, captures: p.Captures, cancels: p.Cancels},
		events:     &eventHandlers{finder: finder, progress: p.Progress, clock: p.Clock, drain: drain, heartbeat: cfg.Heartbeat},
		batches:    &batchHandlers{out: out, batches: p.Batches, captures: p.Captures, decoder: decoder, drain: drain, links: cfg.Links},
		deliveries: &deliveryHandlers{out: out, deliveries: p.Deliveries},
		secrets:    &secretHandlers{out: out, secrets: p.Secrets},
		tests:      &testHandlers{out: out, sender: p.TestSender, secrets: p.Secrets, clock: p.Clock, drain: drain},
		legacy: &legacyHandlers{
			out: out, gate: gate, submits: submits, pictures: pictures, wait: cfg.SyncWait,
			current: gate.with(savepage.ScopeCapture, captures.get),
		},
		documents:  &documents{out: out, waits: waits, version: cfg.Version, decoder: decoder},
		operations: cfg.Operations,
	}
}

// table is the table of everything that is served.
func (h *handlers) table() []route {
	return slices.Concat(h.captureRoutes(), h.webhookRoutes(), h.batchRoutes(), h.openRoutes())
}

func (h *handlers) captureRoutes() []route {
	front, preflight := http.HandlerFunc(h.legacy.front), http.HandlerFunc(h.legacy.preflight)
	const submit, read = savepage.ScopeCapture, savepage.ScopeRead
	return []route{
		{http.MethodPost, "/v1/capture", h.gate.with(submit, h.captures.post), h.documents.docPostCapture()},
		{http.MethodGet, "/v1/", front, h.documents.docGetCapture()},
		{http.MethodGet, "/v1", front, docLegacy("legacyGet", false)},
		{http.MethodPost, "/v1", front, docLegacy("legacyPost", true)},
		{http.MethodPost, "/v1/", front, docLegacy("legacyPostSlash", true)},
		{http.MethodOptions, "/v1", preflight, nil},
		{http.MethodOptions, "/v1/", preflight, nil},
		{http.MethodGet, "/v1/captures", h.gate.with(read, h.records.list), docList()},
		{http.MethodGet, "/v1/captures/{id}", h.gate.with(read, h.records.get), docGet()},
		{http.MethodDelete, "/v1/captures/{id}", h.gate.with(submit, h.records.remove), docDelete()},
		{http.MethodGet, "/v1/captures/{id}/image", h.gate.with(read, h.records.image), docImage()},
		{http.MethodGet, "/v1/captures/{id}/events", h.gate.with(read, h.events.get), docEvents()},
	}
}

func (h *handlers) webhookRoutes() []route {
	const submit, read = savepage.ScopeCapture, savepage.ScopeRead
	return []route{
		{http.MethodGet, "/v1/webhooks/secret", h.gate.with(read, h.secrets.get), docGetSecret()},
		{http.MethodPost, "/v1/webhooks/secret/rotate", h.gate.with(submit, h.secrets.rotate), docRotateSecret()},
		{http.MethodPost, "/v1/webhooks/test", h.gate.with(submit, h.tests.post), docTest()},
		{http.MethodGet, "/v1/deliveries", h.gate.with(read, h.deliveries.list), docListDeliveries()},
		{http.MethodPost, "/v1/deliveries/redeliver", h.gate.with(submit, h.deliveries.redeliverDead), docRedeliverDead()},
		{http.MethodGet, "/v1/deliveries/{id}", h.gate.with(read, h.deliveries.get), docDelivery()},
		{http.MethodPost, "/v1/deliveries/{id}/redeliver", h.gate.with(submit, h.deliveries.redeliver), docRedeliver()},
	}
}

func (h *handlers) batchRoutes() []route {
	const submit, read = savepage.ScopeCapture, savepage.ScopeRead
	return []route{
		{http.MethodPost, "/v1/batches", h.gate.with(submit, h.batches.post), docPostBatch()},
		{http.MethodGet, "/v1/batches", h.gate.with(read, h.batches.list), docListBatches()},
		{http.MethodGet, "/v1/batches/{id}", h.gate.with(read, h.batches.get), docGetBatch()},
		{http.MethodDelete, "/v1/batches/{id}", h.gate.with(submit, h.batches.cancel), docCancelBatch()},
	}
}

// openRoutes need no key.
func (h *handlers) openRoutes() []route {
	d := h.documents
	table := []route{
		{http.MethodGet, "/captures/{name}", http.HandlerFunc(h.pictures.get), docPicture()},
		{http.MethodGet, "/openapi.json", http.HandlerFunc(d.getDocument), docOpen("openapi", "This document.", "application/json")},
		{http.MethodGet, "/docs", http.HandlerFunc(d.getManual), docOpen("docs", "The reference as a page.", "text/html")},
		{http.MethodGet, "/v1/devices", http.HandlerFunc(d.listDevices), docDevices()},
		{http.MethodGet, "/version", http.HandlerFunc(d.getVersion), docVersion()},
	}
	for _, one := range []struct {
		path    string
		handler http.Handler
		doc     *huma.Operation
	}{
		{"/healthz", h.operations.Live, docOpen("live", "Whether the process is alive.", "application/json")},
		{"/readyz", h.operations.Ready, docReady()},
		{"/metrics", h.operations.Metrics, docOpen("metrics", "Metrics for Prometheus.", "text/plain")},
	} {
		if one.handler != nil {
			table = append(table, route{http.MethodGet, one.path, one.handler, one.doc})
		}
	}
	return table
}
