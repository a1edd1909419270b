package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
)

// renderer captures pages without a server, behind the same guard as the server's.
type renderer struct {
	policy *guard.Policy
	pool   *browser.Pool
	page   *page.Renderer
}

// startRenderer starts a browser for so many pages at once. The caller closes it.
func startRenderer(ctx context.Context, s Settings, policy *guard.Policy, pages int, log *slog.Logger) (*renderer, error) {
	cfg := browserConfig(s, pages)
	pool, err := browser.Start(ctx, cfg, policy, log)
	if err != nil {
		return nil, err
	}
	lists := blocklist.NewSource(s.Blocklists, log).Lists
	return &renderer{policy: policy, pool: pool, page: page.New(pool, page.Config{Lists: lists, AgentSuffix: s.UserAgent}, log)}, nil
}

func (r *renderer) close() error { return r.pool.Close() }

// render renders once. The caller closes the shot.
func (r *renderer) render(ctx context.Context, o savepage.Options) (shot capture.Shot, err error) {
	if o.URL != "" {
		if o.URL, err = r.policy.Admit(o.URL); err != nil {
			return shot, err
		}
	}
	return r.page.Render(ctx, o)
}

// renderTries is how often a page is rendered that crashed its renderer or lost its browser.
const renderTries = 3

// renderWithRetries renders again where the server would.
func (r *renderer) renderWithRetries(ctx context.Context, o savepage.Options) (shot capture.Shot, err error) {
	for range renderTries {
		shot, err = r.render(ctx, o)
		fault, known := errors.AsType[*savepage.Error](err)
		if !known || !fault.Code.Info().Retried || ctx.Err() != nil {
			break
		}
	}
	return shot, err
}
