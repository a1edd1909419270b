package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Kind is how an option is written in a query, a form or a flag.
type Kind string

// The kinds of options.
const (
	KindText     Kind = "string"
	KindInteger  Kind = "integer"
	KindNumber   Kind = "number"
	KindBoolean  Kind = "boolean"
	KindHeaders  Kind = "headers"  // a JSON object with string values
	KindCookies  Kind = "cookies"  // the value of a Cookie header, or a JSON list
	KindMetadata Kind = "metadata" // a string, or a JSON object
	KindClip     Kind = "x,y,w,h"  // four numbers, or a JSON object
	KindPlace    Kind = "lat,lon"  // two or three numbers, or a JSON object
	KindStore    Kind = "name/key" // a store and a key, or a JSON object
	KindList     Kind = "list"     // given several times, or a JSON list; fixed words also with commas
	KindSteps    Kind = "steps"    // a JSON list of objects
	KindAssets   Kind = "assets"   // a JSON list of objects
)

// Field describes an option, as read from the tags of savepage.Options.
type Field struct {
	Name    string   // as on the wire: wait_for_selector
	Kind    Kind     // how to write it
	Enum    []string // the allowed texts, if it has a fixed set
	Default string   // as text; empty for none
	Range   string   // "from 320 to 3840", "one of png, jpeg", "at most 2048 characters"; empty for none
	Doc     string   // one or two sentences
	Example string   // as it would be given; empty for none
	Secret  bool     // never returned

	index  int    // in savepage.Options
	expect string // message for an invalid value: "must be …"
	sort   string // message for a value of another type
	item   string // message for an invalid member of a list
	texts  bool   // a list of which one member alone can be written as a string
}

// OptionFields lists every option in the order of savepage.Options.
func OptionFields() []Field { return slices.Clone(optionFields()) }

// optionFields are made once: every flag of a command line asks for them.
//
//nolint:gochecknoglobals // it does not change
var optionFields = sync.OnceValue(func() []Field {
	_, fields := describe(newRegistry())
	return fields
})

// newRegistry makes a schema registry that knows the types whose JSON is not that of their fields.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Cookies](), reflect.TypeFor[cookiesSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Clip](), reflect.TypeFor[clipSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Geolocation](), reflect.TypeFor[placeSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.StoreTo](), reflect.TypeFor[storeToSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Metadata](), reflect.TypeFor[metadataSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Format](), reflect.TypeFor[formatSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Resource](), reflect.TypeFor[resourceSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.AttemptOutcome](), reflect.TypeFor[outcomeSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[EndedStates](), reflect.TypeFor[endedStatesSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.InboxAnswer](), reflect.TypeFor[inboxAnswerSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.InboxEventType](), reflect.TypeFor[inboxEventTypeSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Failure](), reflect.TypeFor[failureSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Wall](), reflect.TypeFor[wallSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.Addressing](), reflect.TypeFor[addressingSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[savepage.StepType](), reflect.TypeFor[stepTypeSchema]())
	return r
}

// describe generates the schema of savepage.Options, and the fields from it.
func describe(r huma.Registry) (*huma.Schema, []Field) {
	options := reflect.TypeFor[savepage.Options]()
	schema := optionsSchema(r)
	fields := make([]Field, 0, options.NumField())
	for i := range options.NumField() {
		name, _, _ := strings.Cut(options.Field(i).Tag.Get("json"), ",")
		fields = append(fields, newField(i, name, options.Field(i), schema.Properties[name]))
	}
	return schema, fields
}

func newField(index int, name string, sf reflect.StructField, s *huma.Schema) Field {
	f := Field{Name: name, index: index, Doc: s.Description, Kind: kindOf(sf.Type), Default: sf.Tag.Get("default"), Secret: s.WriteOnly}
	f.Example = exampleOf(sf.Tag.Get("example"))
	f.texts = sf.Type == reflect.TypeFor[savepage.Texts]()
	switch f.Kind {
	case KindList:
		return newListField(f, s)
	case KindSteps:
		return newStepsField(f, s)
	case KindAssets:
		return newAssetsField(f, s)
	default:
	}
	f.Enum = words(s)
	f.Range = rangeOf(s, f.Enum)
	f.sort = sortOf(f.Kind)
	f.expect = f.sort
	if f.Range != "" {
		f.expect = "must be " + f.Range
		if f.Kind == KindInteger || f.Kind == KindNumber {
			f.sort += " " + f.Range
		}
		if len(f.Enum) > 0 {
			f.sort = f.expect
		}
	}
	return f
}

// newListField describes a list of strings. Its range is the number of strings and the range of each.
func newListField(f Field, s *huma.Schema) Field {
	f.Enum = words(s.Items)
	one := rangeOf(s.Items, f.Enum)
	f.item = "must be " + one
	f.Range = one
	if s.MaxItems != nil {
		f.Range = "at most " + strconv.Itoa(*s.MaxItems) + ", each " + one
	}
	f.expect = "must be a list of strings, " + f.Range
	f.sort = f.expect
	return f
}

// exampleOf is the value of an example tag, which is JSON for everything but a string: a string in quotes is one that
// stands for a structure.
func exampleOf(tag string) string {
	var text string
	if json.Unmarshal([]byte(tag), &text) == nil {
		return text
	}
	return tag
}

func words(s *huma.Schema) []string {
	var all []string
	for _, one := range s.Enum {
		all = append(all, fmt.Sprint(one))
	}
	return all
}

func kindOf(t reflect.Type) Kind {
	if t == reflect.TypeFor[*bool]() {
		return KindBoolean
	}
	switch t {
	case reflect.TypeFor[savepage.Headers]():
		return KindHeaders
	case reflect.TypeFor[savepage.Cookies]():
		return KindCookies
	case reflect.TypeFor[savepage.Metadata]():
		return KindMetadata
	case reflect.TypeFor[*savepage.Clip]():
		return KindClip
	case reflect.TypeFor[*savepage.Geolocation]():
		return KindPlace
	case reflect.TypeFor[*savepage.StoreTo]():
		return KindStore
	case reflect.TypeFor[[]savepage.Step]():
		return KindSteps
	case reflect.TypeFor[[]savepage.Asset]():
		return KindAssets
	}
	switch t.Kind() {
	case reflect.Slice:
		return KindList
	case reflect.Int:
		return KindInteger
	case reflect.Float64:
		return KindNumber
	case reflect.Bool:
		return KindBoolean
	default:
		return KindText
	}
}

func sortOf(k Kind) string {
	switch k {
	case KindInteger:
		return "must be a whole number"
	case KindNumber:
		return "must be a number"
	case KindBoolean:
		return "must be true or false"
	case KindHeaders:
		return "must be an object with string values"
	case KindCookies:
		return `must be a list of {"name","value","domain","path"} or a string like "a=1; b=2"`
	case KindPlace:
		return `must be {"latitude","longitude","accuracy"} in numbers, or a string like "47.37,8.54"`
	case KindClip:
		return `must be {"x","y","width","height"} or a string like "0,100,800,600", in whole numbers`
	case KindStore:
		return `must be {"name","key","overwrite"} or a string like "archive/{id}.{format}"`
	case KindMetadata:
		return "must be a string or a flat object of strings, numbers and booleans"
	default:
		return "must be a string"
	}
}

func rangeOf(s *huma.Schema, enum []string) string {
	switch {
	case len(enum) > 0:
		return "one of " + strings.Join(enum, ", ")
	case s.Minimum != nil && s.Maximum != nil:
		return "from " + plain(*s.Minimum) + " to " + plain(*s.Maximum)
	case s.MinLength != nil && s.MaxLength != nil:
		return "from " + strconv.Itoa(*s.MinLength) + " to " + strconv.Itoa(*s.MaxLength) + " characters"
	case s.MaxLength != nil:
		return "at most " + strconv.Itoa(*s.MaxLength) + " characters"
	default:
		return ""
	}
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
