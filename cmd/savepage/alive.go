package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of asking a server for its health.
const (
	healthWithin = 4 * time.Second
	maxHealth    = 64 << 10 // bytes of the answer
)

// newHealth asks a running server, for health checks of containers and supervisors.
func newHealth(env environment) *cobra.Command {
	var live bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the server on this machine whether it works",
		Long: "Ask the server that listens on SAVEPAGE_LISTEN of this machine for /readyz, and print the answer. The exit code is 0 when every " +
			"part works, and 1 otherwise. With --live the question is /healthz: whether the process lives.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			path := "/readyz"
			if live {
				path = "/healthz"
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthWithin)
			defer cancel()
			return askHealth(ctx, s.base(s.Listen)+path, env.out)
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask whether the process lives")
	addSettingFlags(cmd.Flags(), "LISTEN", "TLS_CERT")
	return cmd
}

func askHealth(ctx context.Context, address string, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the name is this machine's, not the certificate's
	}}).Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxHealth))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", address, err)
	}
	if _, err := fmt.Fprintln(out, strings.TrimSpace(string(text))); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, answer.Status)
	}
	return nil
}
