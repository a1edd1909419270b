package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/blob/stores"
)

func newMigrate(env environment) *cobra.Command {
	var to destination
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database to this version, or move the installation to PostgreSQL or to another store of pictures",
		Long: "Migrates the database to this version without serving. serve does the same when it starts.\n\n" +
			"With --to it moves a stopped installation from SQLite to an empty PostgreSQL database: accounts, keys, secrets as they are,\n" +
			"captures, batches, callbacks with their attempts, what waits, everything. With --blobs it moves the pictures of the setting\n" +
			"BLOBS, byte by byte, to another store; without --to only those. At the end it reads both sides and compares counts and\n" +
			"checksums. A move that was interrupted goes on when it is started again. The old pictures stay where they are.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, database, err := env.database(cmd)
			if err != nil {
				return err
			}
			if to != (destination{}) {
				return to.move(cmd.Context(), s, env)
			}
			if err := database.Migrate(cmd.Context(), newLog(s, env.err)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.out, "the database in %s is up to date\n", database)
			return err
		},
	}
	cmd.Flags().StringVar(&to.database, "to", "", "PostgreSQL database to which the records are moved; PGPASSWORD may hold its password")
	cmd.Flags().StringVar(&to.blobs, "blobs", "", "store to which the pictures are moved: "+stores.Forms())
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}
