// Package manual is the manual at /docs: the guides of the folder docs, every option, the reference made from the OpenAPI
// document, and a search over all of it. Its pages are made once, load nothing from other hosts and need no key and no script.
package manual

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/savepage/savepage/internal/site"
)

// Prefix is the address of the front page. All others are below it.
const Prefix = "/docs"

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'"

//go:embed pages static
var files embed.FS

// Config is what the manual is made of beside its own files.
type Config struct {
	Files    fs.FS                    // the folder docs
	Document []byte                   // OpenAPI, as JSON
	Asset    func(name string) string // address of a file of the dashboard, which has the same look
	Version  string                   // of the service
}

// Manual serves the pages. It is an http.Handler for Prefix and everything below it.
type Manual struct {
	handler http.Handler
	made    func() (*book, error)
}

// book is everything that is shown, made once.
type book struct {
	config  Config
	layouts map[string]*template.Template
	pages   map[string]*page // by their addresses
	groups  []group
	index   index
	files   map[string]site.File // by their addresses
}

// page is one page.
type page struct {
	Address, Title, Lede string
	Parts                []part // its sections, to go to
	layout               string
	content              any
}

// part is a section of a page.
type part struct{ ID, Title string }

// group is a part of the side bar.
type group struct {
	Title string
	Pages []*page
}

// New returns the manual. Its pages are made when the first is asked for.
func New(config Config) *Manual {
	m := &Manual{made: sync.OnceValues(func() (*book, error) { return newSite(config) })}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix, m.shown((*book).page))
	mux.HandleFunc("GET "+Prefix+"/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, Prefix, http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET "+Prefix+"/{page}", m.shown((*book).page))
	mux.HandleFunc("GET "+Prefix+"/reference/{page}", m.shown((*book).page))
	mux.HandleFunc("GET "+Prefix+"/search", m.shown((*book).search))
	mux.HandleFunc("GET "+Prefix+"/places", m.shown((*book).places))
	mux.HandleFunc("GET "+Prefix+"/static/{name}", m.shown((*book).file))
	mux.HandleFunc("GET "+Prefix+"/pictures/{name}", m.shown((*book).file))
	mux.HandleFunc("GET "+Prefix+"/{rest...}", m.shown((*book).missing))
	m.handler = mux
	return m
}

// Err makes the pages and returns why they cannot be made.
func (m *Manual) Err() error {
	_, err := m.made()
	return err
}

// ServeHTTP answers a request.
func (m *Manual) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	m.handler.ServeHTTP(w, r)
}

func (m *Manual) shown(show func(s *book, w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := m.made()
		if err != nil {
			http.Error(w, "The manual cannot be shown: "+err.Error(), http.StatusInternalServerError)
			return
		}
		show(s, w, r)
	}
}

func newSite(config Config) (*book, error) {
	s := &book{config: config, pages: map[string]*page{}}
	for _, title := range []string{groupBegin, groupCaptures, groupReference, groupAPI, groupServer, groupTests} {
		s.groups = append(s.groups, group{Title: title})
	}
	var err error
	if s.files, err = loadFiles(config.Files); err != nil {
		return nil, err
	}
	if s.layouts, err = s.loadLayouts(); err != nil {
		return nil, err
	}
	for _, add := range []func(*book) error{addFront, addOptions, addGuides, addReference} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("the manual: %w", err)
		}
	}
	return s, nil
}

// add puts a page on the site, and into one of the groups of the side bar.
func (s *book) add(title string, p *page) {
	s.pages[p.Address] = p
	for i := range s.groups {
		if s.groups[i].Title == title {
			s.groups[i].Pages = append(s.groups[i].Pages, p)
		}
	}
}

func (s *book) page(w http.ResponseWriter, r *http.Request) {
	p, known := s.pages[r.URL.Path]
	if !known {
		if _, isFile := s.files[r.URL.Path]; isFile {
			s.file(w, r)
			return
		}
		s.missing(w, r)
		return
	}
	s.show(w, http.StatusOK, p)
}

func (s *book) missing(w http.ResponseWriter, _ *http.Request) {
	s.show(w, http.StatusNotFound, &page{Title: "There is no page at this address", layout: "missing"})
}

func (s *book) show(w http.ResponseWriter, status int, p *page) {
	var out bytes.Buffer
	if err := s.layouts[p.layout].ExecuteTemplate(&out, "frame", shown{Site: s, Page: p, Content: p.content}); err != nil {
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // or the client has gone
}

// shown is what the frame shows.
type shown struct {
	Site    *book
	Page    *page
	Content any
}

// Groups are the parts of the side bar.
func (v shown) Groups() []group { return v.Site.groups }

// Version is that of the service.
func (v shown) Version() string { return v.Site.config.Version }

// Query is what was searched for.
func (v shown) Query() string {
	if found, is := v.Content.(results); is {
		return found.Query
	}
	return ""
}

func (s *book) file(w http.ResponseWriter, r *http.Request) {
	one, known := s.files[r.URL.Path]
	if !known {
		http.NotFound(w, r)
		return
	}
	one.Serve(w, r, path.Base(r.URL.Path))
}

// loadFiles reads what pages load: the style, pictures, and what guides refer to.
// loadFiles reads what pages load, by the addresses.
func loadFiles(from fs.FS) (map[string]site.File, error) {
	all := map[string]site.File{}
	for _, one := range []struct {
		from    fs.FS
		pattern string
	}{{files, "static/*"}, {from, "pictures/*.webp"}, {from, "*.json"}} {
		found, err := site.Files(one.from, one.pattern)
		if err != nil {
			return nil, err
		}
		for name, file := range found {
			all[Prefix+"/"+name] = file
		}
	}
	return all, nil
}

func (s *book) loadLayouts() (map[string]*template.Template, error) {
	functions := template.FuncMap{
		"asset": s.config.Asset,
		"own":   func(name string) string { return Prefix + "/" + name + "?v=" + s.files[Prefix+"/"+name].Version },
		"words": func(text string) string { return strings.ReplaceAll(text, "_", " ") },
	}
	frame, err := template.New("frame").Funcs(functions).ParseFS(files, "pages/frame.html")
	if err != nil {
		return nil, fmt.Errorf("templates of the manual: %w", err)
	}
	layouts := map[string]*template.Template{}
	for _, name := range []string{"front", "guide", "options", "reference", "schemas", "search", "places", "missing"} {
		one, err := template.Must(frame.Clone()).ParseFS(files, "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("templates of the manual: %w", err)
		}
		layouts[name] = one
	}
	return layouts, nil
}
