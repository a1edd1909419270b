package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/mcp"
)

// mcpPath is where a server offers its tools for models.
const mcpPath = "/mcp"

// The variables that name a server and a key for programs that call it.
const (
	envBaseURL = envPrefix + "BASE_URL"
	envKey     = envPrefix + "KEY"
)

func newMCP(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Offer captures to language models, by the Model Context Protocol",
		Long: "Offers captures to language models as tools of the Model Context Protocol, on standard input and output: capture, batch\n" +
			"and look_up. Pages are rendered here, with a browser that is started at the first capture, or with --server by a server,\n" +
			"whose key is in SAVEPAGE_KEY. A running server offers the same tools at /mcp.",
		Args: cobra.NoArgs,
	}
	server := cmd.Flags().String("server", "",
		"URL of a server that renders and keeps the pictures, with the key in "+envKey+" ["+envBaseURL+"]")
	folder := cmd.Flags().String("folder", "",
		"folder that keeps the pictures of captures made here (default: one that is removed at the end)")
	addSettingFlags(cmd.Flags(), "EGRESS_ALLOW", "BROWSER", "SANDBOX", "USER_AGENT_SUFFIX")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), env.environ)
		if err != nil {
			return err
		}
		base := *server
		if base == "" {
			base = valueOf(env.environ, envBaseURL)
		}
		if base == "" {
			return serveLocalTools(cmd.Context(), s, *folder, env)
		}
		if *folder != "" {
			return usageError{errors.New("--folder is for captures made here: a server keeps its own pictures")}
		}
		remote, err := remoteCaptures(base, valueOf(env.environ, envKey))
		if err != nil {
			return usageError{err}
		}
		return serveTools(cmd.Context(), remote, env)
	}
	return cmd
}

func remoteCaptures(base, key string) (mcp.Captures, error) {
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server is %q: want an http or https URL, such as http://127.0.0.1:8080", base)
	}
	if key == "" {
		return nil, errors.New(envKey + " is missing: set it to a key of the server")
	}
	return mcp.NewRemote(base, key), nil
}

// valueOf returns the value of a variable; empty for none.
func valueOf(environ []string, name string) string {
	given := variable(environ, name)
	if len(given) == 0 {
		return ""
	}
	return given[len(given)-1]
}

// serveLocalTools renders here.
func serveLocalTools(ctx context.Context, s Settings, folder string, env environment) (err error) {
	local, err := newLocalCaptures(ctx, s, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.close()) }()
	return serveTools(ctx, local, env)
}

// serveTools speaks the protocol on standard input and output until the input or ctx ends.
func serveTools(ctx context.Context, captures mcp.Captures, env environment) error {
	server := mcp.NewServer(mcp.Config{
		Version: orUnknown(readBuild().Version), Notes: notes, Of: func(*http.Request) mcp.Captures { return captures },
	})
	in, closes := env.in.(io.ReadCloser)
	if !closes {
		in = io.NopCloser(env.in)
	}
	if err := server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: staysOpen{env.out}}); ctx.Err() == nil {
		return err
	}
	return nil // it was asked to end
}

// staysOpen is a writer that Close leaves open.
type staysOpen struct{ io.Writer }

// Close does nothing.
func (staysOpen) Close() error { return nil }

// toolsOf offers the server's captures to models, by the key of each request.
func toolsOf(n *node, served http.Handler, pictures gallery) http.Handler {
	read := func(ctx context.Context, done client.Capture) ([]byte, error) {
		picture, err := pictures.open(ctx, done.Image[strings.LastIndexByte(done.Image, '/')+1:])
		if err != nil {
			return nil, err
		}
		defer picture.Close() //nolint:errcheck // it was only read
		return io.ReadAll(picture)
	}
	server := mcp.NewServer(mcp.Config{
		Version: orUnknown(readBuild().Version), Notes: notes,
		Of: func(r *http.Request) mcp.Captures { return mcp.NewInside(served, r, read) },
	})
	return mcp.Handler(server, n.ledger.Authenticate, n.log)
}
