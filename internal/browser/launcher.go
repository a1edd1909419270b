package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/savepage/savepage/internal/guard"
)

// launcher starts browsers and opens tabs in them. It keeps none.
type launcher struct {
	path     string // of the program at the start
	cfg      Config
	policy   *guard.Policy
	log      *slog.Logger
	belts    *Belts   // of all browsers; fixed once the first has started
	replaced *journal // of all browsers but those with one page
	agents   *agents
}

// launch starts a browser and tries it with a first page.
func (l *launcher) launch(ctx context.Context) (*chromium, *Tab, error) {
	began := time.Now()
	cfg := l.cfg
	cfg.jail = l.belts.jail
	from, err := findProgram(l.cfg.Path)
	if err != nil {
		return nil, nil, err
	}
	cfg.agent = l.agents.ordinary(ctx, from, cfg.AgentSuffix)
	b, err := startChromium(ctx, from.path, cfg, l.log)
	if err != nil {
		return nil, nil, err
	}
	b.program = from
	t, err := l.open(ctx, b, "")
	if err == nil && l.cfg.Sandbox != Off {
		err = b.checkSandbox(from.path)
	}
	if err != nil {
		b.stop()
		if t != nil {
			err = errors.Join(err, t.identity.Close())
		}
		return nil, nil, fmt.Errorf("open a first page: %w", err)
	}
	b.vitals.look()
	l.log.Info("browser started", "pid", b.process.pid, "uid", b.process.uid, "path", from.path,
		"version", b.version.Product, "sandbox", string(l.cfg.Sandbox), "network", l.belts.Network(), "took", time.Since(began))
	return b, t, nil
}

// open makes one tab, with a blank page or with one that is held at an address.
func (l *launcher) open(ctx context.Context, b *chromium, url string) (*Tab, error) {
	identity, err := l.identity(b) //nolint:contextcheck // the proxy lives as long as the tab
	if err != nil {
		return nil, fmt.Errorf("open the capture's proxy: %w", err)
	}
	t, err := openTab(ctx, b, identity, url)
	if err != nil {
		return nil, errors.Join(err, identity.Close())
	}
	return t, nil
}
