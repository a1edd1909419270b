package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/keeper"
)

func newBackup(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy records and pictures to a folder, also while a server runs",
		Long: "Copies the records as they are at one moment, and every picture that they name, to DIR, and writes DIR/manifest.json\n" +
			"with the size and checksum of each file when all of it is on disk. A backup without a manifest was interrupted. DIR may\n" +
			"hold an earlier backup of the same database: only new pictures are copied, and what was removed since is removed.\n" +
			"Webhook secrets are in the backup as they are in the database; the master key is not in it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			return backup(cmd.Context(), s, args[0], env)
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE", "BLOBS")
	return cmd
}

func backup(ctx context.Context, s Settings, dir string, env environment) (err error) {
	database, err := s.database()
	if err != nil {
		return err
	}
	pictures, err := stores.View(ctx, s.blobs())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pictures.Close()) }()
	from := keeper.Source{Database: database, Pictures: pictures, Version: readBuild().Version, Now: env.clock.Now()}
	made, err := keeper.Backup(ctx, from, dir, newLog(s, env.err))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = fmt.Fprintf(env.out, "%s holds %d captures and %d pictures, %d bytes\n%s", dir, made.Captures, len(made.Pictures), made.Bytes,
		keyHint(made))
	return err
}

// keyHint says that a backup can only be used with the master key.
func keyHint(m keeper.Manifest) string {
	if !m.MasterKey {
		return ""
	}
	return "It needs SAVEPAGE_MASTER_KEY, which is not in it: keep the key in another place.\n"
}

func newRestore(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Put a backup back into an empty data folder",
		Long: "Puts records and pictures of the backup in DIR back, and compares each file with its checksum. The data folder must\n" +
			"have no database and the store of pictures nothing. A restore that was interrupted can be repeated. Callbacks that\n" +
			"were owed when the backup was made are sent again, with the same webhook-id.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			return restore(cmd.Context(), s, args[0], env)
		},
	}
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE", "BLOBS")
	return cmd
}

func restore(ctx context.Context, s Settings, dir string, env environment) (err error) {
	if _, err := keeper.ReadManifest(dir); err != nil { // before anything is made
		return fmt.Errorf("restore: %w", err)
	}
	database, err := s.database()
	if err != nil {
		return err
	}
	if err := database.Vacant(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	pictures, err := stores.Open(ctx, s.blobs())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, pictures.Close()) }()
	put, err := keeper.Restore(ctx, dir, keeper.Target{Database: database, Pictures: pictures})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = fmt.Fprintf(env.out, "%s has %d captures and %d pictures of %s\n%s", s.Data, put.Captures, len(put.Pictures),
		dateText(put.CreatedAt), keyHint(put))
	return err
}
