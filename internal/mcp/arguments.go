package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/near"
)

// arguments are those of a call. Each is taken by who reads it; a fault of one does not hide those of the others.
type arguments struct {
	given map[string]json.RawMessage
	wrong []savepage.FieldError
}

func readArguments(text []byte) (*arguments, error) {
	a := &arguments{given: map[string]json.RawMessage{}}
	if len(text) > 0 && json.Unmarshal(text, &a.given) != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "arguments is %s: must be an object", shown(text))
	}
	return a, nil
}

// take removes an argument and returns its value; nil for none, and for null.
func (a *arguments) take(name string) json.RawMessage {
	value := a.given[name]
	delete(a.given, name)
	if string(value) == "null" {
		return nil
	}
	return value
}

// refuse notes what is wrong with a value.
func (a *arguments) refuse(name string, value json.RawMessage, must string) {
	a.wrong = append(a.wrong, savepage.FieldError{Location: name, Message: must, Value: value})
}

// integer takes a whole number of a range into to.
func (a *arguments) integer(name string, to *int, least, most int) {
	value := a.take(name)
	if value == nil {
		return
	}
	var number float64 // some clients write 800.0
	if json.Unmarshal(value, &number) != nil || number != math.Trunc(number) || number < float64(least) || number > float64(most) {
		must := fmt.Sprintf("must be an integer from %d to %d", least, most)
		if most == noMost {
			must = fmt.Sprintf("must be an integer of at least %d", least)
		}
		a.refuse(name, value, must)
		return
	}
	*to = int(number)
}

// boolean takes true or false.
func (a *arguments) boolean(name string, to *bool) {
	if value := a.take(name); value != nil && json.Unmarshal(value, to) != nil {
		a.refuse(name, value, "must be true or false")
	}
}

// text takes a string.
func (a *arguments) text(name string) (text string) {
	if value := a.take(name); value != nil && (json.Unmarshal(value, &text) != nil || text == "") {
		a.refuse(name, value, "must be a string that is not empty")
	}
	return text
}

// urls takes the list of pages.
func (a *arguments) urls() (list []string) {
	var all []json.RawMessage
	value := a.take("urls")
	if value == nil || json.Unmarshal(value, &all) != nil || len(all) == 0 || len(all) > maxBatch {
		must := fmt.Sprintf("must be a list of 1 to %d URLs", maxBatch)
		if len(all) > maxBatch {
			must += fmt.Sprintf("; it has %d", len(all))
			value = nil
		}
		a.refuse("urls", value, must)
		return nil
	}
	for i, one := range all {
		var url string
		if json.Unmarshal(one, &url) != nil {
			a.refuse(fmt.Sprintf("urls[%d]", i), one, "must be a string")
		}
		list = append(list, url)
	}
	return list
}

// add notes what an error says of fields.
func (a *arguments) add(err error) {
	fault, known := errors.AsType[*savepage.Error](err)
	switch {
	case err == nil:
	case known && len(fault.Fields) > 0:
		a.wrong = append(a.wrong, fault.Fields...)
	default:
		a.wrong = append(a.wrong, savepage.FieldError{Location: "options", Message: err.Error()})
	}
}

// nothingElse refuses arguments that nobody has taken.
func (a *arguments) nothingElse(known ...string) {
	for name, value := range a.given {
		hint := near.Hint(name, known)
		if hint == "" {
			hint = "; known are " + strings.Join(known, ", ")
		}
		a.refuse(cut(name, maxName), value, "there is no such argument"+hint)
	}
}

// fault is the error for everything that is wrong; nil for nothing.
func (a *arguments) fault() error {
	if len(a.wrong) == 0 {
		return nil
	}
	slices.SortFunc(a.wrong, func(one, other savepage.FieldError) int { return strings.Compare(one.Location, other.Location) })
	return &savepage.Error{Code: savepage.CodeInvalidRequest, Message: "arguments are not valid", Fields: a.wrong}
}

// line is what a model reads about a field: which, with which value, and what it must be.
func line(f savepage.FieldError) string {
	name := cut(strings.TrimPrefix(f.Location, "body."), maxName)
	if value := shown(f.Value); value != "" {
		name += " is " + value
	}
	return cut(name+": "+f.Message, maxLine)
}

// shown is a value as JSON, shortened; empty for none.
func shown(value any) string {
	raw, is := value.(json.RawMessage)
	if text, isText := value.([]byte); isText {
		raw, is = text, true
	}
	switch {
	case is && len(raw) == 0 || value == nil:
		return ""
	case is:
		var packed bytes.Buffer
		if json.Compact(&packed, raw) == nil {
			raw = packed.Bytes()
		}
		return cut(string(raw), maxName)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return cut(string(text), maxName)
}
