package main

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/savepage/savepage/docs"
	"github.com/savepage/savepage/examples/webhooks"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/dash"
	"github.com/savepage/savepage/internal/doors"
	"github.com/savepage/savepage/internal/manual"
)

// sessionSecretBytes is the length of the secret that seals the sessions of the dashboard.
const sessionSecretBytes = 32

// sessionFile is the file of the data folder that keeps it, so that a restart signs nobody out.
const sessionFile = "session.key"

// withDashboard serves the dashboard, the manual, and clients of other services, beside the API.
func withDashboard(n *node, served *api.API) (http.Handler, error) {
	secret, err := n.settings.sessionSecret()
	if err != nil {
		return nil, err
	}
	parts := dash.Parts{API: served, Authenticate: n.ledger.Authenticate, Clock: n.clock, Sources: n.sources}
	if n.pool != nil {
		parts.Browsers = func() ([]dash.Browser, []dash.Replaced) { return shownBrowsers(n.pool) }
	}
	database, err := n.settings.database()
	if err != nil {
		return nil, err
	}
	stored := &storage{ledger: n.ledger, blobs: n.blobs, database: database.String(), pictures: n.settings.blobs(), clock: n.clock}
	parts.Storage = stored.measured
	verifiers, err := shownVerifiers()
	if err != nil {
		return nil, err
	}
	n.dashboard, err = dash.New(parts, dash.Config{
		Verifiers: verifiers, Secret: secret, PublicURL: n.links.PublicURL, Version: readBuild().Version, Log: n.log,
		Elsewhere: n.settings.PictureLinks > 0,
	})
	if err != nil {
		return nil, err
	}
	others, err := doors.New(doors.Parts{API: served, Authenticate: n.ledger.Authenticate, Open: n.readPicture, Log: n.log})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", n.dashboard)
	mux.Handle(dash.Prefix, n.dashboard)
	shown := manual.New(manual.Config{
		Files: docs.Files(), Document: served.Document(), Asset: n.dashboard.Asset, Version: readBuild().Version,
	})
	mux.Handle(manual.Prefix, shown)
	mux.Handle(manual.Prefix+"/", shown)
	mux.Handle("/", others)
	return mux, nil
}

// shownVerifiers are the verifiers of callbacks as the dashboard shows them.
func shownVerifiers() ([]dash.Snippet, error) {
	sources, err := webhooks.Sources()
	if err != nil {
		return nil, err
	}
	shown := make([]dash.Snippet, len(sources))
	for i, one := range sources {
		shown[i] = dash.Snippet{Name: one.Language, Text: one.Text}
	}
	return shown, nil
}

// shownBrowsers are the browsers of a pool as the dashboard shows them.
func shownBrowsers(pool *browser.Pool) ([]dash.Browser, []dash.Replaced) {
	running, replaced := pool.Roster()
	shown, past := make([]dash.Browser, len(running)), make([]dash.Replaced, len(replaced))
	for i, one := range running {
		shown[i] = dash.Browser(one)
	}
	for i, one := range replaced {
		past[i] = dash.Replaced(one)
	}
	return shown, past
}

// sessionSecret seals the sessions. With a master key it is made of that, so that all servers behind one address have the same;
// else a file of the data folder keeps it.
func (s Settings) sessionSecret() ([]byte, error) {
	if s.MasterKey != "" {
		return hkdf.Key(sha256.New, []byte(s.MasterKey.Reveal()), nil, "savepage dashboard sessions", sessionSecretBytes)
	}
	path := filepath.Join(s.Data, sessionFile)
	secret, err := os.ReadFile(path)
	switch {
	case err == nil && len(secret) == sessionSecretBytes:
		return secret, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the secret of sessions: %w", err)
	}
	secret = make([]byte, sessionSecretBytes)
	_, _ = rand.Read(secret) // it never fails
	if err := os.WriteFile(path, secret, 0o600); err != nil {
		return nil, fmt.Errorf("keep the secret of sessions: %w", err)
	}
	return secret, nil
}
