package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/ledger"
)

// envLinkSecret holds a link secret for the command link.
const envLinkSecret = envPrefix + "LINK_SECRET"

// linkCommand is what the link commands share.
type linkCommand struct {
	environment

	secrets secretSource
	expires string
	account string
	asJSON  bool
}

func newLink(env environment) *cobra.Command {
	l := &linkCommand{environment: env, secrets: secretSource{variable: envLinkSecret}}
	cmd := &cobra.Command{
		Use:   "link URL",
		Short: "Sign a link to the picture of a page, for an <img> or whoever has no key",
		Long: "Prints a link that answers with the picture itself. The server is not asked. The options of the API are flags.\n" +
			"The secret comes from " + envLinkSecret + ", from the file that " + envLinkSecret + fileSuffix + " or --secret-file names,\n" +
			"or from --secret, which every user of this machine can read. savepage link secret add makes one.",
		Args: cobra.MaximumNArgs(1),
		RunE: l.print,
	}
	addOptionFlags(cmd.Flags())
	addOptionFlag(cmd.Flags(), "cache_ttl")
	l.secrets.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&l.expires, "expires", "", "when the link ends: a duration such as 720h, a date or an RFC 3339 time (default never)")
	addSettingFlags(cmd.Flags(), "PUBLIC_URL", "LISTEN", "TLS_CERT")
	cmd.AddCommand(l.newSecret())
	return cmd
}

// print writes a signed link.
func (l *linkCommand) print(cmd *cobra.Command, args []string) error {
	s, err := loadSettings(cmd.Flags(), l.environ)
	if err != nil {
		return err
	}
	secret, err := l.secret()
	if err != nil {
		return usageError{err}
	}
	if _, err := readOrder(cmd.Flags(), args, l.in); err != nil { // the same rules as for a capture
		return usageError{err}
	}
	given, err := givenOptions(cmd.Flags(), l.in)
	if err != nil {
		return usageError{err}
	}
	if len(args) > 0 {
		given["url"] = []string{withScheme(args[0])}
	}
	var expires time.Time
	if l.expires != "" {
		now := l.clock.Or().Wall()
		if expires, err = moment(l.expires, now); err == nil && !expires.After(now) {
			err = errors.New("must be later than now")
		}
		if err != nil {
			return usageError{fmt.Errorf("--expires is %q: %w", l.expires, err)}
		}
	}
	link, err := savepage.ImageLink(s.publicURL(s.Listen), secret, url.Values(given), expires)
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(l.out, link)
	return err
}

// secret is the one secret that signs.
func (l *linkCommand) secret() (string, error) {
	secrets, err := l.secrets.read(l.environ)
	if err != nil {
		return "", err
	}
	if len(secrets) != 1 {
		return "", fmt.Errorf("%d link secrets are given: set %s, or name a file with one in --secret-file", len(secrets), envLinkSecret)
	}
	return secrets[0], nil
}

// newSecret is the group of commands that manage link secrets.
func (l *linkCommand) newSecret() *cobra.Command {
	group := &cobra.Command{
		Use:   "secret",
		Short: "Make, list and remove the secrets that sign links, also while a server runs",
		RunE:  unknownCommand,
	}
	add := &cobra.Command{
		Use:   "add",
		Short: "Give an account one more link secret, which is shown once",
		Args:  cobra.NoArgs,
		RunE:  l.run(l.add),
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the link secrets of an account by their ids",
		Args:  cobra.NoArgs,
		RunE:  l.run(l.list),
	}
	remove := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a link secret; every link that it has signed is refused from then on",
		Args:  cobra.ExactArgs(1),
		RunE:  l.run(l.remove),
	}
	for _, one := range []*cobra.Command{add, list, remove} {
		one.Flags().StringVar(&l.account, "account", "", "account whose secrets they are")
		one.Flags().BoolVar(&l.asJSON, "json", false, "print JSON")
		addSettingFlags(one.Flags(), "DATA", "DATABASE")
		group.AddCommand(one)
	}
	return group
}

// run opens the keys for a command and closes them after it.
func (l *linkCommand) run(do func(ctx context.Context, keys ledger.Keys, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if l.account == "" {
			return usageError{errors.New("--account is missing: savepage key list shows the accounts")}
		}
		return withKeys(cmd, l.environment, func(keys ledger.Keys) error { return do(cmd.Context(), keys, args) })
	}
}

func (l *linkCommand) add(ctx context.Context, keys ledger.Keys, _ []string) error {
	made, err := keys.CreateLinkSecret(ctx, l.account)
	if err != nil {
		return err
	}
	if l.asJSON {
		return writeJSON(l.out, made)
	}
	_, err = fmt.Fprintf(l.out, "link secret  %s\n\nThis is shown once.\n", made.Secret)
	return err
}

func (l *linkCommand) list(ctx context.Context, keys ledger.Keys, _ []string) error {
	found, err := keys.LinkSecrets(ctx, l.account)
	if err != nil {
		return err
	}
	if l.asJSON {
		return writeJSON(l.out, api.LinkSecretList{Secrets: append([]savepage.LinkSecret{}, found...)})
	}
	table := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tCREATED")
	for _, one := range found {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", one.ID, dateText(one.CreatedAt))
	}
	return table.Flush()
}

func (l *linkCommand) remove(ctx context.Context, keys ledger.Keys, args []string) error {
	if err := keys.RemoveLinkSecret(ctx, l.account, args[0]); err != nil {
		return err
	}
	if l.asJSON {
		return writeJSON(l.out, map[string]string{"removed": args[0]})
	}
	_, err := io.WriteString(l.out, "removed "+args[0]+"\n")
	return err
}
