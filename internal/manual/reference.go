package manual

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/site"
)

// document is what the reference reads of the OpenAPI document.
type document struct {
	Info  struct{ Description string }
	Tags  []struct{ Name, Description string }
	Paths map[string]map[string]operation

	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []parameter
	RequestBody                       *body
	Responses                         map[string]body
	Security                          []map[string][]string

	Method, Path string
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Example               any
	Schema                schema
}

type body struct {
	Description string
	Content     map[string]media
}

type media struct {
	Schema   schema
	Example  json.RawMessage
	Examples map[string]struct {
		Summary string
		Value   json.RawMessage
	}
}

// reference is the page of a tag.
type reference struct {
	Description string
	Operations  []described
}

// described is an operation as a page shows it.
type described struct {
	operation

	Scopes   string // that a key needs one of
	Query    bool   // every option can stand in the query
	Fields   string // name of the schema of its body
	Requests []request
	Answers  []answer
}

type request struct{ Title, Text, Playground string }

type answer struct{ Status, Description, MediaType, Text, Schema string }

// addReference makes a page of each tag, and one of the schemas.
func addReference(s *book) error {
	var d document
	if err := json.Unmarshal(s.config.Document, &d); err != nil {
		return fmt.Errorf("read the OpenAPI document: %w", err)
	}
	options := map[string]bool{}
	for _, f := range api.OptionFields() {
		options[f.Name] = true
	}
	for _, tag := range d.Tags {
		content := reference{Description: tag.Description}
		p := &page{Address: Prefix + "/reference/" + slug(tag.Name), Title: tag.Name, Lede: tag.Description, layout: "reference"}
		for _, op := range d.operationsOf(tag.Name) {
			one := describe(op, options)
			content.Operations = append(content.Operations, one)
			p.Parts = append(p.Parts, part{op.OperationID, op.Summary})
			s.index.add(op.Method+" "+op.Path, tag.Name+" · "+op.Summary, p.Address+"#"+op.OperationID, op.Summary+". "+op.Description)
		}
		p.content = content
		s.add(groupAPI, p)
	}
	addSchemas(s, d)
	return nil
}

// operationsOf are the operations of a tag, in the order of their paths, those of /v1 first.
func (d document) operationsOf(tag string) []operation {
	var found []operation
	paths := slices.Sorted(maps.Keys(d.Paths))
	slices.SortStableFunc(paths, func(a, b string) int {
		return cmp.Compare(strings.Index(b, "/v1"), strings.Index(a, "/v1")) // 0, or -1 for the others
	})
	for _, path := range paths {
		for _, method := range []string{"post", "get", "patch", "delete"} {
			op, there := d.Paths[path][method]
			if there && slices.Contains(op.Tags, tag) {
				op.Method, op.Path = strings.ToUpper(method), path
				found = append(found, op)
			}
		}
	}
	return found
}

func describe(op operation, options map[string]bool) described {
	one := described{operation: op}
	one.Scopes = op.scopes()
	one.Query = slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "query" && p.Name == "fullpage" })
	if one.Query {
		one.Parameters = slices.DeleteFunc(slices.Clone(op.Parameters), func(p parameter) bool { return options[p.Name] })
	}
	one.Requests = requestsOf(op, one.Query)
	if op.RequestBody != nil {
		one.Fields = op.RequestBody.Content["application/json"].Schema.name()
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		one.Answers = append(one.Answers, answersOf(status, op.Responses[status])...)
	}
	return one
}

// scopes are those of which a key needs one.
func (o operation) scopes() string {
	var scopes []string
	for _, way := range o.Security {
		scopes = append(scopes, way["key"]...)
	}
	return strings.Join(scopes, " or ")
}

// requestsOf are the examples of requests.
func requestsOf(op operation, capture bool) []request {
	address, query, key := op.Path, url.Values{}, op.scopes() != ""
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			address = strings.ReplaceAll(address, "{"+p.Name+"}", fmt.Sprint(p.Example))
		case p.In == "query" && (p.Required || capture && p.Name == "url"):
			query.Set(p.Name, fmt.Sprint(p.Example))
		}
	}
	if op.RequestBody == nil {
		one := request{Text: curlOf(key, op.Method, address, query, "")}
		if capture && op.OperationID == "captureByQuery" {
			one.Playground = playground(map[string]any{"url": query.Get("url")})
		}
		return []request{one}
	}
	in := op.RequestBody.Content["application/json"]
	if len(in.Example) > 0 {
		return []request{{Text: curlOf(key, op.Method, address, query, site.JSON(in.Example, ""))}}
	}
	var all []request
	for _, name := range slices.Sorted(maps.Keys(in.Examples)) {
		shown := in.Examples[name]
		one := request{Title: shown.Summary, Text: curlOf(key, op.Method, address, query, site.JSON(shown.Value, ""))}
		given := map[string]any{}
		if in.Schema.name() == "Options" && json.Unmarshal(shown.Value, &given) == nil {
			one.Playground = playground(given)
		}
		all = append(all, one)
	}
	return all
}

// answersOf are the answers with a status: one for each media type that has an example, else one for all of them.
func answersOf(status string, b body) []answer {
	var all []answer
	var others []string
	for _, mediaType := range slices.Sorted(maps.Keys(b.Content)) {
		in := b.Content[mediaType]
		if len(in.Example) == 0 {
			others = append(others, mediaType)
			continue
		}
		all = append(all, answer{status, b.Description, mediaType, indented(in.Example), in.Schema.name()})
	}
	if len(others) > 0 || len(all) == 0 {
		all = append(all, answer{Status: status, Description: b.Description, MediaType: strings.Join(others, ", ")})
	}
	return all
}

// indented is JSON for people; a text stays as it is.
func indented(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return string(raw)
	}
	return out.String()
}

// schemas is the page of everything that bodies and answers are made of.
type schemas []named

type named struct {
	Name   string
	Fields []field
}

type field struct {
	Name, Type, Schema, Doc string
	Always                  bool
}

func addSchemas(s *book, d document) {
	p := &page{Address: Prefix + "/reference/schemas", Title: "Schemas", Lede: "What bodies and answers are made of.", layout: "schemas"}
	var content schemas
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		if name == "Options" {
			continue // has a page
		}
		one, of := named{Name: name}, d.Components.Schemas[name]
		for _, property := range slices.Sorted(maps.Keys(of.Properties)) {
			is := of.Properties[property]
			one.Fields = append(one.Fields, field{
				Name: property, Type: is.kind(), Schema: is.name(), Doc: is.Description, Always: slices.Contains(of.Required, property),
			})
		}
		content = append(content, one)
		p.Parts = append(p.Parts, part{name, name})
		s.index.add(name, "Schemas", p.Address+"#"+name, strings.Join(slices.Sorted(maps.Keys(of.Properties)), " "))
	}
	p.content = content
	s.add(groupAPI, p)
}

// schema is what the reference reads of a schema.
type schema struct {
	Ref         string `json:"$ref"`
	Type        any
	Format      string
	Description string
	Enum        []any
	Items       *schema
	Properties  map[string]schema
	Required    []string
	AnyOf       []schema
	OneOf       []schema
}

// name is the name of the schema that this one refers to, itself or by its items; empty for none.
func (s schema) name() string {
	if s.Ref != "" {
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	}
	if s.Items != nil {
		return s.Items.name()
	}
	for _, one := range s.AnyOf {
		if name := one.name(); name != "" {
			return name
		}
	}
	return ""
}

// kind is the type in words.
func (s schema) kind() string {
	switch {
	case s.Ref != "":
		return s.name()
	case len(s.Enum) > 0:
		var words []string
		for _, word := range s.Enum {
			words = append(words, fmt.Sprint(word))
		}
		return strings.Join(words, ", ")
	case s.Items != nil:
		return "list of " + s.Items.kind()
	case len(s.AnyOf)+len(s.OneOf) > 0:
		var kinds []string
		for _, one := range slices.Concat(s.AnyOf, s.OneOf) {
			kinds = append(kinds, one.kind())
		}
		return strings.Join(kinds, " or ")
	}
	kinds, isList := s.Type.([]any)
	if !isList {
		kinds = []any{cmp.Or(fmt.Sprint(s.Type), "any")}
	}
	var words []string
	for _, one := range kinds {
		words = append(words, fmt.Sprint(one))
	}
	if s.Format != "" {
		words[0] += " (" + s.Format + ")"
	}
	return strings.Join(words, " or ")
}
