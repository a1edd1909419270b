package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/dash"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/inbox"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/progress"
	"github.com/savepage/savepage/internal/tracing"
	"github.com/savepage/savepage/internal/upload"
	"github.com/savepage/savepage/internal/webhook"
)

// node is one running server: its parts, in the order in which they are opened. A part that is not open is nil.
type node struct {
	settings Settings
	log      *slog.Logger
	clock    *clock.Clock
	health   *health.Board

	listener  net.Listener
	watched   metricsPort
	links     capture.Links
	policy    *guard.Policy
	ledger    ledger.Store
	blobs     blob.Store
	pool      *browser.Pool // nil without the role render
	rendering *rendering
	sender    *webhook.Sender
	// testSender sends test events, over connections of its own: a slow receiver delays no callback.
	testSender *webhook.Sender
	uploader   *upload.Uploader
	metrics    *httpd.Metrics
	tracer     *tracing.Tracer // nil: nobody wants traces
	progress   progress.Hub
	service    *capture.Service
	handler    http.Handler

	sources   httpd.Sources   // of the metrics and the dashboard
	dashboard *dash.Dashboard // nil without the role api
	refuse    func()          // makes the API refuse new captures
	server    *httpd.Server
	parts     *errgroup.Group // what serve has started
	stopWork  func()          // ends the context of what works beside the server of HTTP
}

// newNode returns a node of which nothing is open.
func newNode(s Settings, to Streams) *node {
	n := &node{settings: s, log: newLog(s, to.Err), clock: to.Clock.Or(), refuse: func() {}, stopWork: func() {}}
	n.health = health.NewBoard(health.Config{Clock: n.clock, Log: n.log})
	return n
}

// open opens every part that the roles need. drain closes them, also after an error.
func (n *node) open(ctx context.Context) (err error) {
	if n.tracer, err = openTracer(ctx, n.settings, n.log); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		n.listen, n.openLedger, n.openPictures, n.openBrowser, n.watch, n.measure, n.joinFlow, n.joinHTTP,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// listen comes first: links in answers need the port, and the guard keeps pages away from it.
func (n *node) listen(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", n.settings.Listen)
	if err != nil {
		return fmt.Errorf("SAVEPAGE_LISTEN: %w", err)
	}
	n.listener = listener
	if n.settings.TLSCert != "" || n.settings.TLSKey != "" {
		if n.listener, err = listenTLS(listener, n.settings, n.log); err != nil {
			return err
		}
	}
	n.links = capture.Links{PublicURL: n.settings.publicURL(listener.Addr().String()), CDNURL: n.settings.CDNURL}
	for _, one := range closedToBrowsers(n.links.PublicURL, n.links.CDNURL) {
		n.log.Warn("browsers open no address with this port, nor does fetch: choose another", slog.String("address", one))
	}
	n.policy = guard.New(n.settings.guard(n.log))
	own(n.policy, listener)
	return n.watched.listen(ctx, n.settings, n.policy)
}

func (n *node) openLedger(ctx context.Context) (err error) {
	vault, err := n.settings.vault()
	if err != nil {
		return err
	}
	limits, usual := n.settings.Limits, savepage.DefaultLimits()
	limits.EventStreams, limits.TestEvents = usual.EventStreams, usual.TestEvents
	database, err := n.settings.database()
	if err != nil {
		return err
	}
	// Large pictures are kept there while they are made, wherever the records are.
	if err := os.MkdirAll(n.settings.Data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	pages := bounds(n.settings)
	n.ledger, err = database.Open(ctx, ledger.Config{
		Node: ledger.Node{
			Name: nodeName(n.listener.Addr()), Roles: n.settings.Roles, Version: readBuild().Version, Follow: true,
		},
		OnStep: n.progress.Step, Checker: []string{"/proc/self/exe", checkCommand},
		MaxPending: n.settings.MaxPending, Workers: pages.Usual, MostWorkers: pages.Most, Reserve: reservePages(pages),
		Grace: n.settings.Grace, Vault: vault,
		ProbeWait: n.settings.WebhookRetryBase, Limits: limits, Clock: n.clock,
		Health: n.health, DeliveryWorkers: deliveriesAtOnce(openFiles()),
	}, n.log)
	if err != nil {
		return fmt.Errorf("open the records: %w", namingKey(err))
	}
	return nil
}

// openPictures comes after the ledger, whose pictures they must be.
func (n *node) openPictures(ctx context.Context) (err error) {
	open := stores.Open
	if engine, err := engineOf(n.settings.Database.Reveal()); err == nil && engine.Shared {
		open = stores.Share
	}
	if n.blobs, err = open(ctx, n.settings.blobs()); err != nil {
		return fmt.Errorf("open the pictures: %w", err)
	}
	if _, is := n.blobs.(blob.Linker); n.settings.PictureLinks > 0 && !is {
		return errors.New("SAVEPAGE_PICTURE_LINKS: only a bucket has links to pictures")
	}
	return keeper.Claim(ctx, n.blobs, n.ledger, n.log)
}

// openBrowser looks for the browser. It is started when the server answers.
func (n *node) openBrowser(context.Context) (err error) {
	if !n.settings.Has(roleRender) {
		return nil
	}
	pages := bounds(n.settings)
	cfg := browserConfig(n.settings, pages.Usual)
	cfg.Pages = pages.Most + reservePages(pages)
	rendering := &rendering{}
	if n.pool, rendering.first, err = browser.Prepare(cfg, n.policy, n.log); err != nil {
		return err
	}
	rendering.pool, n.rendering = n.pool, rendering
	return nil
}

func (n *node) measure(context.Context) error {
	counts := counts{n.ledger, n.pool, n.health}
	sources := httpd.Sources{Queues: counts.queues, Deliveries: counts.deliveries, Parts: counts.parts}
	if n.pool != nil {
		sources.Browsers = counts.browsers
	}
	n.sources = sources
	n.metrics = httpd.NewMetrics(readBuild().Version, sources)
	return nil
}

func (n *node) joinFlow(context.Context) error {
	cfg := capture.DefaultConfig()
	cfg.Links, cfg.Retention, cfg.Patience = n.links, n.settings.Retention, n.settings.FaultPatience
	cfg.StorePatience = n.settings.StorePatience
	parts := capture.Parts{
		Ledger: n.ledger, Batches: n.ledger, Overdue: n.ledger, Health: n.health,
		Blobs: pictures{n.blobs}, Guard: n.policy, Stores: n.ledger, Observer: observer{n.metrics},
		Progress: relayed{&n.progress, n.ledger}, Clock: n.clock,
	}
	if n.pool != nil {
		lists := blocklist.NewSource(n.settings.Blocklists, n.log)
		if n.settings.Blocklists != "" {
			if _, err := lists.Lists(); err != nil { // now, so that the log names them at the start
				return err
			}
		}
		parts.Renderer = page.New(n.pool, page.Config{Spool: n.settings.Data, Lists: lists.Lists, AgentSuffix: n.settings.UserAgent}, n.log)
	}
	if n.tracer != nil {
		parts.Tracer = n.tracer
	}
	n.service = capture.New(parts, cfg, n.log)
	hooks := webhook.Config{
		RetryBase: n.settings.WebhookRetryBase, MaxAttempts: n.settings.WebhookMaxAttempts, Timeout: n.settings.WebhookTimeout,
		Clock: n.clock, Pictures: n.readPicture,
		Inbox: (&inbox.Receiver{Events: n.ledger, Secrets: n.ledger, Clock: n.clock, Log: n.log}).Take,
	}
	if n.tracer != nil {
		hooks.Continue = n.tracer.Continue
	}
	n.sender, n.testSender = webhook.New(hooks, n.policy, n.log), webhook.New(hooks, n.policy, n.log)
	n.uploader = upload.New(upload.Config{
		RetryBase: n.settings.StoreRetryBase, MaxAttempts: n.settings.StoreMaxAttempts, Timeout: n.settings.StoreTimeout,
		Clock: n.clock, Pictures: gallery{store: n.blobs, health: n.health}.file,
	}, n.policy, n.log)
	return nil
}

// readPicture opens a stored picture by its file name.
func (n *node) readPicture(ctx context.Context, name string) (io.ReadCloser, error) {
	return gallery{store: n.blobs, health: n.health}.open(ctx, name)
}

func (n *node) joinHTTP(context.Context) error {
	belts := n.rendering.belts
	operations := api.Operations{
		Live: httpd.Live(belts), Ready: httpd.Ready(belts, n.checks()...), Metrics: n.watched.beside(n.metrics.Handler()),
	}
	chain := httpd.Chain{Log: n.log, Metrics: n.metrics}
	if !n.settings.Has(roleAPI) {
		n.handler = chain.Wrap(onlyKnownHosts(operationsOnly(operations), n.listener, n.settings, n.links))
		return nil
	}
	stored := gallery{store: n.blobs, health: n.health, valid: n.settings.PictureLinks}
	served, err := api.New(api.Parts{
		Captures: n.service, Records: n.ledger, Deliveries: n.ledger, Cancels: n.ledger, Batches: n.ledger, Keys: n.ledger,
		Secrets: n.ledger, Links: n.ledger, Accounts: n.ledger.Admin(), KeyRing: n.ledger.Admin(), Usage: n.ledger,
		Nodes: n.ledger, TestSender: n.testSender, Inboxes: n.ledger, Stores: n.ledger, Uploads: n.uploader,
		Progress: &n.progress, Clock: n.clock, Open: stored.open,
	}, api.Config{
		Links: n.links, Version: readBuild().Version, SyncWait: n.settings.SyncWait,
		Operations: operations, OnAccount: httpd.SetAccount, Link: stored.linker(),
	}, n.log)
	if err != nil {
		return err
	}
	n.refuse = served.Drain
	chain.Fault = served.Fault
	all, err := withDashboard(n, served)
	if err != nil {
		return err
	}
	if all, err = httpd.Compress(httpd.CORS(all, n.settings.Origins)); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(mcpPath, toolsOf(n, served, stored))
	mux.Handle("/", all)
	n.handler = httpd.Behind(n.settings.Proxies, chain.Wrap(onlyKnownHosts(mux, n.listener, n.settings, n.links)))
	if n.tracer != nil {
		n.handler = n.tracer.Wrap(n.handler)
	}
	return nil
}

// operationsOnly answers on a server without the role api.
func operationsOnly(o api.Operations) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", o.Live)
	mux.Handle("GET /readyz", o.Ready)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	return mux
}

// pictures is the store as the flow sees it.
type pictures struct{ blob.Store }

// Has reports whether the key can be read now.
func (p pictures) Has(ctx context.Context, key string) bool {
	file, err := p.Open(ctx, key)
	return err == nil && file.Close() == nil
}

// welcome creates the first account in an empty database and prints its key. That comes last, so that a start that fails
// for another reason leaves no key that nobody has seen.
func (n *node) welcome(ctx context.Context, out io.Writer) error {
	issued, created, err := n.ledger.Bootstrap(ctx)
	if err != nil || !created {
		return err
	}
	link := ""
	if n.dashboard != nil {
		link = n.dashboard.OneTimeLink(issued.Key)
	}
	_, err = fmt.Fprint(out, welcomeText(issued, n.links, link))
	return err
}

func welcomeText(issued savepage.Issued, links capture.Links, link string) string {
	return fmt.Sprintf(`
This is the first start. These are shown once:

  key             %[1]s
  webhook secret  %[2]s

Open the playground, signed in (once, within an hour):

  %[4]s

Capture some HTML:

  curl -fsS -G -H 'Authorization: Bearer %[1]s' %[3]s/v1/ --data-urlencode 'html=<h1>It works</h1>' -d response=image -o page.png

Capture a page:

  curl -fsS -G -H 'Authorization: Bearer %[1]s' %[3]s/v1/ --data-urlencode 'url=https://example.com' -d response=image -o page.png

`, issued.Key, issued.WebhookSecret, links.PublicURL, link)
}
