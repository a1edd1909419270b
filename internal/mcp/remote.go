package mcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/inside"
)

// Remote takes captures through a server's API.
type Remote struct {
	client *client.Client
	// open reads a picture without asking for its address; nil: it is fetched.
	open func(ctx context.Context, done client.Capture) ([]byte, error)
}

// NewRemote returns captures of the server at base with a key.
func NewRemote(base, key string) *Remote {
	return &Remote{client: client.New(base, key, nil)}
}

// NewInside returns captures of the API in this process, in the name of a request. open reads a picture from where the API keeps
// it.
func NewInside(
	handler http.Handler, of *http.Request, open func(context.Context, client.Capture) ([]byte, error),
) *Remote {
	return &Remote{client: client.New("http://inside", Key(of.Header), &http.Client{Transport: within{handler, of}}), open: open}
}

// serverWait is how long the server is asked to wait for a capture in one request. Then it is looked up again and again.
const serverWait = 20 * time.Second

// lastWords is how long is asked for what became of captures when the time of a call has run out, or to cancel them.
const lastWords = 8 * time.Second

// afterwards is a context for that.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWords)
}

// Capture takes a page.
func (r *Remote) Capture(ctx context.Context, o savepage.Options) (client.Capture, error) {
	once := rand.Text()
	done, err := client.CaptureOnce(ctx, r.client, once, o, serverWait)
	if err != nil {
		return r.interrupted(ctx, once, o, err)
	}
	if done.Status.Final() {
		return done, nil
	}
	ended, _ := r.client.Wait(ctx, done.CaptureID) // the error of a capture is in it; another shows in its state
	if errors.Is(ctx.Err(), context.Canceled) {
		return done, r.cancel(ctx, done.CaptureID)
	}
	if ended.Status.Final() {
		return ended, nil
	}
	return r.asKnown(ctx, done), nil
}

// interrupted deals with a request for which there was no time: the server may have stored the capture, and says so when it is
// asked once more.
func (r *Remote) interrupted(ctx context.Context, once string, o savepage.Options, err error) (client.Capture, error) {
	if ctx.Err() == nil {
		return client.Capture{}, err
	}
	late, cancel := afterwards(ctx)
	defer cancel()
	done, again := client.CaptureOnce(late, r.client, once, o, 0)
	if again != nil {
		return client.Capture{}, errors.Join(err, again)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return done, r.cancel(ctx, done.CaptureID)
	}
	return done, nil
}

// cancel cancels a capture and says why.
func (r *Remote) cancel(ctx context.Context, id string) error {
	late, done := afterwards(ctx)
	defer done()
	return errors.Join(ctx.Err(), r.client.Cancel(late, id))
}

// asKnown looks a capture up once more. What cannot be looked up now is returned as it was.
func (r *Remote) asKnown(ctx context.Context, known client.Capture) client.Capture {
	late, cancel := afterwards(ctx)
	defer cancel()
	if found, err := r.client.Get(late, known.CaptureID); err == nil {
		return found
	}
	return known
}

// Batch takes several pages.
func (r *Remote) Batch(ctx context.Context, urls []string, o savepage.Options) (Batch, error) {
	o.URL = ""
	accepted, err := r.client.SubmitBatch(ctx, "", client.Batch{URLs: urls, Options: o})
	if err != nil {
		return Batch{}, err
	}
	b := Batch{ID: accepted.BatchID}
	for i, id := range accepted.CaptureIDs {
		b.List = append(b.List, client.Capture{CaptureID: id, URL: urls[i], Status: savepage.Queued})
	}
	_, _ = r.client.WaitBatch(ctx, b.ID) // what became of it, the look-up says
	late, cancel := afterwards(ctx)
	defer cancel()
	if errors.Is(ctx.Err(), context.Canceled) {
		_, err = r.client.CancelBatch(late, b.ID)
		return b, errors.Join(ctx.Err(), err)
	}
	r.fill(late, b)
	return b, nil
}

// fill looks the captures of a batch up. One that cannot be looked up now stays as it is known.
func (r *Remote) fill(ctx context.Context, b Batch) {
	list, err := r.listed(ctx, b.ID)
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeForbidden {
		for i, c := range b.List { // a key without the scope read may look up one by one
			if found, err := r.client.Get(ctx, c.CaptureID); err == nil {
				b.List[i] = found
			}
		}
		return
	}
	found := map[string]client.Capture{}
	for _, c := range list {
		found[c.CaptureID] = c
	}
	for i, c := range b.List {
		if now, there := found[c.CaptureID]; there {
			b.List[i] = now
		}
	}
}

// pageOfBatch is how many captures are listed at once.
const pageOfBatch = 100

// listed returns the captures of a batch, the last first.
func (r *Remote) listed(ctx context.Context, id string) ([]client.Capture, error) {
	var all []client.Capture
	filter := client.Filter{BatchID: id, Limit: pageOfBatch}
	for {
		page, err := r.client.List(ctx, filter)
		if err != nil {
			return all, err
		}
		all = append(all, page.Captures...)
		if filter.Cursor = page.Next; filter.Cursor == "" {
			return all, nil
		}
	}
}

// LookUp returns a capture by its id.
func (r *Remote) LookUp(ctx context.Context, id string) (client.Capture, error) {
	return r.client.Get(ctx, id)
}

// LookUpBatch returns a batch by its id.
func (r *Remote) LookUpBatch(ctx context.Context, id string) (Batch, error) {
	if _, err := r.client.Batch(ctx, id); err != nil { // an unknown id has an empty list
		return Batch{}, err
	}
	list, err := r.listed(ctx, id)
	b := Batch{ID: id}
	for i := range list {
		b.List = append(b.List, list[len(list)-1-i])
	}
	return b, err
}

// Picture returns the file of a success.
func (r *Remote) Picture(ctx context.Context, done client.Capture) ([]byte, error) {
	if r.open != nil {
		return r.open(ctx, done)
	}
	return r.client.Image(ctx, done)
}

// within hands requests to the API of this process, in the name of another request.
type within struct {
	handler http.Handler
	of      *http.Request
}

// RoundTrip answers a request when the handler has ended.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	var body any
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		body = json.RawMessage(text)
	}
	request, err := inside.Request(w.of.WithContext(r.Context()), Key(r.Header), r.Method, r.URL.RequestURI(), body)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Prefer", "Idempotency-Key"} {
		if value := r.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	got := inside.Ask(w.handler, request, w.of.Header.Get("X-Request-Id"))
	got.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: http.StatusText(got.Status), StatusCode: got.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: got.Header(), Body: io.NopCloser(bytes.NewReader(got.Bytes())), ContentLength: int64(len(got.Bytes())), Request: r,
	}, nil
}
