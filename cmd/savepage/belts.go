package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/jail"
)

// browserConfig is how browsers are started: in the sandbox and the network namespace that the settings ask for.
func browserConfig(s Settings, pages int) browser.Config {
	cfg := browser.Config{
		Path: s.Browser, Sandbox: browser.Required, Pages: pages, Warm: pages, Jail: browser.Jail(s.Jail), AgentSuffix: s.UserAgent,
		Idle:   s.IdleBrowser,
		Helper: []string{"/proc/self/exe", jailCommand},
	}
	if s.SandboxOff {
		cfg.Sandbox = browser.Off
	}
	return cfg
}

const jailCommand = "enter-jail"

// newJail is the program's second life in a network namespace, which is no command for people.
func newJail() *cobra.Command {
	return &cobra.Command{
		Use: jailCommand, Hidden: true, DisableFlagParsing: true,
		Short: "Make a network namespace fit and become the browser in it (started by the server)",
		RunE:  func(_ *cobra.Command, args []string) error { return jail.Enter(args) },
	}
}

// logBelts says what holds the browser, as a warning when something does not.
func logBelts(ctx context.Context, b browser.Belts, log *slog.Logger) {
	level, missing := slog.LevelInfo, b.Missing()
	if len(missing) > 0 {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("sandbox", b.Confinement()), slog.String("user", b.User()), slog.String("network", b.Network())}
	if len(missing) > 0 {
		attrs = append(attrs, slog.String("missing", strings.Join(missing, " ")))
	}
	log.LogAttrs(ctx, level, "belts of the browser", attrs...)
}

// checkBelts are the lines of the doctor. A belt that is missing is no failure: the settings allow it.
func checkBelts(b browser.Belts) []check {
	sandbox := check{Name: "sandbox", OK: true, Found: "on: the browser starts in its sandbox"}
	if !b.Sandbox {
		sandbox.Found = "off by SAVEPAGE_SANDBOX: a page that exploits the browser runs code as the browser's user"
	}
	user := check{Name: "user", OK: true, Found: "own: the browser runs as a user that nothing else has"}
	if !b.OwnUser {
		user.Found = "the server's own, because only root can give the browser another: code that leaves the sandbox can read the server's files"
	}
	network := check{Name: "network", OK: true, Found: "namespace: the browser reaches only the proxies of its captures"}
	if !b.Jailed {
		network.Found = "flags: the browser is in the machine's network, held by its flags and the proxies: " + b.NoJail
	}
	return []check{sandbox, user, network}
}
