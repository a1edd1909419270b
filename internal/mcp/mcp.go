// Package mcp offers captures to language models as tools of the Model Context Protocol: capture a page, capture several, look
// a capture or a batch up. It sizes pictures for models and keeps every answer below MaxTokens. It renders and stores nothing:
// Captures does.
package mcp

import (
	"context"
	"net/http"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/api"
)

// Captures takes pages and keeps their pictures: a server, or this process. The error of a page that failed is *savepage.Error.
type Captures interface {
	// Capture takes a page. When ctx ends by its deadline, and the capture goes on, it returns what is known, with a state that is
	// not final. When ctx is canceled, so is the capture.
	Capture(ctx context.Context, o savepage.Options) (client.Capture, error)
	// Batch takes several pages with the same options. What ends ctx has the same meaning.
	Batch(ctx context.Context, urls []string, o savepage.Options) (Batch, error)
	// LookUp returns a capture by its id.
	LookUp(ctx context.Context, id string) (client.Capture, error)
	// LookUpBatch returns a batch by its id.
	LookUpBatch(ctx context.Context, id string) (Batch, error)
	// Picture returns the file of a success.
	Picture(ctx context.Context, done client.Capture) ([]byte, error)
}

// Batch is several captures, in the order in which they were asked for.
type Batch struct {
	ID   string
	List []client.Capture
}

// Config is what a server of tools is made with.
type Config struct {
	Version string
	// Of returns the captures for a call. The request is that of HTTP, or nil for another transport.
	Of func(r *http.Request) Captures
	// Notes are lines about what a picture may lack.
	Notes func(savepage.Report) []string
	// Wait is how long a call waits for its captures. Most clients end a call after 60 s. 0: 50 s.
	Wait time.Duration
}

// defaultWait leaves time for the pictures before the usual 60 s of clients end.
const defaultWait = 50 * time.Second

// viewsAtOnce is how many calls read pictures at once: a picture is held in memory meanwhile.
const viewsAtOnce = 2

// tools are the handlers of the tools.
type tools struct {
	config  Config
	decoder *api.Decoder
	views   chan struct{}
}

// NewServer returns a server with the tools.
func NewServer(c Config) *sdk.Server {
	if c.Wait <= 0 {
		c.Wait = defaultWait
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "savepage", Title: "SavePage", Version: c.Version}, &sdk.ServerOptions{
		Instructions: "Takes pictures of web pages. capture returns a picture sized for a model, with the factor by which it is smaller, " +
			"and a link to the full one. A page that is much taller than wide is readable with tiles: true.",
		Capabilities: &sdk.ServerCapabilities{},
	})
	t := &tools{config: c, decoder: api.NewDecoder(), views: make(chan struct{}, viewsAtOnce)}
	for _, one := range t.list() {
		server.AddTool(one.tool, one.handler)
	}
	return server
}

// requestKey is the key of the HTTP request in the context of a call.
type requestKey struct{}

// requestOf returns the HTTP request of a call; nil for another transport.
func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}
