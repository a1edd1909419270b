// Package dash is the dashboard: pages for people over the HTTP API of the same server. It asks that API in the same process
// with the key that somebody signed in with, so that it shows and changes nothing that the key may not. It holds no data, and
// refuses to know the database.
package dash

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/site"
)

// Prefix is below which all pages are but the front door, /.
const Prefix = "/ui/"

//go:embed pages static
var files embed.FS

// Parts are what the dashboard works with.
type Parts struct {
	API http.Handler // the server's API, keys included
	// Authenticate returns whose a key is, or *savepage.Error of CodeUnauthorized.
	Authenticate func(ctx context.Context, key string) (savepage.Principal, error)
	Clock        *clock.Clock
	Sources      httpd.Sources // what the server counts
	// Browsers returns those that run, and those that were replaced last, newest first. Nil: there are none here.
	Browsers func() ([]Browser, []Replaced)
	// Storage measures what is stored, which may take a while. Nil: it is not known.
	Storage func(ctx context.Context) (Storage, error)
}

// Config is the operator's part.
type Config struct {
	Secret    []byte // seals the cookies of sessions; servers behind one address have the same
	PublicURL string // of the API, as clients name it
	Version   string
	Elsewhere bool // pictures come from another origin: a bucket
	Log       *slog.Logger
	Verifiers []Snippet // that check callbacks, to copy
}

// Snippet is a text in a language of programs.
type Snippet struct{ Name, Text string }

// images is where pictures may come from, for the content security policy.
func (c Config) images() string {
	if c.Elsewhere {
		return "'self' data: https: http:"
	}
	return "'self' data:"
}

// Dashboard serves the pages. It is an http.Handler for / and for everything below Prefix.
type Dashboard struct {
	*core

	handler http.Handler
}

// core is what all pages are made with.
type core struct {
	parts    Parts
	config   Config
	sessions *sessions
	pages    map[string]*template.Template
	assets   map[string]site.File
}

// The pages, by what they are about. They share the core.
type (
	gate    struct{ *core } // signing in and out
	records struct{ *core } // captures and batches
	hooks   struct{ *core } // callbacks and their secret
	shelves struct{ *core } // buckets of accounts
	manager struct{ *core } // keys, usage, the server
)

// trials are the playground.
type trials struct {
	*core

	decoder *api.Decoder
	groups  []api.OptionGroup
}

// New returns the dashboard.
func New(parts Parts, config Config) (*Dashboard, error) {
	sessions, err := newSessions(config.Secret, parts.Clock)
	if err != nil {
		return nil, err
	}
	c := &core{parts: parts, config: config, sessions: sessions}
	if c.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = c.loadPages(); err != nil {
		return nil, err
	}
	return &Dashboard{core: c, handler: c.routes()}, nil
}

// OneTimeLink returns an address that signs in with the key, once, within an hour.
func (d *Dashboard) OneTimeLink(key string) string {
	return d.config.PublicURL + Prefix + "welcome?token=" + d.sessions.once(key)
}

// Asset is the address of a file that the pages load.
func (d *Dashboard) Asset(name string) string { return d.asset(name) }

// ServeHTTP answers a request.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; img-src "+d.config.images())
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	d.handler.ServeHTTP(w, r)
}

// page is a handler of somebody who is signed in.
type page func(w http.ResponseWriter, r *http.Request, s session) error

func (d *core) routes() http.Handler {
	way, play := &gate{d}, &trials{core: d, decoder: api.NewDecoder(), groups: api.OptionGroups()}
	seen, hook, in, shelf, manage := &records{d}, &hooks{d}, &arrivals{d}, &shelves{d}, &manager{d}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.front)
	mux.HandleFunc("GET "+Prefix+"{$}", d.front)
	mux.HandleFunc("GET "+Prefix+"static/{name}", d.static)
	mux.HandleFunc("GET "+Prefix+"sign-in", way.showSignIn)
	mux.HandleFunc("POST "+Prefix+"sign-in", way.signIn)
	mux.HandleFunc("POST "+Prefix+"sign-out", way.signOut)
	mux.HandleFunc("GET "+Prefix+"welcome", way.welcome)
	for pattern, do := range map[string]page{
		"GET playground":                   play.playground,
		"POST playground":                  play.run,
		"GET playground/check":             play.check,
		"GET captures":                     seen.captures,
		"GET captures/{id}":                seen.capture,
		"GET captures/{id}/events":         seen.events,
		"POST captures/{id}/delete":        seen.deleteCapture,
		"POST captures/{id}/again":         seen.captureAgain,
		"GET batches":                      seen.batches,
		"GET batches/{id}":                 seen.batch,
		"POST batches/{id}/cancel":         seen.cancelBatch,
		"GET deliveries":                   hook.deliveries,
		"GET deliveries/{id}":              hook.delivery,
		"POST deliveries/{id}/send":        hook.sendAgain,
		"GET deliveries/send":              hook.confirmSending,
		"POST deliveries/send":             hook.sendAllAgain,
		"GET inbox":                        in.inbox,
		"GET inbox/{id}":                   in.event,
		"POST inbox/answer":                in.answer,
		"POST inbox/empty":                 in.empty,
		"POST inbox/test":                  in.test,
		"GET webhooks":                     hook.webhooks,
		"POST webhooks/rotate":             hook.rotateSecret,
		"POST webhooks/test":               hook.testWebhook,
		"GET stores":                       shelf.stores,
		"POST stores":                      shelf.setUp,
		"POST stores/{name}/test":          shelf.tryStore,
		"POST stores/{name}/remove":        shelf.removeStore,
		"GET keys":                         manage.keys,
		"POST keys":                        manage.createKey,
		"POST keys/{account}/{key}/revoke": manage.revokeKey,
		"GET usage":                        manage.usage,
		"GET system":                       manage.system,
		"GET system/storage":               manage.storage,
	} {
		method, address, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+Prefix+address, d.signedIn(do))
	}
	mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		d.showFault(w, r, session{}, savepage.Errorf(savepage.CodeNotFound, "there is no page at this address"))
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func (d *core) front(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, Prefix+"playground", http.StatusSeeOther)
}

// signedIn shows the page to who is signed in, and the way in to others.
func (d *core) signedIn(do page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := d.sessions.of(r)
		if err == nil {
			s.request = r
			s.who, err = d.parts.Authenticate(r.Context(), s.key)
		}
		var known *savepage.Error
		switch {
		case errors.Is(err, errNoSession), errors.As(err, &known) && known.Code == savepage.CodeUnauthorized:
			d.sessions.end(w, r)
			http.Redirect(w, r, signInAddress(r), http.StatusSeeOther)
			return
		case err != nil:
			d.showFault(w, r, s, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := do(w, r, s); err != nil {
			d.showFault(w, r, s, err)
		}
	})
}

// static serves what the pages load. Its address has the file's version, so that it is kept for good.
func (d *core) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	one, there := d.assets[name]
	if !there {
		http.NotFound(w, r)
		return
	}
	one.Serve(w, r, name)
}

// asset is the address of a file, with its version.
func (d *core) asset(name string) string {
	return Prefix + "static/" + name + "?v=" + d.assets[name].Version
}

// loadAssets reads the files that pages load, by their names.
func loadAssets() (map[string]site.File, error) {
	found, err := site.Files(files, "static/*")
	if err != nil {
		return nil, err
	}
	all := map[string]site.File{}
	for name, file := range found {
		all[path.Base(name)] = file
	}
	return all, nil
}
