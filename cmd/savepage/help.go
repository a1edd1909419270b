package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// The groups of commands in the help.
const (
	groupCapture = "capture"
	groupServe   = "serve"
	groupKeys    = "keys"
	groupData    = "data"
	groupMore    = "more"
)

// The titles of flags in the help that belong to no group of options or settings.
const (
	titleFlags    = "Flags"
	titleSettings = "Settings"
)

// titleAnnotation is the annotation of a flag that holds its title.
const titleAnnotation = "savepage_title"

// maxHelpWidth is the width in columns beyond which help is not spread on a terminal.
const maxHelpWidth = 120

// addGroups defines the groups of commands and gives the commands of cobra's own a place in them.
func addGroups(root *cobra.Command) {
	root.AddGroup(
		&cobra.Group{ID: groupCapture, Title: "Capture pages here"},
		&cobra.Group{ID: groupServe, Title: "Run the service"},
		&cobra.Group{ID: groupKeys, Title: "Keys, accounts and callbacks"},
		&cobra.Group{ID: groupData, Title: "Records and pictures"},
		&cobra.Group{ID: groupMore, Title: "More"},
	)
	root.SetHelpCommandGroupID(groupMore)
	root.SetCompletionCommandGroupID(groupMore)
}

// inGroup puts commands into a group.
func inGroup(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, cmd := range commands {
		cmd.GroupID = id
	}
	return commands
}

// titled puts a flag under a title of the help.
func titled(f *pflag.Flag, title string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[titleAnnotation] = []string{title}
}

// usage writes what follows a command's description in its help: how it is called, examples, commands and flags in groups.
func usage(stdout io.Writer) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		var b strings.Builder
		b.WriteString("Usage\n")
		if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
		}
		if cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
		}
		if cmd.HasExample() {
			fmt.Fprintf(&b, "\nExamples\n%s\n", cmd.Example)
		}
		writeCommands(&b, cmd)
		writeFlags(&b, cmd, helpWidth(stdout))
		if cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "\n%s COMMAND --help says more about a command.\n", cmd.CommandPath())
		}
		_, err := io.WriteString(cmd.OutOrStderr(), b.String())
		return err
	}
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	width := 0
	for _, one := range cmd.Commands() {
		width = max(width, len(one.Name()))
	}
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "Commands"}}
	}
	for _, group := range groups {
		first := true
		for _, one := range cmd.Commands() {
			if one.GroupID != group.ID || !one.IsAvailableCommand() && one.Name() != "help" {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s\n", group.Title)
				first = false
			}
			fmt.Fprintf(b, "  %-*s  %s\n", width, one.Name(), one.Short)
		}
	}
}

// writeFlags writes the flags under their titles, in the order in which they were defined.
func writeFlags(b *strings.Builder, cmd *cobra.Command, width int) {
	flags := cmd.Flags()
	flags.SortFlags = false
	sets := map[string]*pflag.FlagSet{}
	titles := []string{titleFlags} // first, wherever its flags are defined
	flags.VisitAll(func(f *pflag.Flag) {
		title := titleFlags
		if given := f.Annotations[titleAnnotation]; len(given) > 0 {
			title = given[0]
		}
		if !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
		if sets[title] == nil {
			sets[title] = pflag.NewFlagSet(title, pflag.ContinueOnError)
			sets[title].SortFlags = false
		}
		sets[title].AddFlag(f)
	})
	for _, title := range titles {
		if set := sets[title]; set != nil && set.HasAvailableFlags() {
			fmt.Fprintf(b, "\n%s\n%s", title, set.FlagUsagesWrapped(width))
		}
	}
}

// helpWidth is where lines of the help are broken, in columns; 0 for nowhere, where no terminal shows it.
func helpWidth(stdout io.Writer) int {
	file, is := stdout.(*os.File)
	if !is {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return min(width, maxHelpWidth)
}

// addExamples gives every command its examples.
func addExamples(root *cobra.Command) {
	for path, lines := range examples() {
		cmd, _, err := root.Find(strings.Fields(path))
		if err == nil && cmd.CommandPath() == "savepage "+path {
			cmd.Example = "  " + strings.Join(lines, "\n  ")
		}
	}
}

// examples are lines that work as they are, given the files that they name. A test reads them.
func examples() map[string][]string {
	return map[string][]string{
		"capture": {
			"savepage capture example.com",
			"savepage capture https://example.com --fullpage --format webp -o - > page.webp",
			"savepage capture localhost:3000 --egress-allow 127.0.0.0/8 --device iphone-15 -o phone.png",
			"savepage capture --html @invoice.html --pdf-paper a4 -o invoice.pdf",
		},
		"batch": {"savepage batch urls.txt -o pictures --parallel 4 --fullpage", "savepage batch - -o pictures --format jpeg < urls.txt"},
		"mcp": {
			"savepage mcp --egress-allow 127.0.0.0/8 --folder pictures",
			"SAVEPAGE_KEY=sp_… savepage mcp --server https://shots.example.com",
		},
		"devices": {"savepage devices", "savepage devices --json"},
		"serve": {
			"savepage serve",
			"savepage serve --listen :8080 --public-url https://shots.example.com --data /var/lib/savepage",
			"savepage serve --egress-allow 127.0.0.0/8,10.20.0.0/16:443",
		},
		"doctor":            {"savepage doctor", "savepage doctor --json --data /var/lib/savepage"},
		"health":            {"savepage health", "savepage health --live --listen 127.0.0.1:8080"},
		"key create":        {"savepage key create", "savepage key create --account acc_01 --name reports --scopes read --expires 720h --json"},
		"key list":          {"savepage key list", "savepage key list --account acc_01 --json"},
		"key rotate":        {"savepage key rotate sp_ab12cd34 --overlap 24h"},
		"key rotate-secret": {"savepage key rotate-secret --account acc_01"},
		"key revoke":        {"savepage key revoke sp_ab12cd34"},
		"account list":      {"savepage account list"},
		"account create":    {"savepage account create --name 'Shop & Co' --pages 2 --captures-per-month 10000"},
		"account set":       {"savepage account set acc_01 --pages 4 --pending default"},
		"account delete":    {"savepage account delete acc_01"},
		"webhook listen": {
			"SAVEPAGE_WEBHOOK_SECRET=whsec_… savepage webhook listen",
			"savepage webhook listen --listen 127.0.0.1:8090 --forward http://127.0.0.1:3000/hook",
		},
		"link": {
			"SAVEPAGE_LINK_SECRET=lnk_… savepage link example.com --public-url https://shots.example.com --width 800 --expires 720h",
		},
		"link secret add":    {"savepage link secret add --account acc_01"},
		"link secret list":   {"savepage link secret list --account acc_01 --json"},
		"link secret remove": {"savepage link secret remove --account acc_01 lnk_0123456789Ab"},
		"webhook verify":     {"savepage webhook verify --body body.json --headers headers.txt"},
		"backup":             {"savepage backup /srv/backup --data /var/lib/savepage"},
		"restore":            {"savepage restore /srv/backup --data /var/lib/savepage"},
		"migrate": {
			"savepage migrate --data /var/lib/savepage",
			"savepage migrate --data /var/lib/savepage --to postgres://savepage@db/savepage --blobs 's3://pictures/shots?region=eu-central-1'",
		},
		"nodes":   {"savepage nodes", "savepage nodes --json --database postgres://savepage@db.internal/savepage"},
		"compact": {"savepage compact --data /var/lib/savepage"},
		"adopt":   {"savepage adopt --data /var/lib/savepage"},
		"manpage": {"savepage manpage man/man1 && man -l man/man1/savepage.1"},
		"version": {"savepage version --json"},
	}
}
