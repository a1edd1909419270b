package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Set by the linker; see the Makefile.
var (
	version = ""
	commit  = ""
)

// build describes this program.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	Browser string `json:"browser,omitempty"` // as the browser calls itself
}

// readBuild takes what the linker set, else what Go recorded.
func readBuild() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version()}
	info, known := debug.ReadBuildInfo()
	if !known {
		return b
	}
	b.Version = cmp.Or(b.Version, info.Main.Version)
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = cmp.Or(b.Commit, s.Value)
		}
	}
	return b
}

func newVersion(env environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program and of the browser it finds",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			b := readBuild()
			if path, err := findBrowser(s.Browser); err == nil {
				b.Browser, _ = browserVersion(cmd.Context(), path)
			}
			if asJSON {
				return writeJSON(env.out, b)
			}
			_, err = fmt.Fprintf(env.out, "savepage %s\ncommit   %s\ngo       %s\nbrowser  %s\n", orUnknown(b.Version), orUnknown(b.Commit), b.Go,
				orUnknown(b.Browser))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addSettingFlags(cmd.Flags(), "BROWSER")
	return cmd
}

func orUnknown(text string) string { return cmp.Or(text, "unknown") }

// browserVersion asks the browser for its name and version.
func browserVersion(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}
