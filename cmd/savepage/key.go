package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// keyCommand is what the key commands share.
type keyCommand struct {
	environment

	account   string
	flags     keyFlags
	apiSecret bool
	asJSON    bool
}

func newKey(env environment) *cobra.Command {
	k := &keyCommand{environment: env}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Create, list, rotate and revoke API keys, and rotate webhook secrets, also while a server runs",
		RunE:  unknownCommand,
	}
	create := &cobra.Command{
		Use:   "create",
		Short: "Create a key, and an account for it unless --account is given",
		Args:  cobra.NoArgs,
		RunE:  k.run(k.create),
	}
	create.Flags().StringVar(&k.account, "account", "", "account that the key belongs to (default: a new one)")
	k.flags.add(create)
	create.Flags().BoolVar(&k.apiSecret, "api-secret", false,
		"give the account a new API secret: its requests to the older API must then have hash, the MD5 of q and the secret")
	list := &cobra.Command{
		Use:   "list",
		Short: "List keys by their prefixes",
		Args:  cobra.NoArgs,
		RunE:  k.run(k.list),
	}
	list.Flags().StringVar(&k.account, "account", "", "list only this account's keys")
	revoke := &cobra.Command{
		Use:   "revoke KEY",
		Short: "Revoke a key, given in full or by the prefix that list shows",
		Args:  cobra.ExactArgs(1),
		RunE:  k.run(k.revoke),
	}
	for _, one := range []*cobra.Command{create, list, k.newRotate(), revoke, k.newRotateSecret()} {
		one.Flags().BoolVar(&k.asJSON, "json", false, "print JSON")
		addSettingFlags(one.Flags(), "DATA", "DATABASE")
		cmd.AddCommand(one)
	}
	return cmd
}

// newRotate is the key command that replaces a key.
func (k *keyCommand) newRotate() *cobra.Command {
	overlap := savepage.SecretOverlap
	cmd := &cobra.Command{
		Use:   "rotate KEY",
		Short: "Create a key with the name, scopes and expiry of another, which stays valid for a while",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if overlap < 0 || overlap > savepage.MaxSecretOverlap {
				return usageError{fmt.Errorf("--overlap is %s: want a duration from 0s to %s", overlap, savepage.MaxSecretOverlap)}
			}
			return k.run(func(ctx context.Context, keys ledger.Keys, args []string) error {
				issued, err := keys.Rotate(ctx, "", args[0], overlap)
				if err != nil {
					return err
				}
				return writeIssued(k.out, issued, k.asJSON)
			})(cmd, args)
		},
	}
	cmd.Flags().DurationVar(&overlap, "overlap", overlap, "how long the previous key stays valid")
	return cmd
}

// run opens the keys for a command and closes them after it.
func (k *keyCommand) run(do func(ctx context.Context, keys ledger.Keys, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return withKeys(cmd, k.environment, func(keys ledger.Keys) error { return do(cmd.Context(), keys, args) })
	}
}

// database reads a command's settings and finds the database that they name. It opens nothing.
func (env environment) database(cmd *cobra.Command) (Settings, ledger.Database, error) {
	s, err := loadSettings(cmd.Flags(), env.environ)
	if err != nil {
		return s, nil, err
	}
	database, err := s.database()
	return s, database, err
}

// withKeys opens the keys for a command and closes them after it.
func withKeys(cmd *cobra.Command, env environment, do func(keys ledger.Keys) error) (err error) {
	s, database, err := env.database(cmd)
	if err != nil {
		return err
	}
	if err := mustExist(cmd, database); err != nil {
		return err
	}
	vault, err := s.vault()
	if err != nil {
		return err
	}
	keys, err := database.OpenKeys(cmd.Context(), vault, env.clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	return namingKey(do(keys))
}

// mustExist keeps a mistyped folder from being created and found empty. Only create may come before the first start.
func mustExist(cmd *cobra.Command, database ledger.Database) error {
	if cmd.Name() == "create" || database.Inspect(cmd.Context()).Exists {
		return nil
	}
	return fmt.Errorf("no database in %s: set --data to the server's data folder", database)
}

// keyFlags are the flags that a new key takes.
type keyFlags struct {
	name    string
	scopes  []string
	expires string
}

func (f *keyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", "", "what the key is for")
	cmd.Flags().StringSliceVar(&f.scopes, "scopes", nil, "what the key may do: capture, read, admin (default capture,read)")
	cmd.Flags().StringVar(&f.expires, "expires", "", "when the key ends: a duration such as 720h, a date or an RFC 3339 time (default never)")
}

// terms are what the flags ask for.
func (f *keyFlags) terms(now time.Time) (savepage.KeyTerms, error) {
	terms := savepage.KeyTerms{Name: f.name}
	for _, scope := range f.scopes {
		terms.Scopes = append(terms.Scopes, savepage.Scope(scope))
	}
	if f.expires != "" {
		var err error
		if terms.ExpiresAt, err = moment(f.expires, now); err != nil {
			return terms, usageError{fmt.Errorf("--expires is %q: %w", f.expires, err)}
		}
	}
	return terms, wrongFlags(terms.ValidateFields(now))
}

// moment reads a time, or a duration from now.
func moment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("want a duration such as 720h, a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z")
}

// wrongFlags is the error of fields that flags have given.
func wrongFlags(wrong []savepage.FieldError) error {
	var faults []error
	for _, field := range wrong {
		name, _, _ := strings.Cut(strings.TrimPrefix(field.Location, "limits."), "[")
		name = strings.TrimSuffix(strings.ReplaceAll(name, "_", "-"), "-at")
		faults = append(faults, fmt.Errorf("--%s is %v: %s", name, field.Value, field.Message))
	}
	if len(faults) == 0 {
		return nil
	}
	return usageError{errors.Join(faults...)}
}

func (k *keyCommand) create(ctx context.Context, keys ledger.Keys, _ []string) error {
	terms, err := k.flags.terms(k.clock.Or().Now())
	if err != nil {
		return err
	}
	issued, err := keys.Create(ctx, k.account, terms)
	if err != nil {
		return err
	}
	if k.apiSecret {
		issued.APISecret = rand.Text()
		if err := keys.SetAPISecret(ctx, issued.Account, issued.APISecret); err != nil {
			return err
		}
	}
	return writeIssued(k.out, issued, k.asJSON)
}

// writeIssued shows a new key.
func writeIssued(out io.Writer, issued savepage.Issued, asJSON bool) error {
	if asJSON {
		return writeJSON(out, issued)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "account         %s\nkey             %s\nscopes          %s\n", issued.Account, issued.Key, scopesText(issued.Scopes))
	for _, row := range [][2]string{{"webhook secret  ", issued.WebhookSecret}, {"API secret      ", issued.APISecret}} {
		if row[1] != "" {
			text.WriteString(row[0] + row[1] + "\n")
		}
	}
	if !issued.ExpiresAt.IsZero() {
		text.WriteString("expires         " + dateText(issued.ExpiresAt) + "\n")
	}
	_, err := fmt.Fprint(out, text.String()+"\nThis is shown once.\n")
	return err
}

func scopesText(scopes []savepage.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ",")
}

func (k *keyCommand) list(ctx context.Context, keys ledger.Keys, _ []string) error {
	list, err := keys.List(ctx, k.account)
	if err != nil {
		return err
	}
	if k.asJSON {
		if list == nil {
			list = []savepage.Key{}
		}
		return writeJSON(k.out, list)
	}
	table := tabwriter.NewWriter(k.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ACCOUNT\tKEY\tNAME\tSCOPES\tCREATED\tLAST USED\tEXPIRES\tREVOKED")
	for _, one := range list {
		_, _ = fmt.Fprintf(table, "%s\t%s…\t%s\t%s\t%s\t%s\t%s\t%s\n", one.Account, one.Prefix, one.Name, scopesText(one.Scopes),
			dateText(one.CreatedAt), dateText(one.LastUsed), dateText(one.ExpiresAt), dateText(one.RevokedAt))
	}
	return table.Flush()
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

func (k *keyCommand) revoke(ctx context.Context, keys ledger.Keys, args []string) error {
	if err := keys.Revoke(ctx, "", args[0]); err != nil {
		return err
	}
	if k.asJSON {
		return writeJSON(k.out, map[string]string{"revoked": ledger.KeyPrefix(args[0])})
	}
	_, err := fmt.Fprintf(k.out, "revoked %s…; a running server refuses it within seconds\n", ledger.KeyPrefix(args[0]))
	return err
}
