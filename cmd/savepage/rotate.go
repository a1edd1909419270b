package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// newRotateSecret is the key command that gives an account a new webhook secret.
func (k *keyCommand) newRotateSecret() *cobra.Command {
	overlap := savepage.SecretOverlap
	cmd := &cobra.Command{
		Use:   "rotate-secret --account ACCOUNT",
		Short: "Give an account a new webhook secret; the previous one stays valid for a while",
		Long: "Creates a webhook secret for an account and shows it once. During the overlap, webhook-signature has a signature of the\n" +
			"new secret and of each older one; X-Signature uses the new one at once. After a leak use --overlap 0s, which ends all\n" +
			"older secrets.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if k.account == "" {
				return usageError{errors.New("--account is missing: savepage key list shows the accounts")}
			}
			if overlap < 0 || overlap > savepage.MaxSecretOverlap {
				return usageError{fmt.Errorf("--overlap is %s: want a duration from 0s to %s", overlap, savepage.MaxSecretOverlap)}
			}
			return k.run(func(ctx context.Context, keys ledger.Keys, _ []string) error {
				return k.rotate(ctx, keys, overlap)
			})(cmd, args)
		},
	}
	cmd.Flags().StringVar(&k.account, "account", "", "account whose secret is replaced")
	cmd.Flags().DurationVar(&overlap, "overlap", overlap, "how long the previous secret stays valid")
	return cmd
}

func (k *keyCommand) rotate(ctx context.Context, keys ledger.Keys, overlap time.Duration) error {
	made, err := keys.RotateSecret(ctx, k.account, overlap)
	if err != nil {
		return err
	}
	if k.asJSON {
		return writeJSON(k.out, made)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "webhook secret  %s\n", made.Secret)
	for _, old := range made.Previous {
		fmt.Fprintf(&text, "still valid     %s until %s\n", old.Hint, dateText(*old.ValidUntil))
	}
	text.WriteString("\nThis is shown once.\n")
	_, err = io.WriteString(k.out, text.String())
	return err
}
