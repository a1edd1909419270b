package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
)

func newAdopt(env environment) *cobra.Command {
	var removeOthers bool
	cmd := &cobra.Command{
		Use:   "adopt",
		Short: "Make a store of pictures belong to the database, when serve says that it does not",
		Long: "Makes the store of pictures belong to the database. serve does so by itself when the store is empty or the database\n" +
			"knows some of its pictures, and stops otherwise: the two may have been mixed up. No server may run meanwhile. Pictures\n" +
			"that the database does not know are removed by the server later, which --remove-others agrees to.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			return adopt(cmd.Context(), s, removeOthers, env)
		},
	}
	cmd.Flags().BoolVar(&removeOthers, "remove-others", false, "agree that pictures that the database does not know are removed")
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE", "BLOBS")
	return cmd
}

func adopt(ctx context.Context, s Settings, removeOthers bool, env environment) (err error) {
	records, pictures, err := openBoth(ctx, s, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pictures.Close(), records.Close()) }()
	found, err := keeper.Count(ctx, pictures, records)
	if err != nil {
		return err
	}
	if found.Unknown > 0 && !removeOthers {
		return fmt.Errorf("%s has %d pictures that the database does not know, and %d that it knows; to have the others removed: "+
			"savepage adopt --remove-others", s.blobs(), found.Unknown, found.Known)
	}
	if err := keeper.Adopt(ctx, pictures, records); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "%s now belongs to the database, which knows %d of its pictures and not %d\n", s.blobs(), found.Known,
		found.Unknown)
	return err
}

// openBoth opens records and pictures that no server uses.
func openBoth(ctx context.Context, s Settings, env environment) (ledger.Store, blob.Store, error) {
	vault, err := s.vault()
	if err != nil {
		return nil, nil, err
	}
	database, err := s.database()
	if err != nil {
		return nil, nil, err
	}
	records, err := database.Open(ctx, ledger.Config{
		Vault: vault, Clock: env.clock, Alone: true, Node: ledger.Node{Name: "savepage", Version: readBuild().Version},
	}, newLog(s, env.err))
	if err != nil {
		return nil, nil, fmt.Errorf("open the records: %w", namingKey(err))
	}
	pictures, err := stores.Open(ctx, s.blobs())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the pictures: %w", err), records.Close())
	}
	return records, pictures, nil
}
