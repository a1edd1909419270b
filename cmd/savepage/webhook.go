package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage/internal/webhook"
)

// envSecret holds a webhook secret for commands and for programs that receive callbacks.
const envSecret = envPrefix + "WEBHOOK_SECRET"

func newWebhook(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Receive callbacks on this machine, and check their signatures",
		RunE:  unknownCommand,
	}
	cmd.AddCommand(newListen(env), newVerify(env))
	return cmd
}

// secretSource is where a command gets webhook secrets: flags, files, the environment.
type secretSource struct {
	variable     string // of the environment; empty: that of webhook secrets
	texts, files []string
}

const secretHelp = "The secret comes from " + envSecret + ", from the file that " + envSecret + fileSuffix + " or --secret-file names,\n" +
	"or from --secret, which every user of this machine can read. Several may be given: one must match."

func (s *secretSource) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&s.texts, "secret", nil, "the secret; may be repeated")
	flags.StringArrayVar(&s.files, "secret-file", nil, "file that holds a secret, or one on each line; may be repeated")
}

// read returns the secrets. The command line overrides the environment.
func (s *secretSource) read(environ []string) ([]string, error) {
	texts, files := s.texts, s.files
	if len(texts)+len(files) == 0 {
		name := cmp.Or(s.variable, envSecret)
		texts, files = variable(environ, name), variable(environ, name+fileSuffix)
	}
	var secrets []string
	for _, text := range texts {
		secrets = append(secrets, strings.Fields(text)...)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the secret: %w", err)
		}
		secrets = append(secrets, strings.Fields(string(content))...)
	}
	return secrets, nil
}

// variable returns the value of an environment variable as a list of one, or of none when it is empty.
func variable(environ []string, name string) []string {
	for _, one := range environ {
		if value, found := strings.CutPrefix(one, name+"="); found && value != "" {
			return []string{value}
		}
	}
	return nil
}

// findingsText lists the findings, one on each line.
func findingsText(i webhook.Inspection) string {
	var text strings.Builder
	for _, f := range i.Findings {
		mark := "ok   "
		if !f.OK {
			mark = "WRONG"
		}
		fmt.Fprintf(&text, "  %s %-17s %s\n", mark, f.What, printable(f.Text))
	}
	return text.String()
}

// printable replaces control characters, which a terminal would obey: an event may come from anybody.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
