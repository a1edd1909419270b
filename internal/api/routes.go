package api

import (
	"net/http"
	"reflect"
	"runtime"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// route is one method of one path, and its description. There is no other way for a request to be served.
type route struct {
	method  string
	path    string // as in the OpenAPI document
	handler http.Handler
	doc     *huma.Operation // nil: served, but nothing that a client would call by itself
}

// pattern is the path as the mux wants it: one that ends in a slash matches only itself.
func (r route) pattern() string {
	if strings.HasSuffix(r.path, "/") {
		return r.path + "{$}"
	}
	return r.path
}

// routes is the table of everything that is served.
func (a *API) routes() []route {
	const submit, read = savepage.ScopeCapture, savepage.ScopeRead
	front := http.HandlerFunc(a.front)
	table := []route{
		{http.MethodPost, "/v1/capture", a.withKey(submit, a.postCapture), a.docPostCapture()},
		{http.MethodGet, "/v1/", front, a.docGetCapture()},
		{http.MethodGet, "/v1", front, a.docLegacy("legacyGet", false)},
		{http.MethodPost, "/v1", front, a.docLegacy("legacyPost", true)},
		{http.MethodPost, "/v1/", front, a.docLegacy("legacyPostSlash", true)},
		{http.MethodOptions, "/v1", http.HandlerFunc(a.preflight), nil},
		{http.MethodOptions, "/v1/", http.HandlerFunc(a.preflight), nil},
		{http.MethodGet, "/v1/captures", a.withKey(read, a.listCaptures), docList()},
		{http.MethodGet, "/v1/captures/{id}", a.withKey(read, a.getRecord), docGet()},
		{http.MethodDelete, "/v1/captures/{id}", a.withKey(submit, a.removeCapture), docDelete()},
		{http.MethodGet, "/v1/captures/{id}/image", a.withKey(read, a.getImage), docImage()},
		{http.MethodGet, "/v1/captures/{id}/events", a.withKey(read, a.getEvents), docEvents()},
		{http.MethodGet, "/v1/webhooks/secret", a.withKey(read, a.getSecret), docGetSecret()},
		{http.MethodPost, "/v1/webhooks/secret/rotate", a.withKey(submit, a.rotateSecret), docRotateSecret()},
		{http.MethodPost, "/v1/webhooks/test", a.withKey(submit, a.postTest), docTest()},
		{http.MethodGet, "/v1/deliveries", a.withKey(read, a.listDeliveries), docListDeliveries()},
		{http.MethodPost, "/v1/deliveries/redeliver", a.withKey(submit, a.redeliverDead), docRedeliverDead()},
		{http.MethodGet, "/v1/deliveries/{id}", a.withKey(read, a.getDelivery), docDelivery()},
		{http.MethodPost, "/v1/deliveries/{id}/redeliver", a.withKey(submit, a.redeliver), docRedeliver()},
		{http.MethodPost, "/v1/batches", a.withKey(submit, a.postBatch), docPostBatch()},
		{http.MethodGet, "/v1/batches", a.withKey(read, a.listBatches), docListBatches()},
		{http.MethodGet, "/v1/batches/{id}", a.withKey(read, a.getBatch), docGetBatch()},
		{http.MethodDelete, "/v1/batches/{id}", a.withKey(submit, a.cancelBatch), docCancelBatch()},
		{http.MethodGet, "/captures/{name}", http.HandlerFunc(a.getPicture), docPicture()},
		{http.MethodGet, "/openapi.json", a.static("application/json", &a.document), docOpen("openapi", "This document.", "application/json")},
		{http.MethodGet, "/docs", http.HandlerFunc(a.getManual), docOpen("docs", "The reference, as a page.", "text/html")},
		{http.MethodGet, "/v1/devices", http.HandlerFunc(a.listDevices), docDevices()},
		{http.MethodGet, "/version", http.HandlerFunc(a.getVersion), docVersion()},
	}
	for _, one := range []struct {
		path    string
		handler http.Handler
		doc     *huma.Operation
	}{
		{"/healthz", a.cfg.Operations.Live, docOpen("live", "Whether the process lives.", "application/json")},
		{"/readyz", a.cfg.Operations.Ready, docReady()},
		{"/metrics", a.cfg.Operations.Metrics, docOpen("metrics", "Measurements for Prometheus.", "text/plain")},
	} {
		if one.handler != nil {
			table = append(table, route{http.MethodGet, one.path, one.handler, one.doc})
		}
	}
	return table
}

// Version is the answer of GET /version.
type Version struct {
	Version string `json:"version" doc:"Of the service."`
	Go      string `json:"go" doc:"Of the compiler."`
}

func (a *API) getVersion(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, http.StatusOK, Version{Version: a.cfg.Version, Go: runtime.Version()})
}

// static serves bytes that are made once, after the table.
func (a *API) static(mediaType string, body *[]byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		write(w, http.StatusOK, mediaType, *body)
	})
}

func (a *API) getManual(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-cache")
	write(w, http.StatusOK, "text/html; charset=utf-8", a.manual)
}

// schemaOf refers to the schema of T, which describe registers.
func schemaOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
