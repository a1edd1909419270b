package doors

import (
	_ "embed" // for the text of the manual
	"fmt"
	"strings"
)

//go:embed moving.md
var moving string

// Manual is the manual's page about moving from the peers, in Markdown: the text, and the table of each peer where its name
// stands in double braces.
func Manual() string {
	text := moving
	for _, peer := range Peers() {
		text = strings.ReplaceAll(text, "{{"+peer.Name+"}}\n", tableOf(peer.Rows))
	}
	return text
}

// tableOf writes rows in Markdown, those that are taken first.
func tableOf(rows []Row) string {
	var b strings.Builder
	b.WriteString("| name | becomes |\n|---|---|\n")
	for _, fate := range []Fate{Taken, Refused, Ignored} {
		for _, row := range rows {
			if row.Fate != fate {
				continue
			}
			note := strings.ReplaceAll(row.Note, "|", `\|`)
			if fate != Taken {
				note = string(fate) + ": " + note
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", row.Name, note)
		}
	}
	return b.String()
}
