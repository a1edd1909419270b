package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/progress"
)

func newNodes(env environment) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "List the processes that serve the database",
		Long: "Lists the processes that serve the database, and those that have ended in the last hour: what each does, when it was last\n" +
			"seen, how many captures it renders, and by how much its clock is ahead of the database's.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withKeys(cmd, env, func(keys ledger.Keys) error {
				all, err := keys.Nodes(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env.out, append([]savepage.Node{}, all...))
				}
				return writeNodes(env.out, all)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addSettingFlags(cmd.Flags(), "DATA", "DATABASE")
	return cmd
}

func writeNodes(out io.Writer, all []savepage.Node) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "NODE\tNAME\tROLES\tVERSION\tSINCE\tLAST SEEN\tENDED\tRUNNING\tCLOCK AHEAD\tLEADS")
	for _, one := range all {
		leads := ""
		if one.Leads {
			leads = "yes"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d ms\t%s\n", one.ID, one.Name, strings.Join(one.Roles, ","), one.Version,
			dateText(one.Since), dateText(one.LastSeen), dateText(one.EndedAt), one.Running, one.AheadMS, leads)
	}
	return table.Flush()
}

// nodeName is what other nodes call this one: its machine and port.
func nodeName(listening net.Addr) string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	if tcp, is := listening.(*net.TCPAddr); is {
		return net.JoinHostPort(name, strconv.Itoa(tcp.Port))
	}
	return name
}

// enoughRoles refuses a server that leaves out what no other can do.
func enoughRoles(s Settings) error {
	engine, err := engineOf(s.Database.Reveal())
	if err != nil || engine.Shared {
		return err
	}
	for _, role := range []string{roleAPI, roleRender, roleDeliver} {
		if !s.Has(role) {
			return fmt.Errorf("SAVEPAGE_ROLES is %s: an SQLite database is served by one process, which needs every role; with only some: "+
				"SAVEPAGE_DATABASE=%s", strings.Join(s.Roles, ","), databaseForm())
		}
	}
	return nil
}

// databaseForm is what a setting looks like that names a database which several processes may serve.
func databaseForm() string {
	for _, engine := range engines() {
		if engine.Shared {
			return engine.Form
		}
	}
	return ""
}

// relayed passes the steps of captures to those who watch them here, and at other nodes.
type relayed struct {
	*progress.Hub

	to interface {
		Relay(id string, s capture.Step)
	}
}

// Step adds a step.
func (r relayed) Step(id string, s capture.Step) {
	r.Hub.Step(id, s)
	r.to.Relay(id, s)
}
