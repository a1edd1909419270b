package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/ledger"
)

func newServe(w world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API over HTTP, render pages, send callbacks",
		Long: "Serves the API over HTTP, renders pages and sends callbacks, until SIGTERM or SIGINT. Then it takes nothing more,\n" +
			"lets running captures end within the grace period and leaves the rest to the next start. A second signal ends it at once.\n\n" +
			"Every setting is a flag, a variable or a key of savepage.yaml; flags win, then variables, then the file. Master keys\n" +
			"are no flags, because every user of the machine can read those: SAVEPAGE_MASTER_KEY or SAVEPAGE_MASTER_KEY_FILE.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), w.environ)
			if err != nil {
				return err
			}
			return Run(cmd.Context(), s, Streams{Out: w.out, Err: w.err, Clock: w.clock}, func(string) {})
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

// Run serves until ctx ends, then lets what is under way come to its end within the grace period and closes all. ready
// hears the address when requests are answered. It returns nil after an orderly end.
func Run(ctx context.Context, s Settings, to Streams, ready func(address string)) (err error) {
	n := &node{settings: s, log: newLog(s, to.Err), clock: to.Clock.Or(), drain: func() {}}
	defer func() { err = errors.Join(err, n.close()) }()
	if err := n.open(ctx); err != nil {
		return n.unlessStopped(ctx, err)
	}
	if err := n.welcome(ctx, to.Out); err != nil {
		return n.unlessStopped(ctx, err)
	}
	return n.serve(ctx, ready)
}

// unlessStopped logs and drops the error of work whose context has ended: to be stopped in the middle of something, the
// start for one, is no failure of the server's.
func (n *node) unlessStopped(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	n.log.Warn("stopped in the middle of something", slog.Any("error", err))
	return nil
}

// serve runs the parts until ctx ends or one of them fails. Each ends its own work in good order when its context ends.
func (n *node) serve(ctx context.Context, ready func(address string)) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return n.answer(running) })
	group.Go(func() error { return n.unlessStopped(running, n.ledger.Work(running, n.handlers())) })
	group.Go(func() error { n.keepHouse(running); return nil })
	n.log.Info("serving", slog.String("address", n.listener.Addr().String()), slog.String("public_url", n.links.PublicURL),
		slog.Any("roles", n.settings.Roles), slog.Int("pages", pagesAtOnce(n.settings)), slog.String("version", readBuild().Version))
	ready(n.listener.Addr().String())
	err := group.Wait()
	n.log.Info("drained")
	return err
}

// answer serves HTTP.
func (n *node) answer(ctx context.Context) error {
	server := httpd.Server{Handler: n.handler, Log: n.log, Grace: n.settings.Grace, Stopping: func() {
		n.log.Info("stopping", slog.Duration("grace", n.settings.Grace))
		n.drain()
	}}
	return n.unlessStopped(ctx, server.Serve(ctx, n.listener))
}

// handlers do what the roles of this server ask for.
func (n *node) handlers() ledger.Handlers {
	var h ledger.Handlers
	if n.settings.Has(roleRender) {
		h.Render = n.service.Run
	}
	if n.settings.Has(roleDeliver) {
		h.Deliver = n.deliver
	}
	return h
}

// deliver makes one attempt of a callback and counts it.
func (n *node) deliver(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
	verdict := n.sender.Deliver(ctx, d, secrets)
	if ctx.Err() == nil {
		n.metrics.WebhookAttempt(string(verdict.Attempt.Outcome), time.Duration(verdict.Attempt.LatencyMS)*time.Millisecond)
	}
	return verdict
}
