package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/ledger"
)

func newServe(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API over HTTP, render pages, send callbacks",
		Long: "Serves the API over HTTP, renders pages and sends callbacks, until SIGTERM or SIGINT. It then accepts nothing more,\n" +
			"lets running captures finish within the grace period, and leaves the rest to the next start. A second signal ends it at\n" +
			"once.\n\n" +
			"Every setting is a flag, a variable or a key of savepage.yaml; flags win, then variables, then the file. Master keys\n" +
			"have no flag, because every user of the machine can read the command line: use SAVEPAGE_MASTER_KEY or\n" +
			"SAVEPAGE_MASTER_KEY_FILE.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			if err := enoughRoles(s); err != nil {
				return err
			}
			defer takeStandardLog(newLog(s, env.err))()
			return Run(cmd.Context(), s, Streams{Out: env.out, Err: env.err, Clock: env.clock}, func(string) {})
		},
	}
	addSettingFlags(cmd.Flags())
	return cmd
}

// Streams are where a server writes, and the clock that it goes by.
type Streams struct {
	Out   io.Writer    // the first key, once
	Err   io.Writer    // the log
	Clock *clock.Clock // nil: the machine's
}

// Run serves until ctx ends, then drains: see drainSteps. ready is called with the address when requests are answered. It
// returns nil after an orderly end.
func Run(ctx context.Context, s Settings, to Streams, ready func(address string)) error {
	return newNode(s, to).run(ctx, to.Out, hooks{ready: ready, drains: func(string) {}})
}

// hooks are called by a running server.
type hooks struct {
	ready  func(address string) // requests are answered
	drains func(step string)    // this step of the drain begins
}

func (n *node) run(ctx context.Context, out io.Writer, on hooks) (err error) {
	defer func() { err = errors.Join(err, n.drain(context.WithoutCancel(ctx), on.drains)) }()
	if err := n.open(ctx); err != nil {
		return n.unlessStopped(ctx, err)
	}
	return n.serve(ctx, out, on.ready)
}

// unlessStopped logs and drops the error of work whose context has ended: a stop in the middle of the start, or of a
// part's work, is not a failure of the server.
func (n *node) unlessStopped(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	n.log.Warn("work interrupted by the stop", slog.Any("error", err))
	return nil
}

// serve starts the parts and returns when ctx ends or one of them fails. The drain stops them. Requests are answered while the
// browser starts.
func (n *node) serve(ctx context.Context, out io.Writer, ready func(address string)) error {
	parts, ended := errgroup.WithContext(ctx)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.parts, n.stopWork, n.server = parts, stop, httpd.NewServer(n.handler, n.log)
	parts.Go(func() error { return n.unlessStopped(ended, n.server.Serve(n.listener)) })
	if watch := n.watched.start(n.metrics.Handler(), n.settings, n.links, n.log); watch != nil {
		parts.Go(func() error { return n.unlessStopped(ended, watch()) })
	}
	probing, worked := context.WithCancel(context.WithoutCancel(ctx)) // what runs at the stop may still wait for a part
	parts.Go(func() error { n.health.Run(probing); return nil })
	err := n.rendering.begin(ended, n.log)
	if err == nil {
		err = n.welcome(ended, out)
	}
	if err != nil {
		worked()
		return n.unlessStopped(ctx, cmp.Or(context.Cause(ended), err))
	}
	parts.Go(func() error {
		defer worked()
		return n.unlessStopped(ended, n.ledger.Work(working, n.handlers()))
	})
	if n.pool != nil && n.settings.Concurrency == 0 {
		parts.Go(func() error {
			keepRoom(working, bounds(n.settings), func() int { return n.pool.Stats().InUse }, n.ledger, n.log)
			return nil
		})
	}
	parts.Go(func() error { n.keepHouse(working); return nil })
	parts.Go(func() error { n.removeClosed(working); return nil })
	n.log.Info("serving", slog.String("address", n.listener.Addr().String()), slog.String("public_url", n.links.PublicURL),
		slog.Any("roles", n.settings.Roles), slog.Int("pages", bounds(n.settings).Usual), slog.String("version", readBuild().Version))
	ready(n.listener.Addr().String())
	<-ended.Done()
	n.log.Info("stopping", slog.Duration("grace", n.settings.Grace))
	if failed := context.Cause(ended); ctx.Err() == nil {
		return failed
	}
	return nil
}

// handlers do what the roles of this server ask for.
func (n *node) handlers() ledger.Handlers {
	var h ledger.Handlers
	if n.settings.Has(roleRender) {
		h.Render = n.service.Run
	}
	if n.settings.Has(roleDeliver) {
		h.Deliver = n.deliver
		ends := capture.StoreEnds{Service: n.service}
		h.Stored = ledger.StoredHandler{Owe: ends.Owe, Ended: ends.Ended}
	}
	return h
}

// deliver makes one attempt of a callback, or of a picture into a store, and counts it.
func (n *node) deliver(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
	if d.Store != "" {
		verdict := n.uploader.Deliver(ctx, d)
		if ctx.Err() == nil && verdict.State != "" {
			n.metrics.StoreAttempt(string(verdict.Attempt.Outcome), time.Duration(verdict.Attempt.LatencyMS)*time.Millisecond)
		}
		return verdict
	}
	sending, sent := traced(ctx, n.tracer, d)
	verdict := n.sender.Deliver(sending, d, secrets)
	sent(verdict)
	if ctx.Err() == nil {
		n.metrics.WebhookAttempt(string(verdict.Attempt.Outcome), time.Duration(verdict.Attempt.LatencyMS)*time.Millisecond)
	}
	return verdict
}
