package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/mcp"
)

// maxLocalPages is how many pages captures for models render at once here at most.
const maxLocalPages = 4

// localCaptures renders here, and keeps the pictures in a folder.
type localCaptures struct {
	settings Settings
	reach    *reach
	folder   string
	kept     bool // the folder outlives the program
	pages    chan struct{}
	starting chan struct{}   // held while the renderer starts
	renderer *renderer       // nil until the first capture; read and written by who holds starting
	running  context.Context // of the program: captures go on when the call that began them has ended
	stop     context.CancelFunc
	works    sync.WaitGroup

	mu      sync.Mutex
	all     map[string]*localCapture
	batches map[string][]*localCapture
	begun   []string // ids of captures, in the order in which they began
}

// localCapture is one capture.
type localCapture struct {
	done   chan struct{} // closed when it has ended
	cancel context.CancelFunc
	state  client.Capture // under the mutex of all
}

var _ mcp.Captures = (*localCaptures)(nil)

// maxRemembered is how many captures can be looked up. Older ones are forgotten; their pictures stay in the folder.
const maxRemembered = 10_000

func newLocalCaptures(ctx context.Context, s Settings, folder string) (*localCaptures, error) {
	l := &localCaptures{
		settings: s, reach: newReach(s), folder: folder, kept: folder != "", all: map[string]*localCapture{},
		batches: map[string][]*localCapture{}, starting: make(chan struct{}, 1),
		pages: make(chan struct{}, min(bounds(s).Usual, maxLocalPages)),
	}
	var err error
	if !l.kept {
		l.folder, err = os.MkdirTemp("", "savepage-mcp-")
	} else if err = os.MkdirAll(folder, 0o755); err == nil {
		l.folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("folder of pictures: %w", err)
	}
	l.running, l.stop = context.WithCancel(ctx)
	return l, nil
}

// close ends what runs, the browser, and the folder unless it is kept.
func (l *localCaptures) close() error {
	l.stop()
	l.works.Wait()
	var err error
	if l.renderer != nil {
		err = l.renderer.close()
	}
	if !l.kept {
		err = errors.Join(err, os.RemoveAll(l.folder))
	}
	return err
}

// start returns the renderer, which the first call starts.
func (l *localCaptures) start(ctx context.Context) (*renderer, error) {
	select {
	case l.starting <- struct{}{}:
		defer func() { <-l.starting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.renderer != nil {
		return l.renderer, nil
	}
	started, err := startRenderer( //nolint:contextcheck // the browser outlives the capture that starts it
		l.running, l.settings, l.reach.policy, cap(l.pages), slog.New(slog.DiscardHandler))
	if err == nil {
		l.renderer = started
	}
	return started, err
}

// localID makes an id that no other run of the program has: a folder may have the pictures of several.
func localID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()) }

// begin starts a capture.
func (l *localCaptures) begin(o savepage.Options) *localCapture {
	ctx, cancel := context.WithCancel(l.running)
	c := &localCapture{done: make(chan struct{}), cancel: cancel, state: client.Capture{
		CaptureID: localID("cap"), Status: savepage.Running, URL: o.URL, Fullpage: o.Fullpage, Format: o.Format,
		CreatedAt: time.Now().UTC(), Metadata: o.Metadata,
	}}
	known := c.state
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[known.CaptureID] = c
	if l.begun = append(l.begun, known.CaptureID); len(l.begun) > maxRemembered {
		delete(l.all, l.begun[0])
		l.begun = l.begun[1:]
	}
	l.works.Go(func() {
		defer close(c.done)
		defer cancel()
		ended := l.work(ctx, o, known)
		l.mu.Lock()
		defer l.mu.Unlock()
		c.state = ended
	})
	return c
}

// work renders a page and writes its picture.
func (l *localCaptures) work(ctx context.Context, o savepage.Options, c client.Capture) client.Capture {
	shot, err := l.render(ctx, o)
	if err == nil {
		c.Size, _ = shot.Size() // an error shows when the picture is written
		file := filepath.Join(l.folder, c.CaptureID+"."+o.Format.Extension())
		if err = errors.Join(writePicture(file, shot.Reader(), io.Discard), shot.Close()); err == nil {
			c.Status, c.Image = savepage.Success, (&url.URL{Scheme: "file", Path: file}).String()
			c.Width, c.Height, c.CapturedAt, c.Report = shot.Width, shot.Height, time.Now().UTC(), &shot.Report
			return c
		}
	}
	if ctx.Err() != nil {
		c.Status, c.CanceledAt = savepage.Canceled, time.Now().UTC()
		return c
	}
	fault, known := errors.AsType[*savepage.Error](l.reach.inWords(o.URL, err))
	if !known {
		fault = savepage.Errorf(savepage.CodeInternal, "%s", err)
	}
	c.Status, c.Error, c.FailedAt = savepage.Failed, fault, time.Now().UTC()
	return c
}

func (l *localCaptures) render(ctx context.Context, o savepage.Options) (shot capture.Shot, err error) {
	select {
	case l.pages <- struct{}{}:
		defer func() { <-l.pages }()
	case <-ctx.Done():
		return shot, ctx.Err()
	}
	r, err := l.start(ctx)
	if err != nil {
		return shot, err
	}
	return r.renderWithRetries(ctx, o)
}

// wait waits until captures have ended, or ctx has. Those that go on are canceled with it, unless it ends by its deadline.
func (l *localCaptures) wait(ctx context.Context, list ...*localCapture) error {
	for _, c := range list {
		select {
		case <-c.done:
		case <-ctx.Done():
		}
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	for _, c := range list {
		c.cancel()
	}
	return ctx.Err()
}

// now returns the states of captures.
func (l *localCaptures) now(list ...*localCapture) []client.Capture {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []client.Capture
	for _, c := range list {
		all = append(all, c.state)
	}
	return all
}

// Capture takes a page.
func (l *localCaptures) Capture(ctx context.Context, o savepage.Options) (client.Capture, error) {
	if err := hereOnly(o); err != nil {
		return client.Capture{}, err
	}
	c := l.begin(o) //nolint:contextcheck // it may outlive the call
	err := l.wait(ctx, c)
	return l.now(c)[0], err
}

// Batch takes several pages.
func (l *localCaptures) Batch(ctx context.Context, urls []string, o savepage.Options) (mcp.Batch, error) {
	if err := hereOnly(o); err != nil {
		return mcp.Batch{}, err
	}
	var list []*localCapture
	for _, address := range urls {
		o.URL = address
		list = append(list, l.begin(o)) //nolint:contextcheck // it may outlive the call
	}
	id := localID("bat")
	l.mu.Lock()
	l.batches[id] = list
	l.mu.Unlock()
	err := l.wait(ctx, list...)
	return mcp.Batch{ID: id, List: l.now(list...)}, err
}

// hereOnly refuses options that need a server.
func hereOnly(o savepage.Options) error {
	if o.CallbackURL != "" || o.Async || o.CacheTTL > 0 || o.Store != nil {
		return savepage.Errorf(savepage.CodeInvalidRequest, "callback_url, store, async and cache_ttl need a server: this program renders "+
			"by itself, unless it is started with --server")
	}
	return nil
}

// LookUp returns a capture by its id.
func (l *localCaptures) LookUp(_ context.Context, id string) (client.Capture, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, there := l.all[id]; there {
		return c.state, nil
	}
	return client.Capture{}, savepage.Errorf(savepage.CodeNotFound, "there is no capture %q since this program was started", id)
}

// LookUpBatch returns a batch by its id.
func (l *localCaptures) LookUpBatch(_ context.Context, id string) (mcp.Batch, error) {
	l.mu.Lock()
	list, there := l.batches[id]
	l.mu.Unlock()
	if !there {
		return mcp.Batch{}, savepage.Errorf(savepage.CodeNotFound, "there is no batch %q since this program was started", id)
	}
	return mcp.Batch{ID: id, List: l.now(list...)}, nil
}

// Picture reads the file of a success.
func (l *localCaptures) Picture(_ context.Context, done client.Capture) ([]byte, error) {
	u, err := url.Parse(done.Image)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(u.Path)
}
