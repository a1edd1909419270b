package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCompact(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Give the space of removed records back to the disk, without serving",
		Long: "Writes the database anew without the space of removed records. A database that this version made gives it back by itself\n" +
			"while the server runs; one of an earlier version does so after this command. No server may run meanwhile, and the disk\n" +
			"needs as much free space as the database is large.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, database, err := env.database(cmd)
			if err != nil {
				return err
			}
			if err := database.Compact(cmd.Context()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.out, "the database in %s is compact\n", database)
			return err
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}
