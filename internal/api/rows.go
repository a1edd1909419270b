package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/savepage/savepage"
)

// over returns o with top laid over it. A url of top takes the place of html in o, and the other way round.
func (o object) over(top object) object {
	both := object{values: maps.Clone(o.values), raw: maps.Clone(o.raw)}
	for one, other := range map[string]string{"url": "html", "html": "url"} {
		if _, given := top.values[one]; given {
			delete(both.values, other)
			delete(both.raw, other)
		}
	}
	for name, value := range top.values {
		delete(both.raw, name) // what belonged to the other value
		both.values[name] = value
	}
	maps.Copy(both.raw, top.raw)
	return both
}

// without returns o without the options that errors name.
func (o object) without(carrier string, wrong []savepage.FieldError) object {
	rest := object{values: maps.Clone(o.values), raw: maps.Clone(o.raw)}
	for _, field := range wrong {
		name := topName(carrier, field.Location)
		delete(rest.values, name)
		delete(rest.raw, name)
	}
	return rest
}

// alone checks options that are common to several captures: they need not name a page or a receiver.
func (d *Decoder) alone(carrier string, o object) (savepage.Options, []savepage.FieldError) {
	const somewhere = "https://example.com/"
	_, url := o.values["url"]
	_, html := o.values["html"]
	if !url && !html {
		o = o.over(object{values: map[string]any{"url": somewhere}})
	}
	if _, given := o.values["callback_url"]; !given {
		o = o.over(object{values: map[string]any{"callback_url": somewhere}})
	}
	options, err := d.decode(carrier, o, nil)
	return options, fieldsIn(err)
}

// fieldsIn returns the fields of an error.
func fieldsIn(err error) []savepage.FieldError {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		return fault.Fields
	}
	return nil
}

// Common are options that a list of captures shares, given as text by their wire names.
type Common struct {
	decoder *Decoder
	options object
}

// NewCommon checks the options that a list of captures shares. Fields of the returned *savepage.Error contains every invalid
// one by its bare name.
func NewCommon(values map[string][]string) (Common, error) {
	c := Common{decoder: NewDecoder(), options: object{values: map[string]any{}, raw: map[string]json.RawMessage{}}}
	for name, texts := range values {
		if f := c.decoder.fields[name]; f.Kind == KindList {
			c.options.coerceList(f, name, texts)
		} else {
			c.options.coerce(f.Kind, name, texts[0])
		}
	}
	if _, wrong := c.decoder.alone("", c.options); len(wrong) > 0 {
		return Common{}, invalid(wrong)
	}
	return c, nil
}

// Row reads one capture of the list, a URL or a JSON object of options, whose options override the common ones. The result
// has its defaults filled in, but for the timeout.
func (c Common) Row(text string) (savepage.Options, error) {
	text = strings.TrimSpace(text)
	row := object{values: map[string]any{"url": text}}
	if strings.HasPrefix(text, "{") {
		var err error
		if row, err = parseObject([]byte(text)); err != nil {
			return savepage.Options{}, savepage.Errorf(savepage.CodeInvalidRequest, "the line %v", err)
		}
	}
	return c.decoder.decode("", c.options.over(row), nil)
}

// rowsOf splits a JSON list whose values are known already into the objects of its items. An item that is not an object has
// no values.
func rowsOf(values []any, raw json.RawMessage) ([]object, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) != len(values) {
		return nil, fmt.Errorf("split the list: %w", err)
	}
	rows := make([]object, len(values))
	for i, value := range values {
		members, isObject := value.(map[string]any)
		if !isObject {
			continue
		}
		rows[i] = object{values: members, raw: map[string]json.RawMessage{}}
		if err := json.Unmarshal(texts[i], &rows[i].raw); err != nil {
			return nil, fmt.Errorf("split item %d: %w", i, err)
		}
	}
	return rows, nil
}
