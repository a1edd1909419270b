package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/ledger"
)

// keyCommand is what the key commands share.
type keyCommand struct {
	environment

	account   string
	apiSecret bool
	asJSON    bool
}

func newKey(env environment) *cobra.Command {
	k := &keyCommand{environment: env}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Create, list and revoke API keys, and rotate webhook secrets, also while a server runs",
		RunE:  unknownCommand,
	}
	create := &cobra.Command{
		Use:   "create",
		Short: "Create a key, and an account for it unless --account is given",
		Args:  cobra.NoArgs,
		RunE:  k.run(k.create),
	}
	create.Flags().StringVar(&k.account, "account", "", "account that the key belongs to (default: a new one)")
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
	for _, one := range []*cobra.Command{create, list, revoke, k.newRotateSecret()} {
		one.Flags().BoolVar(&k.asJSON, "json", false, "print JSON")
		addSettingFlags(one.Flags(), "DATA", "DATABASE")
		cmd.AddCommand(one)
	}
	return cmd
}

// run opens the keys for a command and closes them after it.
func (k *keyCommand) run(do func(ctx context.Context, keys ledger.Keys, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		s, err := loadSettings(cmd.Flags(), k.environ)
		if err != nil {
			return err
		}
		database, err := s.database()
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
		keys, err := database.OpenKeys(cmd.Context(), vault, k.clock)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, keys.Close()) }()
		return namingKey(do(cmd.Context(), keys, args))
	}
}

// mustExist keeps a mistyped folder from being created and found empty. Only create may come before the first start.
func mustExist(cmd *cobra.Command, database ledger.Database) error {
	if cmd.Name() == "create" || database.Inspect(cmd.Context()).Exists {
		return nil
	}
	return fmt.Errorf("no database in %s: set --data to the server's data folder", database)
}

func (k *keyCommand) create(ctx context.Context, keys ledger.Keys, _ []string) error {
	issued, err := keys.Create(ctx, k.account)
	if err != nil {
		return err
	}
	if k.apiSecret {
		issued.APISecret = rand.Text()
		if err := keys.SetAPISecret(ctx, issued.Account, issued.APISecret); err != nil {
			return err
		}
	}
	if k.asJSON {
		return writeJSON(k.out, issued)
	}
	text := fmt.Sprintf("account         %s\nkey             %s\n", issued.Account, issued.Key)
	if issued.WebhookSecret != "" {
		text += fmt.Sprintf("webhook secret  %s\n", issued.WebhookSecret)
	}
	if issued.APISecret != "" {
		text += fmt.Sprintf("API secret      %s\n", issued.APISecret)
	}
	_, err = fmt.Fprint(k.out, text+"\nThis is shown once.\n")
	return err
}

func (k *keyCommand) list(ctx context.Context, keys ledger.Keys, _ []string) error {
	list, err := keys.List(ctx, k.account)
	if err != nil {
		return err
	}
	if k.asJSON {
		if list == nil {
			list = []ledger.Key{}
		}
		return writeJSON(k.out, list)
	}
	table := tabwriter.NewWriter(k.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ACCOUNT\tKEY\tCREATED\tLAST USED\tREVOKED")
	for _, one := range list {
		_, _ = fmt.Fprintf(table, "%s\t%s…\t%s\t%s\t%s\n", one.Account, one.Prefix, dateText(one.CreatedAt), dateText(one.LastUsed),
			dateText(one.RevokedAt))
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
	if err := keys.Revoke(ctx, args[0]); err != nil {
		return err
	}
	if k.asJSON {
		return writeJSON(k.out, map[string]string{"revoked": ledger.KeyPrefix(args[0])})
	}
	_, err := fmt.Fprintf(k.out, "revoked %s…; a running server refuses it within seconds\n", ledger.KeyPrefix(args[0]))
	return err
}
