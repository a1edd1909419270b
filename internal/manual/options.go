package manual

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"strings"

	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/site"
)

// What the examples capture, and where they send callbacks.
const (
	examplePage = "https://example.com/"
	exampleHook = "https://myapp.example.com/hook"
)

// option is an option with its example.
type option struct {
	api.Field

	Picture    *picture
	Playground string
	Request    string // as curl
}

// picture is what an option does, as the product has taken it.
type picture struct {
	Name          string
	Width, Height int
	Says          string // what is to be seen
}

// optionGroup is a part of the page of options.
type optionGroup struct {
	Title, ID string
	Options   []option
}

// optionsPage is the page of options: the text of options.md with an entry for each option in the place of its tables.
type optionsPage struct {
	Before, After template.HTML
	Groups        []optionGroup
}

// example is a line of pictures/options.json: options that show what an option does, and what is to be seen in the picture.
// scripts/docs-pictures takes the pictures and writes their sizes, in pixels.
type example struct {
	Options map[string]any `json:"options"`
	Says    string         `json:"says"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
}

func addOptions(s *book) error {
	source, err := fs.ReadFile(s.config.Files, "options.md")
	if err != nil {
		return err
	}
	text := string(source)
	begin, end := strings.Index(text, "\n## "), strings.Index(text, "\n## Steps")
	if begin < 0 || end < 0 {
		return errors.New("options.md has no tables before its steps")
	}
	known, err := s.titles()
	if err != nil {
		return err
	}
	before, err := render([]byte(text[:begin]), known)
	if err != nil {
		return err
	}
	after, err := render([]byte(text[end:]), known)
	if err != nil {
		return err
	}
	examples, err := s.examples()
	if err != nil {
		return err
	}
	content := optionsPage{Before: template.HTML(before.html), After: template.HTML(after.html)} //nolint:gosec // of our own files
	p := &page{Address: Prefix + "/options", Title: "Options", Lede: "Every option with its range, default and example.", layout: "options"}
	s.index.addSections(before, p.Address)
	for _, one := range api.OptionGroups() {
		g := optionGroup{Title: one.Title, ID: slug(one.Title)}
		p.Parts = append(p.Parts, part{g.ID, g.Title})
		for _, f := range one.Fields {
			g.Options = append(g.Options, s.option(f, examples[f.Name]))
			s.index.add(f.Name, "Options · "+one.Title, p.Address+"#option-"+f.Name, f.Doc)
		}
		content.Groups = append(content.Groups, g)
	}
	for _, one := range after.sections {
		p.Parts = append(p.Parts, part{one.id, one.title})
		s.index.add(one.title, "Options", p.Address+"#"+one.id, one.text)
	}
	p.content = content
	s.add(groupReference, p)
	return nil
}

// examples are the options that show what an option does, by its name.
func (s *book) examples() (map[string]example, error) {
	data, err := fs.ReadFile(s.config.Files, "pictures/options.json")
	if err != nil {
		return nil, err
	}
	all := map[string]example{}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("pictures/options.json: %w", err)
	}
	return all, nil
}

// option is an option with the example that shows it, or one that its field names.
func (s *book) option(f api.Field, shown example) option {
	given := shown.Options
	if given == nil {
		given = usual(f)
	}
	_, url := given["url"]
	_, html := given["html"]
	if !url && !html {
		given["url"] = examplePage
	}
	one := option{Field: f, Playground: playground(given), Request: curlOf(true, "POST", "/v1/capture", nil, site.JSON(given, ""))}
	name := f.Name + ".webp"
	if _, taken := s.files[Prefix+"/pictures/"+name]; taken {
		one.Picture = &picture{Name: "pictures/" + name, Width: shown.Width, Height: shown.Height, Says: shown.Says}
	}
	return one
}

// usual are options with a value of the option that is not its default.
func usual(f api.Field) map[string]any {
	given := map[string]any{}
	switch {
	case f.Kind == api.KindBoolean:
		given[f.Name] = f.Default != "true"
	case len(f.Enum) > 0 && f.Kind == api.KindList:
		given[f.Name] = f.Enum[:1]
	case len(f.Enum) > 0:
		for _, word := range f.Enum {
			if word != f.Default && word != "event" && word != "POST" { // which are the defaults where there is a callback
				given[f.Name] = word
				break
			}
		}
	case f.Example != "":
		var value any
		if json.Unmarshal([]byte(f.Example), &value) != nil || f.Kind == api.KindText {
			value = f.Example
		}
		given[f.Name] = value
	}
	switch {
	case strings.HasPrefix(f.Name, "pdf_"):
		given["format"] = "pdf"
	case strings.HasPrefix(f.Name, "callback_"):
		given["callback_url"] = exampleHook
	}
	return given
}

// playground is the address that opens the playground with options.
func playground(given map[string]any) string {
	query := url.Values{}
	for name, value := range given {
		switch value := value.(type) {
		case string:
			query.Set(name, value)
		case []string:
			query[name] = value
		case []any:
			if texts, all := texts(value); all {
				query[name] = texts
				continue
			}
			query.Set(name, site.JSON(value, ""))
		default:
			query.Set(name, site.JSON(value, ""))
		}
	}
	return "/ui/playground?" + query.Encode()
}

func texts(values []any) ([]string, bool) {
	var all []string
	for _, value := range values {
		text, is := value.(string)
		if !is {
			return nil, false
		}
		all = append(all, text)
	}
	return all, true
}

// server stands for the address of the service in requests, as in all guides.
const server = "http://127.0.0.1:8080"

// curlOf writes a request of the guides. The body is JSON; empty for none.
func curlOf(needsKey bool, method, address string, query url.Values, body string) string {
	request := site.Request{Method: method, URL: server + address, Body: body}
	if needsKey {
		request.Key = "$KEY"
	}
	if len(query) > 0 {
		request.URL += "?" + query.Encode()
	}
	return request.Curl()
}

func slug(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }
