// Package doors lets clients of other screenshot services in: it answers their requests with their names, units, defaults and
// errors. Each peer is a table of names. Behind a door everything is asked of the HTTP API in the same process, with the key
// that the client sent, so that accounts, scopes, limits and the guard are the same. It knows no database and no browser, and
// refuses what would be another picture.
package doors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/savepage/savepage"
)

// HeaderIgnored names, in an answer, what of a request had no effect, with commas between.
const HeaderIgnored = "X-Savepage-Ignored"

// Parts are what the doors work with. All are needed.
type Parts struct {
	// API is the server's API, keys and limits included. It answers what no door takes.
	API http.Handler
	// Authenticate returns whose a key is, or *savepage.Error of CodeUnauthorized.
	Authenticate func(ctx context.Context, key string) (savepage.Principal, error)
	// Open opens a stored picture by its file name. The doors close it.
	Open func(ctx context.Context, name string) (io.ReadCloser, error)
	Log  *slog.Logger
}

// Doors answers the peers' requests, and hands others to the API. It is an http.Handler.
type Doors struct{ routes *http.ServeMux }

// New returns the doors.
func New(parts Parts) (*Doors, error) {
	if parts.API == nil || parts.Authenticate == nil || parts.Open == nil || parts.Log == nil {
		return nil, errors.New("doors: a part is missing")
	}
	behind := &base{parts}
	d := &Doors{routes: http.NewServeMux()}
	d.routes.Handle("/", parts.API)
	newTake(behind).addTo(d.routes)
	newLinks(behind).addTo(d.routes)
	newForms(behind).addTo(d.routes)
	newChrome(behind).addTo(d.routes)
	newSecond(behind).addTo(d.routes)
	return d, nil
}

// ServeHTTP answers one request.
func (d *Doors) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.routes.ServeHTTP(w, r) }

// Peer describes a door for the manual.
type Peer struct {
	Name string
	Rows []Row

	status func(*savepage.Error) int    // of an answer with an error
	code   func(*savepage.Error) string // the peer's name of an error; nil where it has none
}

// Row says what becomes of one of a peer's names.
type Row struct {
	Name string // of the peer
	Fate Fate
	Note string // the option it becomes, with unit and default, or why it has none
}

// Peers lists every door with its names, in the order of the manual.
func Peers() []Peer {
	return []Peer{
		{"ScreenshotOne", takeNames().rows(), statusOf, takeCode},
		{"Urlbox", urlboxNames().rows(), statusOf, urlboxCode},
		{"Gotenberg", gotenbergNames().rows(), formStatus, nil},
		{"browserless", browserlessNames().rows(), chromeStatus, nil},
	}
}
