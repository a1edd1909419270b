package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newMigrate(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database to this version, without serving",
		Long:  "Migrates the database to this version without serving. serve does the same when it starts.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, database, err := env.database(cmd)
			if err != nil {
				return err
			}
			if err := database.Migrate(cmd.Context(), newLog(s, env.err)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.out, "the database in %s is up to date\n", database)
			return err
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}
