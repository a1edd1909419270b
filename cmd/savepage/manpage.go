package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// newManpage writes the manual pages of all commands.
func newManpage() *cobra.Command {
	return &cobra.Command{
		Use:   "manpage FOLDER",
		Short: "Write the manual pages of all commands into a folder",
		Long: "Writes a manual page for each command into FOLDER, which is created: savepage.1, savepage-capture.1 and so on.\n" +
			"Their date is that of SOURCE_DATE_EPOCH, else today.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			escapeTexts(root)
			header := &doc.GenManHeader{
				Section: "1", Source: "SavePage " + orUnknown(readBuild().Version), Manual: "SavePage Manual",
			}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("manual pages: %w", err)
			}
			return nil
		},
	}
}

// escapeTexts keeps the texts of the help from being read as Markdown, from which cobra makes manual pages. It changes the
// commands, which are not used for anything else afterwards.
func escapeTexts(cmd *cobra.Command) {
	escape := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`).Replace
	cmd.DisableAutoGenTag = true
	cmd.Short, cmd.Long = escape(cmd.Short), escape(cmd.Long)
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = escape(f.Usage) })
	for _, one := range cmd.Commands() {
		escapeTexts(one)
	}
}
