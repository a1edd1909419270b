// Package testsite serves local pages whose picture is known in advance, for tests and benchmarks: the four measured
// kinds of page, bands of known colours, lazy pictures at known places, and pages that misbehave. Everything is made
// here and the same on every run. It is not part of the service and does not use it.
//
// Pages in pages/built, at /built/NAME, are made with the libraries of npm that web pages are made with. A page takes a file of
// a package as it is from /npm/PACKAGE/FILE, or has a script that imports packages bundled:
//
//	<script src="/npm/chart.js/dist/chart.umd.min.js"></script>
//	<script bundle>import {animate} from 'motion'; …</script>
//
// libraries/package.json names the packages and their versions, scripts/install-test-tools installs them.
package testsite

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"text/template"
	"time"
)

//go:embed pages/*.html pages/built/*.html
var pages embed.FS

// Site is a running test site on two loopback hosts. Close ends it.
type Site struct {
	requests

	URL   string // origin of the pages: http://127.0.0.1:PORT
	Other string // a third-party origin with the same content: http://127.0.0.2:PORT
	Port  string // of URL

	pages   *template.Template
	servers []*http.Server
	running sync.WaitGroup
	began   time.Time
	ended   chan struct{} // closed by Close: answers that never come end

	album     album
	libraries *libraries
	talks     talks
}

// Start listens on two loopback addresses with free ports and serves the site there.
func Start() (*Site, error) {
	s := &Site{
		began: time.Now(), ended: make(chan struct{}), album: album{pictures: map[string]func() ([]byte, error){}}, libraries: newLibraries(),
	}
	var err error
	s.pages, err = template.New("").Funcs(funcs()).ParseFS(pages, "pages/*.html")
	if err == nil {
		err = parseBuilt(s.pages)
	}
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	var listeners []net.Listener
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0"} {
		listener, err := net.Listen("tcp", address) //nolint:noctx // listening on loopback does not wait
		if err != nil {
			for _, other := range listeners {
				_ = other.Close()
			}
			return nil, fmt.Errorf("listen for the test site: %w", err)
		}
		listeners = append(listeners, listener)
	}
	// The pages name both addresses: they are known before the first request is answered.
	s.URL, s.Other = "http://"+listeners[0].Addr().String(), "http://"+listeners[1].Addr().String()
	_, s.Port, _ = strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, listener := range listeners {
		server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
		s.servers = append(s.servers, server)
		s.running.Go(func() { _ = server.Serve(listener) })
	}
	return s, nil
}

// Close ends the site with all its connections.
func (s *Site) Close() {
	close(s.ended)
	for _, server := range s.servers {
		_ = server.Close()
	}
	s.running.Wait()
}

// Handler returns the site's pages. The handler records requests with the site.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, serve := range s.answers() {
		mux.HandleFunc(path, serve)
	}
	mux.HandleFunc("/{page}", s.page)
	mux.HandleFunc("/built/{page}", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, "built/"+r.PathValue("page"), http.StatusOK)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.record(r)
		mux.ServeHTTP(w, r)
	})
}

// page serves pages/NAME.html, with the status that the query names.
func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if given := number(r, "status"); given >= 200 && given <= 599 {
		status = given
	}
	s.write(w, r, r.PathValue("page"), status)
}

// write answers with a page and a status. A page that does not exist is a 404 with a page of its own.
func (s *Site) write(w http.ResponseWriter, r *http.Request, name string, status int) {
	if s.pages.Lookup(name+".html") == nil {
		name, status = "notfound", http.StatusNotFound
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	var document bytes.Buffer
	_ = s.pages.ExecuteTemplate(&document, name+".html", s.view(r))
	_, _ = w.Write(s.libraries.link(document.Bytes()))
}

// view is what a page's template sees.
type view struct {
	Self, Other string
	Request     *http.Request
}

func (s *Site) view(r *http.Request) view { return view{Self: s.URL, Other: s.Other, Request: r} }

// SelfHost is the host and port of Self.
func (v view) SelfHost() string { return strings.TrimPrefix(v.Self, "http://") }

// OtherHost is the host and port of Other.
func (v view) OtherHost() string { return strings.TrimPrefix(v.Other, "http://") }

// Arg is a query parameter, or the default.
func (v view) Arg(name, fallback string) string {
	if given := v.Request.URL.Query().Get(name); given != "" {
		return given
	}
	return fallback
}

// Times is so many elements, to be ranged over.
func (v view) Times(n int) []struct{} { return make([]struct{}, n) }

// Int is a query parameter as a number from 0 to 1,000,000, or the default.
func (v view) Int(name string, fallback int) int {
	var n int
	if _, err := fmt.Sscan(v.Request.URL.Query().Get(name), &n); err != nil || n < 0 || n > 1_000_000 {
		return fallback
	}
	return n
}
