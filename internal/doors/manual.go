package doors

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/savepage/savepage"
)

//go:embed moving/*.md
var guides embed.FS

// Guides are the manual's pages about moving from the peers, in Markdown, by the names of their files: one about all of them,
// and one for each. Where a word stands in double braces is a table of the peer.
func Guides() map[string]string {
	all := map[string]string{"moving.md": guide("moving")}
	for _, peer := range Peers() {
		name := strings.ToLower(peer.Name)
		all["moving-"+name+".md"] = strings.NewReplacer(
			"{{taken}}\n", tableOf(peer.Rows, Taken, "becomes"),
			"{{ignored}}\n", tableOf(peer.Rows, Ignored, "because"),
			"{{refused}}\n", tableOf(peer.Rows, Refused, "because"),
			"{{errors}}\n", peer.errors(),
		).Replace(guide(name))
	}
	return all
}

func guide(name string) string {
	text, err := guides.ReadFile(path.Join("moving", name+".md"))
	if err != nil {
		return "# " + err.Error() // a peer without a guide: its page says so, and the test of the manual fails
	}
	return string(text)
}

// tableOf writes the rows of one fate in Markdown.
func tableOf(rows []Row, fate Fate, column string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| name | %s |\n|---|---|\n", column)
	for _, row := range rows {
		if row.Fate == fate {
			fmt.Fprintf(&b, "| `%s` | %s |\n", row.Name, strings.ReplaceAll(row.Note, "|", `\|`))
		}
	}
	return b.String()
}

// errors is the table of the errors that the peer's clients see otherwise than those of the API.
func (p Peer) errors() string {
	var b strings.Builder
	if p.code == nil {
		b.WriteString("| status | code here | meaning |\n|---|---|---|\n")
	} else {
		b.WriteString("| status | theirs | code here | meaning |\n|---|---|---|---|\n")
	}
	for _, row := range savepage.Codes() {
		fault := &savepage.Error{Code: row.Code}
		status := p.status(fault)
		switch {
		case p.code != nil && p.code(fault) != string(row.Code):
			fmt.Fprintf(&b, "| %d | `%s` | `%s` | %s |\n", status, p.code(fault), row.Code, row.Manual)
		case p.code == nil && status != row.Status:
			fmt.Fprintf(&b, "| %d %s | `%s` | %s |\n", status, http.StatusText(status), row.Code, row.Manual)
		}
	}
	return b.String()
}
