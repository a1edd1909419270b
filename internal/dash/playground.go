package dash

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/site"
)

// usual are the page and the options that most people use. They stand before the groups.
var usual = [...]string{
	"url", "html", "fullpage", "width", "height", "format", "device", "wait_for_selector", "delay", "block_cookie_banners",
}

// notInForm are options that say how a request is answered, which the playground decides itself.
var notInForm = [...]string{"async", "response"}

// maxAddress is how long a link to the playground may be, in bytes. Longer texts are left out of it.
const maxAddress = 6000

// field is an option in the form.
type field struct {
	api.Field

	Value string
	Wrong string // what is wrong with the value
	Long  bool   // a text of several lines
}

// Checked reports whether a switch is on.
func (f field) Checked() bool { return f.Value == "true" || f.Value == "1" }

// Live reports whether the value is checked as it is typed: documents and scripts are too long for that.
func (f field) Live() bool { return !isDocument(f.Name) }

// ID names the control.
func (f field) ID() string { return "o-" + f.Name }

// fieldGroup is a part of the form that folds.
type fieldGroup struct {
	Title  string
	Fields []field
	Open   bool // something in it is given, or wrong
}

// playground shows the form, and the capture that the address names.
func (d *trials) playground(w http.ResponseWriter, r *http.Request, s session) error {
	query, v := r.URL.Query(), view{}
	given := d.given(query)
	if id := query.Get("capture"); id != "" {
		of, err := d.addCapture(s, id, v)
		if err != nil {
			return err
		}
		if len(given) == 0 {
			given = of // the address names only the capture
		}
	}
	maps.Copy(v, d.form(given, nil))
	if err := d.addResult(s, given, query, v); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "playground", v)
	return nil
}

// run submits the form. The answer leads to an address that has all of it.
func (d *trials) run(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return savepage.Errorf(savepage.CodeTooLarge, "the form must be at most %d bytes", maxForm)
	}
	given := d.given(r.PostForm)
	options, err := d.options(given)
	var accepted client.Accepted
	if err == nil {
		options["async"] = true
		_, err = d.ask(s, http.MethodPost, "/v1/capture", options, &accepted)
	}
	if err != nil {
		wrong := wrongFields(err)
		if len(wrong) == 0 {
			return err
		}
		v := d.form(given, wrong)
		if err := d.addResult(s, given, url.Values{"tab": r.PostForm["tab"]}, v); err != nil {
			return err
		}
		d.show(w, s, http.StatusBadRequest, "playground", v)
		return nil
	}
	more := url.Values{"capture": {accepted.CaptureID}, "tab": {shownAfter(r.PostForm)}}
	http.Redirect(w, r, playgroundAddress(given, more)+resultPart, http.StatusSeeOther)
	return nil
}

// check says what is wrong with one value, as it is typed.
func (d *trials) check(w http.ResponseWriter, r *http.Request, s session) error {
	query := r.URL.Query()
	name := query.Get("name")
	given := d.given(url.Values{name: {query.Get(name)}})
	if name != "url" && name != "html" {
		given.Set("url", "https://example.com")
	}
	_, err := d.decoder.Values("", given)
	v := view{"Wrong": wrongFields(err)[name]}
	d.show(w, s, http.StatusOK, "check", v)
	return nil
}

// given are the options of a form or a query that are not empty.
func (d *trials) given(values url.Values) url.Values {
	given := url.Values{}
	for _, group := range d.groups {
		for _, f := range group.Fields {
			all := values[f.Name]
			if f.Kind == api.KindList && len(all) == 1 && len(f.Enum) == 0 {
				all = strings.Split(all[0], "\n") // one of each line
			}
			for _, value := range all {
				if value = strings.TrimRight(value, "\r"); strings.TrimSpace(value) != "" && value != f.Default {
					given.Add(f.Name, value)
				}
			}
		}
	}
	if values.Get("inbox") != "" && !given.Has("callback_url") {
		given.Set("callback_url", savepage.InboxURL)
	}
	return given
}

// options are the given ones as the JSON of a request.
func (d *trials) options(given url.Values) (map[string]any, error) {
	read, err := d.decoder.Values("", given)
	if err != nil {
		return nil, err
	}
	return written(read, given)
}

// written is the JSON of those options that are given.
func written(read savepage.Options, given url.Values) (map[string]any, error) {
	text, err := json.Marshal(read)
	if err != nil {
		return nil, fmt.Errorf("write the options: %w", err)
	}
	all, some := map[string]any{}, map[string]any{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read the options: %w", err)
	}
	for name := range given {
		if value, there := all[name]; there {
			some[name] = value
		}
	}
	return some, nil
}

// wrongFields are the messages of an error of invalid options, by the name of the option.
func wrongFields(err error) map[string]string {
	var known *savepage.Error
	var refused *problem
	var fields []savepage.FieldError
	switch {
	case errors.As(err, &refused):
		fields = refused.Errors
	case errors.As(err, &known):
		fields = known.Fields
	}
	wrong := map[string]string{}
	for _, f := range fields {
		name := f.Location[strings.LastIndexByte(f.Location, '.')+1:]
		name, _, _ = strings.Cut(name, "[")
		wrong[name] = f.Message
	}
	return wrong
}

// form makes the form with the values, and the code for the same request.
func (d *trials) form(values url.Values, wrong map[string]string) view {
	given := d.given(values)
	var first []field
	var groups []fieldGroup
	inbox := false
	for _, group := range d.groups {
		one := fieldGroup{Title: group.Title}
		for _, f := range group.Fields {
			if slices.Contains(notInForm[:], f.Name) {
				continue
			}
			shown := field{Field: f, Value: strings.Join(given[f.Name], "\n"), Wrong: wrong[f.Name], Long: isLong(f)}
			if f.Name == "callback_url" && shown.Value == savepage.InboxURL {
				shown.Value, inbox = "", true // the box says so
			}
			if slices.Contains(usual[:], f.Name) {
				first = append(first, shown)
				continue
			}
			one.Fields = append(one.Fields, shown)
			one.Open = one.Open || shown.Value != "" || shown.Wrong != ""
		}
		if len(one.Fields) > 0 {
			groups = append(groups, one)
		}
	}
	slices.SortStableFunc(first, func(a, b field) int { return slices.Index(usual[:], a.Name) - slices.Index(usual[:], b.Name) })
	v := view{"Title": "Playground", "First": first, "Groups": groups, "Wrong": wrong, "Devices": savepage.Devices(), "MyInbox": inbox}
	link := playgroundAddress(given, nil)
	options, err := d.options(given)
	if err != nil {
		options = map[string]any{}
		for name, all := range given {
			options[name] = all[0]
		}
	}
	if !given.Has("url") && !given.Has("html") {
		options["url"] = "https://example.com"
		given.Set("url", "https://example.com") // for the command line
	}
	v["Snippets"] = snippets(d.config.PublicURL, options, flagsOf(given, d.groups))
	v["Link"] = link
	return v
}

// documents are the options that are texts of any length. A link to the playground lacks them first.
var documents = [...]string{"html", "js", "css", "pdf_header", "pdf_footer"}

func isDocument(name string) bool { return slices.Contains(documents[:], name) }

func isLong(f api.Field) bool {
	isStructure := f.Kind == api.KindHeaders || f.Kind == api.KindCookies || f.Kind == api.KindMetadata
	return isStructure || isDocument(f.Name) || f.Kind == api.KindList && len(f.Enum) == 0
}

// playgroundAddress is a link that keeps the options, and more. Texts that are too long for an address are left out.
func playgroundAddress(given, more url.Values) string {
	kept := maps.Clone(given)
	maps.Copy(kept, more)
	for _, name := range documents {
		if len(kept.Encode()) > maxAddress {
			kept.Del(name)
		}
	}
	return withQuery(Prefix+"playground", kept)
}

// flagsOf are the options as a command line has them.
func flagsOf(given url.Values, groups []api.OptionGroup) []string {
	var flags []string
	for _, group := range groups {
		for _, f := range group.Fields {
			for _, value := range given[f.Name] {
				name := "--" + strings.ReplaceAll(f.Name, "_", "-")
				switch {
				case f.Name == "url":
					flags = append([]string{site.Quoted(value)}, flags...)
				case f.Kind == api.KindBoolean && value == "true":
					flags = append(flags, name)
				default:
					flags = append(flags, name, site.Quoted(value))
				}
			}
		}
	}
	return flags
}

// pythonText writes a value of JSON as Python has it.
func pythonText(v any, indent string) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case []any:
		parts := make([]string, 0, len(v))
		for _, one := range v {
			parts = append(parts, pythonText(one, indent+"    "))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var b strings.Builder
		b.WriteString("{\n")
		for _, name := range sortedKeys(v) {
			b.WriteString(indent + "    " + strconv.Quote(name) + ": " + pythonText(v[name], indent+"    ") + ",\n")
		}
		return b.String() + indent + "}"
	}
	return jsonText(v)
}
