package manual

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// rendered is a text of markdown as a page.
type rendered struct {
	title    string
	html     string
	sections []section
}

// section is a heading and what stands below it.
type section struct {
	id, title string
	level     int
	text      string
}

// parts are the sections that a reader goes to.
func (r rendered) parts() []part {
	var parts []part
	for _, one := range r.sections {
		if one.level == 2 {
			parts = append(parts, part{one.id, one.title})
		}
	}
	return parts
}

// render makes HTML of markdown. known are the titles of the files that are pages, by their names. HTML in the text is left out.
func render(source []byte, known map[string]string) (rendered, error) {
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)) // styles are not allowed
	md := goldmark.New(goldmark.WithExtensions(table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	root := md.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(&ids{}))))
	leadToPages(root, source, known)
	made := rendered{sections: sectionsOf(root, source)}
	if len(made.sections) > 0 {
		made.title = made.sections[0].title
	}
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, source, root); err != nil {
		return made, err
	}
	// What scrolls sideways must be reached with the keyboard, and a header without a word is none. Text has no such marks: they are
	// escaped there.
	made.html = strings.NewReplacer(
		"<th></th>", "<td></td>",
		"<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>", "<pre>", `<pre tabindex="0">`,
	).Replace(out.String())
	return made, nil
}

// ids names headings as code hosts do, so that links between the files work here and there.
type ids struct{ used map[string]int }

// Generate returns the id of a heading.
func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(string(value)))
	if i.used == nil {
		i.used = map[string]int{}
	}
	n := i.used[id]
	i.used[id]++
	if n > 0 {
		id += "-" + strconv.Itoa(n)
	}
	return []byte(id)
}

// Put notes an id that is given.
func (i *ids) Put(value []byte) { _ = i.Generate(value, ast.KindHeading) }

// leadToPages turns links between files into links between pages. Files that are no pages are only named.
func leadToPages(root ast.Node, source []byte, known map[string]string) {
	var links []*ast.Link
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, is := n.(*ast.Link); is && entering {
			links = append(links, link)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range links {
		target, fragment, _ := strings.Cut(string(link.Destination), "#")
		if fragment != "" {
			fragment = "#" + fragment
		}
		name, isText := strings.CutSuffix(target, ".md")
		switch {
		case target == "", strings.Contains(target, "://"):
		case isText && known[name] != "":
			link.Destination = []byte(Prefix + "/" + name + fragment)
			if plain(link, source) == target {
				link.RemoveChildren(link)
				link.AppendChild(link, ast.NewString([]byte(known[name])))
			}
		case !strings.Contains(target, "/") && !isText:
			link.Destination = []byte(Prefix + "/" + target)
		default:
			words := plain(link, source)
			if file := strings.TrimPrefix(target, "../"); words != file {
				words += " (" + file + ")"
			}
			link.Parent().ReplaceChild(link.Parent(), link, ast.NewString([]byte(words)))
		}
	}
}

// sectionsOf splits a text at its headings.
func sectionsOf(root ast.Node, source []byte) []section {
	var all []section
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		if heading, is := n.(*ast.Heading); is {
			id, _ := heading.AttributeString("id")
			name, _ := id.([]byte)
			all = append(all, section{id: string(name), title: plain(heading, source), level: heading.Level})
			continue
		}
		if len(all) > 0 {
			all[len(all)-1].text += plain(n, source) + " "
		}
	}
	return all
}

// plain is the text of a node without its marks.
func plain(node ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(source))
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			b.Write(n.Lines().Value(source))
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(b.String())
}
