package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
)

func newDevices(env environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the device presets",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(env.out, savepage.Devices())
			}
			table := tabwriter.NewWriter(env.out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "NAME\tVIEWPORT\tSCALE\tMOBILE\tTOUCH")
			for _, d := range savepage.Devices() {
				_, _ = fmt.Fprintf(table, "%s\t%d×%d\t%v\t%v\t%v\n", d.Name, d.Width, d.Height, d.Scale, d.Mobile, d.Touch)
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
