package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// optionsSchema is the schema of savepage.Options, with the texts of the manual. It takes aliases of formats too, which no
// answer contains.
func optionsSchema(r huma.Registry) *huma.Schema {
	schema := r.Schema(reflect.TypeFor[savepage.Options](), true, "Options")
	schema = r.SchemaFromRef(schema.Ref)
	for name, property := range schema.Properties {
		property.Description = savepage.OptionDoc(name)
	}
	var formats []string
	for _, row := range savepage.Formats() {
		formats = append(formats, formatNames(row)...)
	}
	format := schema.Properties["format"]
	format.Enum = wordsSchema(formats).Enum
	format.PrecomputeMessages()
	return schema
}

// formatNames are the names that a request may give for a format.
func formatNames(row savepage.FormatInfo) []string {
	names := []string{string(row.Format)}
	for _, alias := range row.Aliases {
		names = append(names, string(alias))
	}
	return names
}

// mayBeNull has properties of a schema be null, which the generator cannot say of objects and of schemas made by hand.
func mayBeNull(r huma.Registry, schema string, properties ...string) {
	s := r.SchemaFromRef("#/components/schemas/" + schema)
	for _, name := range properties {
		p := *s.Properties[name]
		description := p.Description
		p.Description = ""
		s.Properties[name] = &huma.Schema{Description: description, AnyOf: []*huma.Schema{&p, {Type: "null"}}}
	}
}

// tellDefaults writes the defaults of bodies into their descriptions. In the schemas, generated clients would ask for them or
// send them, and an option that is sent overrides the device.
func tellDefaults(r huma.Registry) {
	for _, schema := range r.Map() {
		for _, p := range schema.Properties {
			if p.Default != nil {
				p.Description, p.Default = withDefault(p.Description, fmt.Sprint(reflect.Indirect(reflect.ValueOf(p.Default)))), nil
			}
		}
	}
}

// withDefault is a description that tells a default, if there is one.
func withDefault(doc, value string) string {
	if value == "" {
		return doc
	}
	return doc + " Default: " + value + "."
}

// wordsSchema is a string that is one of several words.
func wordsSchema[T ~string](words []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, word := range words {
		s.Enum = append(s.Enum, string(word))
	}
	s.PrecomputeMessages()
	return s
}

// formatSchema stands for savepage.Format in schemas.
type formatSchema string

// Schema lists the formats that pictures have.
func (formatSchema) Schema(huma.Registry) *huma.Schema {
	var formats []savepage.Format
	for _, row := range savepage.Formats() {
		formats = append(formats, row.Format)
	}
	return wordsSchema(formats)
}

// resourceSchema stands for savepage.Resource in schemas.
type resourceSchema string

// Schema lists the kinds of resources.
func (resourceSchema) Schema(huma.Registry) *huma.Schema { return wordsSchema(savepage.Resources()) }

// outcomeSchema stands for savepage.AttemptOutcome in schemas.
type outcomeSchema string

// Schema lists the outcomes of an attempt.
func (outcomeSchema) Schema(huma.Registry) *huma.Schema {
	return wordsSchema(savepage.AttemptOutcomes())
}

// endedStatesSchema stands for EndedStates in schemas.
type endedStatesSchema string

// Schema lists the states that a delivery may have ended in.
func (endedStatesSchema) Schema(huma.Registry) *huma.Schema { return wordsSchema(endedStates()) }

// inboxAnswerSchema stands for savepage.InboxAnswer in schemas.
type inboxAnswerSchema string

// Schema lists the answers of an inbox.
func (inboxAnswerSchema) Schema(huma.Registry) *huma.Schema {
	return wordsSchema(savepage.InboxAnswers())
}

// inboxEventTypeSchema stands for savepage.InboxEventType in schemas.
type inboxEventTypeSchema string

// Schema lists the types of events in an inbox.
func (inboxEventTypeSchema) Schema(huma.Registry) *huma.Schema {
	return wordsSchema(savepage.InboxEventTypes())
}

// failureSchema stands for savepage.Failure in schemas.
type failureSchema string

// Schema lists what fail_on takes.
func (failureSchema) Schema(huma.Registry) *huma.Schema { return wordsSchema(savepage.Failures()) }

// wallSchema stands for savepage.Wall in schemas.
type wallSchema string

// Schema lists the walls.
func (wallSchema) Schema(huma.Registry) *huma.Schema { return wordsSchema(savepage.Walls()) }

// stepTypeSchema stands for savepage.StepType in schemas.
type stepTypeSchema string

// Schema lists the types of steps.
func (stepTypeSchema) Schema(huma.Registry) *huma.Schema { return wordsSchema(savepage.StepTypes()) }

// cookiesSchema stands for savepage.Cookies in schemas.
type cookiesSchema struct{}

// Schema describes a list of cookies or the text of a Cookie header.
func (cookiesSchema) Schema(r huma.Registry) *huma.Schema {
	return either(
		&huma.Schema{Type: huma.TypeString, Description: `The text of a Cookie header: "a=1; b=2".`},
		&huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[savepage.Cookie](), true, "Cookie")},
	)
}

// clipSchema stands for savepage.Clip in schemas.
type clipSchema struct{}

// Schema describes an object of four whole numbers or a text of them.
func (clipSchema) Schema(huma.Registry) *huma.Schema {
	return objectOrText(reflect.TypeFor[savepage.Clip](), huma.TypeInteger, "x,y,width,height")
}

// placeSchema stands for savepage.Geolocation in schemas.
type placeSchema struct{}

// Schema describes an object of two or three numbers or a text of them.
func (placeSchema) Schema(huma.Registry) *huma.Schema {
	return objectOrText(reflect.TypeFor[savepage.Geolocation](), huma.TypeNumber, "latitude,longitude or latitude,longitude,accuracy")
}

// storeToSchema stands for savepage.StoreTo in schemas.
type storeToSchema struct{}

// Schema describes an object or the text of its name and key.
func (storeToSchema) Schema(r huma.Registry) *huma.Schema {
	type object savepage.StoreTo // its own name is that of this schema
	s := huma.SchemaFromType(r, reflect.TypeFor[object]())
	const places = "name or name/key. A key may have {id}, {format}, {host}, {date}, {year}, {month} and {day}."
	return either(&huma.Schema{Type: huma.TypeString, Description: places}, s)
}

// objectOrText describes a struct of numbers that can also be written as a text. The ranges stand only in words: they are
// checked by the options themselves, so that an error names the one that is wrong.
func objectOrText(t reflect.Type, number, text string) *huma.Schema {
	object := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for field := range t.Fields() {
		name, optional, _ := strings.Cut(field.Tag.Get("json"), ",")
		object.Properties[name] = &huma.Schema{
			Type: number, Description: field.Tag.Get("doc") + " From " + field.Tag.Get("minimum") + " to " + field.Tag.Get("maximum") + ".",
		}
		if optional == "" {
			object.Required = append(object.Required, name)
		}
	}
	return either(&huma.Schema{Type: huma.TypeString, Description: text}, object)
}

// metadataSchema stands for savepage.Metadata in schemas.
type metadataSchema struct{}

// Schema describes a text or a flat map.
func (metadataSchema) Schema(huma.Registry) *huma.Schema {
	scalar := either(&huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeNumber}, &huma.Schema{Type: huma.TypeBoolean})
	return either(
		&huma.Schema{Type: huma.TypeString},
		&huma.Schema{Type: huma.TypeObject, AdditionalProperties: scalar},
	)
}

func either(alternatives ...*huma.Schema) *huma.Schema {
	for _, one := range alternatives {
		one.PrecomputeMessages()
	}
	s := &huma.Schema{OneOf: slices.Clip(alternatives)}
	s.PrecomputeMessages()
	return s
}
