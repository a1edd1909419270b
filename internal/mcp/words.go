package mcp

import (
	"fmt"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// Bounds of texts, in bytes, but for maxCaption.
const (
	maxText    = 6000 // about one capture
	maxAddress = 200
	maxLine    = 300
	maxName    = 40
	maxLink    = 2000
	maxCaption = 300 // tokens of the words beside a picture
)

// answer is what a call answers, and what it costs.
type answer struct {
	content []sdk.Content
	spent   int  // tokens
	failed  bool // what was asked for has not come about
}

func newAnswer() *answer { return &answer{} }

// left is how many tokens there is room for.
func (a *answer) left() int { return MaxTokens - a.spent }

// say adds a text, as far as there is room.
func (a *answer) say(text string) {
	text = cut(text, a.left())
	a.spent += textTokens(text)
	a.content = append(a.content, &sdk.TextContent{Text: text})
}

// show adds a picture. The caller has looked whether there is room.
func (a *answer) show(file shownFile, one piece) {
	a.spent += pictureTokens(one.width, one.height)
	a.content = append(a.content, &sdk.ImageContent{Data: file.data, MIMEType: file.format.MediaType()})
}

// link adds a link to the full picture.
func (a *answer) link(done client.Capture) {
	if len(done.Image) > maxLink {
		return // it is in the words, shortened
	}
	link := &sdk.ResourceLink{URI: done.Image, Name: "full picture", MIMEType: done.Format.MediaType(), Size: &done.Size}
	a.spent += textTokens(link.URI) + maxCaption
	a.content = append(a.content, link)
}

// words say what became of a capture, and what its picture may lack.
func (t *tools) words(c client.Capture) string {
	var b strings.Builder
	switch c.Status {
	case savepage.Success:
		fmt.Fprintf(&b, "Captured %s\n", cut(page(c), maxLine))
		fmt.Fprintf(&b, "Full picture: %s, %s, %d bytes: %s\n", size(c), c.Format, c.Size, c.Image)
	case savepage.Failed:
		fmt.Fprintf(&b, "%s failed: %s\n", cut(page(c), maxLine), failure(c))
	case savepage.Canceled:
		fmt.Fprintf(&b, "The capture of %s was canceled.\n", cut(page(c), maxLine))
	default:
		fmt.Fprintf(&b, "The capture of %s has not ended yet. look_up shows it later.\n", cut(page(c), maxLine))
	}
	fmt.Fprintf(&b, "capture_id: %s", c.CaptureID)
	if c.Report == nil || c.Status != savepage.Success {
		return cut(b.String(), maxText)
	}
	if c.Report.Title != "" {
		fmt.Fprintf(&b, "\nTitle: %s", cut(c.Report.Title, maxLine))
	}
	if c.Report.FinalURL != "" && c.Report.FinalURL != c.URL {
		fmt.Fprintf(&b, "\nThe page is at %s", cut(c.Report.FinalURL, maxLine))
	}
	for _, note := range t.config.Notes(*c.Report) {
		fmt.Fprintf(&b, "\nNote: %s", cut(note, maxLine))
	}
	return cut(b.String(), maxText)
}

// size is width and height, of paper in points.
func size(c client.Capture) string {
	unit := "px"
	if c.Format.Info().Paged {
		unit = "pt"
	}
	return fmt.Sprintf("%d×%d %s", c.Width, c.Height, unit)
}

func page(c client.Capture) string {
	if c.URL == "" {
		return "the document"
	}
	return c.URL
}

func failure(c client.Capture) string {
	if c.Error == nil {
		return "no reason is known"
	}
	return cut(c.Error.Error(), maxLine)
}

// brief is the line of a capture of a batch.
func brief(index int, c client.Capture) string {
	what := "not ended yet"
	switch c.Status {
	case savepage.Success:
		what = size(c)
		if len(c.Image) <= maxAddress {
			what += ", " + c.Image
		}
	case savepage.Failed:
		what = "failed: " + cut(failure(c), maxAddress)
	case savepage.Canceled:
		what = "canceled"
	default: // it goes on
	}
	return fmt.Sprintf("%d. %s: %s; capture_id %s", index+1, cut(page(c), maxAddress/2), what, c.CaptureID)
}

// cut shortens a text to so many bytes.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	limit = max(0, limit-len("…"))
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
