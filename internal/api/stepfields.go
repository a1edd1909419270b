package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/savepage/savepage"
)

// newStepsField describes a list of steps.
func newStepsField(f Field, s *huma.Schema) Field {
	f.Range = "at most " + strconv.Itoa(*s.MaxItems)
	f.item = `must be an object such as {"type":"click","selector":"#open"}`
	f.expect = `must be a list of steps such as [{"type":"click","selector":"#open"}], ` + f.Range
	f.sort = f.expect
	return f
}

// StepFields lists the members of a step.
func StepFields() []Field { return stepFields(newRegistry()) }

func stepFields(r huma.Registry) []Field {
	step := reflect.TypeFor[savepage.Step]()
	schema := r.SchemaFromRef(r.Schema(step, true, "Step").Ref)
	fields := make([]Field, 0, step.NumField())
	for i := range step.NumField() {
		name, _, _ := strings.Cut(step.Field(i).Tag.Get("json"), ",")
		fields = append(fields, newField(i, name, step.Field(i), schema.Properties[name]))
	}
	return fields
}

// rewordStep returns the message of a schema error in the steps, in one of them, or in a member of one.
func (d *Decoder) rewordStep(steps Field, carrier string, detail *huma.ErrorDetail) string {
	if text, isText := detail.Value.(string); detail.Location == at(carrier, steps.Name) {
		if isText {
			return steps.expect + jsonFault(text)
		}
		return steps.expect
	}
	name, isMember := memberOf(detail.Location)
	switch {
	case !isMember && detail.Message == validation.MsgExpectedObject:
		return steps.item
	case !isMember:
		return "must have a type, which is " + d.steps["type"].Range
	case detail.Message == validation.MsgUnexpectedProperty:
		return unknownName("member of a step", name, slices.Sorted(maps.Keys(d.steps)))
	case detail.Message == validation.MsgExpectedInteger, detail.Message == validation.MsgExpectedNumber,
		detail.Message == validation.MsgExpectedString:
		return d.steps[name].sort
	default:
		return d.steps[name].expect
	}
}

// memberOf is the name of a step's member at a location such as body.steps[1].selector.
func memberOf(location string) (string, bool) {
	_, name, found := strings.Cut(location[strings.LastIndexByte(location, '[')+1:], "].")
	return name, found
}

// jsonFault is the end of a message that says where a text stops being JSON; empty when it is JSON.
func jsonFault(text string) string {
	var any json.RawMessage
	err := json.Unmarshal([]byte(text), &any)
	syntax, known := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return ""
	case known && syntax.Offset < int64(len(text)):
		return fmt.Sprintf("; the text is not valid JSON at character %d: %v", syntax.Offset, syntax)
	default:
		return "; the text is not valid JSON: it ends early"
	}
}
