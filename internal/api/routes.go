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
	links      *linkHandlers
	accounts   *accountHandlers
	usage      *usageHandlers
	nodes      *nodeHandlers
	tests      *testHandlers
	inbox      *inboxHandlers
	stores     *storeHandlers
	legacy     *legacyHandlers
	documents  *documents
	operations Operations
}

// newHandlers joins the parts. The configuration is complete.
func newHandlers(p Parts, cfg Config, log *slog.Logger) *handlers {
	out, drain, decoder := responder{publicURL: cfg.Links.PublicURL, log: log}, newDrain(), NewDecoder()
	gate := newGate(out, p, cfg)
	finder := finder{records: p.Records, links: cfg.Links, fields: OptionFields()}
	submits := &submitter{out: out, captures: p.Captures, records: p.Records, drain: drain}
	pictures := &pictureHandlers{out: out, open: p.Open, link: cfg.Link}
	waits := waits{usual: cfg.SyncWait, atMost: cfg.MaxWait}
	captures := &captureHandlers{out: out, submits: submits, pictures: pictures, decoder: decoder, waits: waits, links: cfg.Links}
	return &handlers{
		out: out, drain: drain, gate: gate, captures: captures, pictures: pictures,
		records:    &recordHandlers{finder: finder, out: out, captures: p.Captures, cancels: p.Cancels},
		events:     &eventHandlers{finder: finder, progress: p.Progress, clock: p.Clock, drain: drain, heartbeat: cfg.Heartbeat},
		batches:    &batchHandlers{out: out, batches: p.Batches, captures: p.Captures, decoder: decoder, drain: drain, links: cfg.Links},
		deliveries: &deliveryHandlers{out: out, deliveries: p.Deliveries},
		secrets:    &secretHandlers{out: out, secrets: p.Secrets},
		links: &linkHandlers{
			out: out, gate: gate, links: p.Links, submits: submits, pictures: pictures, decoder: decoder, wait: cfg.SyncWait,
		},
		accounts: &accountHandlers{out: out, accounts: p.Accounts, keys: p.KeyRing, clock: p.Clock},
		usage:    &usageHandlers{out: out, usage: p.Usage, gate: gate},
		nodes:    &nodeHandlers{out: out, nodes: p.Nodes},
		tests:    &testHandlers{out: out, sender: p.TestSender, secrets: p.Secrets, clock: p.Clock, drain: drain},
		inbox:    &inboxHandlers{out: out, inboxes: p.Inboxes},
		stores:   &storeHandlers{out: out, stores: p.Stores, tester: p.Uploads, drain: drain},
		legacy: &legacyHandlers{
			out: out, gate: gate, submits: submits, pictures: pictures, wait: cfg.SyncWait,
			current: gate.with(maySubmit, captures.get),
		},
		documents:  &documents{out: out, links: cfg.Links, waits: waits, version: cfg.Version, decoder: decoder},
		operations: cfg.Operations,
	}
}

// What a key needs for a request: one of these scopes.
const (
	maySubmit = scopes(savepage.ScopeCapture)
	mayRead   = scopes(savepage.ScopeRead)
	mayFollow = mayRead + "," + maySubmit // what a submission has told the id of
	mayManage = scopes(savepage.ScopeAdmin)
)

// keyed is a route that needs a key with one of the scopes.
func (h *handlers) keyed(needed scopes, method, path string, do keyed, doc *huma.Operation) route {
	return route{method, path, h.gate.with(needed, do), needs(needed, doc)}
}

// needs writes into the description that one of the scopes is needed.
func needs(needed scopes, doc *huma.Operation) *huma.Operation {
	for _, one := range needed.list() {
		doc.Security = append(doc.Security, map[string][]string{"key": {string(one)}})
	}
	return doc
}

// table is the table of everything that is served.
func (h *handlers) table() []route {
	return slices.Concat(h.captureRoutes(), h.linkRoutes(), h.webhookRoutes(), h.inboxRoutes(), h.storeRoutes(), h.batchRoutes(),
		h.accountRoutes(),
		h.openRoutes())
}

func (h *handlers) captureRoutes() []route {
	front, preflight := http.HandlerFunc(h.legacy.front), http.HandlerFunc(h.legacy.preflight)
	return []route{
		h.keyed(maySubmit, http.MethodPost, "/v1/capture", h.captures.post, h.documents.docPostCapture()),
		{http.MethodGet, "/v1", front, needs(maySubmit, h.documents.docGetCapture())},
		{http.MethodGet, "/v1/", front, nil}, // the same
		{http.MethodPost, "/v1", front, docLegacy()},
		{http.MethodPost, "/v1/", front, nil},
		{http.MethodOptions, "/v1", preflight, nil},
		{http.MethodOptions, "/v1/", preflight, nil},
		h.keyed(mayRead, http.MethodGet, "/v1/captures", h.records.list, docList()),
		h.keyed(mayFollow, http.MethodGet, "/v1/captures/{id}", h.records.get, docGet()),
		h.keyed(maySubmit, http.MethodDelete, "/v1/captures/{id}", h.records.remove, docDelete()),
		h.keyed(mayFollow, http.MethodGet, "/v1/captures/{id}/image", h.records.image, docImage()),
		h.keyed(mayFollow, http.MethodGet, "/v1/captures/{id}/events", h.events.get, h.documents.docEvents()),
	}
}

func (h *handlers) webhookRoutes() []route {
	return []route{
		h.keyed(mayRead, http.MethodGet, "/v1/webhooks/secret", h.secrets.get, docGetSecret()),
		h.keyed(maySubmit, http.MethodPost, "/v1/webhooks/secret/rotate", h.secrets.rotate, docRotateSecret()),
		h.keyed(maySubmit, http.MethodPost, "/v1/webhooks/test", h.tests.post, docTest()),
		h.keyed(mayRead, http.MethodGet, "/v1/deliveries", h.deliveries.list, docListDeliveries()),
		h.keyed(maySubmit, http.MethodPost, "/v1/deliveries/redeliver", h.deliveries.redeliverEnded, docRedeliverEnded()),
		h.keyed(mayRead, http.MethodGet, "/v1/deliveries/{id}", h.deliveries.get, docDelivery()),
		h.keyed(maySubmit, http.MethodPost, "/v1/deliveries/{id}/redeliver", h.deliveries.redeliver, docRedeliver()),
	}
}

func (h *handlers) batchRoutes() []route {
	return []route{
		h.keyed(maySubmit, http.MethodPost, "/v1/batches", h.batches.post, docPostBatch()),
		h.keyed(mayRead, http.MethodGet, "/v1/batches", h.batches.list, docListBatches()),
		h.keyed(mayFollow, http.MethodGet, "/v1/batches/{id}", h.batches.get, docGetBatch()),
		h.keyed(maySubmit, http.MethodDelete, "/v1/batches/{id}", h.batches.cancel, docCancelBatch()),
	}
}

// openRoutes need no key.
func (h *handlers) openRoutes() []route {
	d := h.documents
	table := []route{
		{http.MethodGet, "/captures/{name}", http.HandlerFunc(h.pictures.get), docPicture()},
		{http.MethodGet, "/openapi.json", http.HandlerFunc(d.getDocument), docOpenAPI()},
		{http.MethodGet, "/v1/devices", http.HandlerFunc(d.listDevices), docDevices()},
		{http.MethodGet, "/version", http.HandlerFunc(d.getVersion), docVersion()},
	}
	for _, one := range []struct {
		path    string
		handler http.Handler
		doc     *huma.Operation
	}{
		{"/healthz", h.operations.Live, docOpen("live", "Whether the process is alive.", "application/json", map[string]any{"status": "ok"})},
		{"/readyz", h.operations.Ready, docReady()},
		{"/metrics", h.operations.Metrics, docMetrics()},
	} {
		if one.handler != nil {
			table = append(table, route{http.MethodGet, one.path, one.handler, one.doc})
		}
	}
	return table
}
