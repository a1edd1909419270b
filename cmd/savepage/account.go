package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// accountCommand is what the account commands share.
type accountCommand struct {
	environment

	asJSON bool
}

func newAccount(env environment) *cobra.Command {
	a := &accountCommand{environment: env}
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Create, list, change and delete accounts, also while a server runs",
		RunE:  unknownCommand,
	}
	for _, one := range []*cobra.Command{a.newList(), a.newCreate(), a.newSet(), a.newDelete()} {
		one.Flags().BoolVar(&a.asJSON, "json", false, "print JSON")
		cmd.AddCommand(one)
	}
	return cmd
}

func (a *accountCommand) newList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List accounts with the limits that they have of their own",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withKeys(cmd, a.environment, func(keys ledger.Keys) error { return a.list(cmd.Context(), keys) })
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}

func (a *accountCommand) list(ctx context.Context, keys ledger.Keys) error {
	all, cursor := []savepage.AccountInfo{}, ""
	for {
		page, next, err := keys.ListAccounts(ctx, ledger.MaxPage, cursor)
		if err != nil {
			return err
		}
		all = append(all, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	if a.asJSON {
		return writeJSON(a.out, all)
	}
	return writeAccounts(a.out, all...)
}

func writeAccounts(out io.Writer, all ...savepage.AccountInfo) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ACCOUNT\tNAME\tCREATED\tPENDING\tRUNNING\tLIMITS\tDELETED")
	for _, one := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", one.ID, one.Name, dateText(one.CreatedAt), one.Pending, one.Running,
			limitsText(one.Limits), dateText(one.ClosedAt))
	}
	return table.Flush()
}

func limitsText(limits map[string]int) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		texts = append(texts, name+"="+limitText(limits[name]))
	}
	if len(texts) == 0 {
		return "default"
	}
	return strings.Join(texts, " ")
}

// How a limit is written that is no number.
const (
	noLimit      = "none"
	usualOfLimit = "default"
)

func limitText(n int) string {
	if n == 0 {
		return noLimit
	}
	return strconv.Itoa(n)
}

// accountFlags are the flags that say what an account is to be like.
type accountFlags struct {
	name   string
	limits map[string]*string // by their names in savepage.LimitTable
}

func (f *accountFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", "", "whose account it is")
	f.limits = map[string]*string{}
	for _, row := range savepage.LimitTable() {
		form := fmt.Sprintf("%d to %d, or default for the server's setting", row.Min, row.Max)
		if row.Min == 0 {
			form = fmt.Sprintf("1 to %d, none, or default for the server's setting", row.Max)
		}
		f.limits[row.Name] = cmd.Flags().String(flagOf(row.Name), usualOfLimit, strings.TrimSuffix(row.Doc, ".")+": "+form)
	}
}

func flagOf(limit string) string { return strings.ReplaceAll(limit, "_", "-") }

// terms are what the flags that were given ask for.
func (f *accountFlags) terms(cmd *cobra.Command) (savepage.AccountTerms, error) {
	terms := savepage.AccountTerms{Limits: map[string]*int{}}
	if cmd.Flags().Changed("name") {
		terms.Name = &f.name
	}
	for name, text := range f.limits {
		if !cmd.Flags().Changed(flagOf(name)) {
			continue
		}
		limit, err := readLimit(*text)
		if err != nil {
			return terms, usageError{fmt.Errorf("--%s is %q: %w", flagOf(name), *text, err)}
		}
		terms.Limits[name] = limit
	}
	return terms, wrongFlags(terms.ValidateFields())
}

// readLimit reads a limit; nil is the setting of the server.
func readLimit(text string) (*int, error) {
	switch text {
	case usualOfLimit:
		return nil, nil //nolint:nilnil // it is not an error
	case noLimit:
		return new(int), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, errors.New("want a whole number, none or default")
	}
	return &n, nil
}

func (a *accountCommand) newCreate() *cobra.Command {
	var account accountFlags
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an account with a first key and a webhook secret",
		Args:  cobra.NoArgs,
	}
	account.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		terms, err := account.terms(cmd)
		if err != nil {
			return err
		}
		return withKeys(cmd, a.environment, func(keys ledger.Keys) error {
			issued, err := keys.CreateAccount(cmd.Context(), terms, savepage.KeyTerms{Name: ledger.FirstKeyName})
			if err != nil {
				return err
			}
			return writeIssued(a.out, issued, a.asJSON)
		})
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}

func (a *accountCommand) newSet() *cobra.Command {
	var account accountFlags
	cmd := &cobra.Command{
		Use:   "set ACCOUNT",
		Short: "Change the name or limits of an account; a running server follows within seconds",
		Args:  cobra.ExactArgs(1),
	}
	account.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		terms, err := account.terms(cmd)
		if err != nil {
			return err
		}
		if terms.Name == nil && len(terms.Limits) == 0 {
			return usageError{errors.New("nothing to change: give --name or a limit, such as --pages 2")}
		}
		return withKeys(cmd, a.environment, func(keys ledger.Keys) error {
			changed, err := keys.SetAccount(cmd.Context(), args[0], terms)
			if err != nil {
				return err
			}
			if a.asJSON {
				return writeJSON(a.out, changed)
			}
			return writeAccounts(a.out, changed)
		})
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}

func (a *accountCommand) newDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete ACCOUNT",
		Short: "Delete an account with every record and picture of it",
		Long: "Deletes an account. Its keys are refused and its captures canceled, within seconds also by a running server. Then every\n" +
			"record and picture of it is removed, by the server if one runs. The command returns when that is done; interrupted, the\n" +
			"removal goes on with the server or with the next call.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := loadSettings(cmd.Flags(), a.environ)
			if err != nil {
				return err
			}
			return withKeys(cmd, a.environment, func(keys ledger.Keys) error { return a.remove(cmd.Context(), s, keys, args[0]) })
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE", "BLOBS")
	return cmd
}

// removalPause is between two looks at whether a server has removed an account.
const removalPause = 100 * time.Millisecond

// remove closes an account and has it removed: here, or where a server runs, by that.
func (a *accountCommand) remove(ctx context.Context, s Settings, keys ledger.Keys, id string) error {
	account, err := keys.Account(ctx, id)
	if err != nil {
		return err
	}
	if account.ClosedAt.IsZero() {
		if err := keys.CloseAccount(ctx, id); err != nil {
			return err
		}
	}
	for gone := false; !gone; {
		err := a.removeHere(ctx, s, id)
		if err != nil && !errors.Is(err, ledger.ErrServed) {
			return err
		}
		_, err = keys.Account(ctx, id)
		fault, known := errors.AsType[*savepage.Error](err)
		gone = known && fault.Code == savepage.CodeNotFound
		if err != nil && !gone {
			return err
		}
		if !gone && !a.clock.Or().Pause(ctx, removalPause) {
			return fmt.Errorf("account %s is closed, and the server still removes its records: %w", id, ctx.Err())
		}
	}
	if a.asJSON {
		return writeJSON(a.out, map[string]string{"deleted": id})
	}
	_, err = fmt.Fprintf(a.out, "deleted %s with its records and pictures\n", id)
	return err
}

// removeHere removes a closed account, unless a server holds the records.
func (a *accountCommand) removeHere(ctx context.Context, s Settings, id string) (err error) {
	records, pictures, err := openBoth(ctx, s, a.environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pictures.Close(), records.Close()) }()
	return capture.RemoveAccount(ctx, records, pictures, id, slog.New(slog.DiscardHandler))
}
