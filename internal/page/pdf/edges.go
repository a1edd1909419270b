package pdf

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/savepage/savepage"
)

// nothing stands for a header or footer that there is not: an empty one would be the browser's own.
const nothing = "<span></span>"

// numbers is the footer of pdf_page_numbers.
const numbers = `<div style="text-align:center"><span class="pageNumber"></span> / <span class="totalPages"></span></div>`

// edges are the header and the footer of every page. The browser gives them neither a size of letters that can be read nor the
// page's margins.
func edges(o savepage.Options) (header, footer string, err error) {
	footer = o.PDFFooter
	if o.PDFPageNumbers {
		footer = numbers
	}
	if header, err = edge(o, "pdf_header", o.PDFHeader); err == nil {
		footer, err = edge(o, "pdf_footer", footer)
	}
	return header, footer, err
}

// Check refuses a header or footer that cannot be printed.
func Check(o savepage.Options) error {
	_, _, err := edges(o)
	return err
}

func edge(o savepage.Options, option, given string) (string, error) {
	if given == "" {
		return nothing, nil
	}
	clean, err := plain(given)
	if err != nil {
		return "", savepage.Errorf(savepage.CodeInvalidRequest, "%s: %v", option, err)
	}
	margins := o.Margins()
	const style = "box-sizing:border-box;width:100%%;padding:0 %.1fpt 0 %.1fpt;font:9px/1.2 sans-serif;color:#333"
	return fmt.Sprintf(`<div style="`+style+`">%s</div>`, margins.Right, margins.Left, clean), nil
}

// plain returns HTML of text, tables and embedded pictures. Everything else is refused: the browser draws headers in a page
// that has no network, and a frame or a picture from elsewhere there ended the whole browser (Chromium 156).
func plain(given string) (string, error) {
	var clean strings.Builder
	for tokens := html.NewTokenizer(strings.NewReader(given)); ; {
		kind := tokens.Next()
		token := tokens.Token()
		switch kind {
		case html.ErrorToken:
			if errors.Is(tokens.Err(), io.EOF) {
				return clean.String(), nil
			}
			return "", tokens.Err()
		case html.TextToken, html.EndTagToken, html.StartTagToken, html.SelfClosingTagToken:
			if err := check(token); err != nil {
				return "", err
			}
			clean.WriteString(token.String())
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// check refuses elements and attributes that do more than show text.
func check(token html.Token) error {
	if token.Type == html.TextToken {
		return nil
	}
	if !slices.Contains(elements(), token.DataAtom) {
		return fmt.Errorf("<%.30s> cannot be printed there: only text, tables, and pictures as data: URLs can", token.Data)
	}
	for _, a := range token.Attr {
		if err := checkAttribute(token.DataAtom, a); err != nil {
			return err
		}
	}
	return nil
}

// elements are those that only show text, and img.
func elements() []atom.Atom {
	return []atom.Atom{
		atom.Div, atom.Span, atom.P, atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.S, atom.Small, atom.Sub, atom.Sup, atom.Br, atom.Hr,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Li, atom.Header, atom.Footer, atom.Section,
		atom.Table, atom.Thead, atom.Tbody, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Center, atom.Img,
	}
}

// embedded matches pictures that are in their own address.
var embedded = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$`)

// reaching matches what may name an address in a style, or hide one that does.
var reaching = regexp.MustCompile(`(?i)url|image|src|element|cross-fade|[\\@<]|/\*`)

func checkAttribute(element atom.Atom, a html.Attribute) error {
	switch a.Key {
	case "class", "id", "lang", "dir", "alt", "title", "width", "height", "align", "valign", "colspan", "rowspan", "border":
		return nil
	case "style":
		if found := reaching.FindString(a.Val); found != "" {
			return fmt.Errorf("the style %.60q cannot be printed there: it contains %q", a.Val, found)
		}
		return nil
	case "src":
		if element == atom.Img && embedded.MatchString(a.Val) {
			return nil
		}
		return fmt.Errorf("the picture %.60q cannot be printed there: only a png, jpeg, gif or webp as a data: URL in base64 can", a.Val)
	default:
		return fmt.Errorf("the attribute %.30s cannot be given there", a.Key)
	}
}
