package client_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
)

// instant is a flow whose captures succeed at once, and whose callbacks are sent.
type instant struct{ *flow }

func (f instant) Submit(ctx context.Context, r capture.Request) (capture.Accepted, error) {
	accepted, err := f.flow.Submit(ctx, r)
	if err != nil {
		return accepted, err
	}
	f.end(succeed)
	if r.Options.CallbackURL == "" {
		accepted.Capture, err = f.Get(ctx, "", "")
		return accepted, err
	}
	return accepted, f.call(ctx, r.Options)
}

// call sends the callback as the service does.
func (f instant) call(ctx context.Context, o savepage.Options) error {
	c, err := f.Get(ctx, "", "")
	if err != nil {
		return err
	}
	body, err := capture.Event(c, capture.Links{})
	if err != nil {
		return err
	}
	now := time.Now()
	signature, err := savepage.SignStandard(o.CallbackSecret, "msg_1", now, body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.CallbackURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Close = true
	req.Header.Set(savepage.HeaderWebhookID, "msg_1")
	req.Header.Set(savepage.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(savepage.HeaderWebhookSignature, signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// exampleServer serves the real API over a flow of one capture.
func exampleServer() *httptest.Server {
	f := instant{newFlow()}
	server := httptest.NewUnstartedServer(nil)
	links := capture.Links{PublicURL: "http://" + server.Listener.Addr().String()}
	parts := f.parts()
	parts.Captures = f
	a, err := api.New(parts, api.Config{Links: links}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	server.Config.Handler = a
	server.Start()
	return server
}

func newFlow() *flow { return &flow{ended: make(chan struct{}), awaits: make(chan struct{}, 100)} }

// parts are the flow as the API sees it.
func (f *flow) parts() api.Parts {
	return api.Parts{
		Captures: f, Records: f, Deliveries: &f.outbox, Cancels: f, Batches: f, Keys: f, Secrets: &f.signer, Links: linker{},
		TestSender: &f.signer, Inboxes: noInbox{}, Stores: noStores{}, Uploads: noStores{}, Nodes: noNodes{},
		Accounts: nobody{}, KeyRing: nobody{}, Usage: f, Progress: &f.progress,
		Clock: clock.System(), Open: open,
	}
}

// noInbox is the inboxes of a server that is not asked for them.
type noInbox struct{ api.Inboxes }

// noStores is the stores of a server that is not asked for them.
type noStores struct {
	storeRecords
	api.StoreTester
}

type storeRecords = api.Stores // its own name is that of a method

type noNodes struct{}

func (noNodes) Nodes(context.Context) ([]savepage.Node, error) { return nil, nil }

// nobody is the accounts and keys of a server that is not asked for them.
type nobody struct {
	api.Accounts
	api.KeyRing
}

// Usage is that of an account without limits.
func (f *flow) Usage(_ context.Context, account string) (savepage.Usage, error) {
	return savepage.Usage{Account: account}, nil
}

// History is that of an account in which nothing ended.
func (f *flow) History(_ context.Context, account string, span savepage.HistorySpan) (savepage.UsageHistory, error) {
	return savepage.UsageHistory{Account: account, Span: span}, nil
}
