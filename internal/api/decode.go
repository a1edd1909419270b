package api

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/savepage/savepage"
)

// Decoder decodes savepage.Options from JSON, queries, forms and flags. It is safe for concurrent use.
type Decoder struct {
	registry huma.Registry
	schema   *huma.Schema
	fields   map[string]Field
	steps    map[string]Field // members of a step
	names    []string
	paths    sync.Pool // *huma.PathBuffer
}

// NewDecoder reads the rules from the tags of savepage.Options. Make one and keep it.
func NewDecoder() *Decoder {
	registry := newRegistry()
	schema, fields := describe(registry)
	d := &Decoder{registry: registry, schema: schema, fields: make(map[string]Field, len(fields)), steps: map[string]Field{}}
	for _, f := range fields {
		d.fields[f.Name] = f
		d.names = append(d.names, f.Name)
	}
	for _, f := range stepFields(registry) {
		d.steps[f.Name] = f
	}
	d.paths.New = func() any { return huma.NewPathBuffer(make([]byte, 0, 64), 0) }
	return d
}

// DecodeOptions reads options that were given as text, by their wire names; only lists may be given more than once. The
// result has its defaults filled in. Fields of the returned *savepage.Error contains every invalid option by its bare name.
func DecodeOptions(values map[string][]string) (savepage.Options, error) {
	return NewDecoder().Values("", values)
}

// JSON reads options from a JSON object. Locations in errors begin with "body.".
func (d *Decoder) JSON(body []byte) (savepage.Options, error) {
	o, err := parseObject(body)
	if err != nil {
		return savepage.Options{}, savepage.Errorf(savepage.CodeInvalidRequest, "the body %v", err)
	}
	return d.decode("body", o, nil)
}

// Values reads options that were given as text: a query, a form, flags. Locations in errors begin with the carrier and a
// dot, or are bare names when the carrier is empty.
func (d *Decoder) Values(carrier string, values map[string][]string) (savepage.Options, error) {
	o := object{values: make(map[string]any, len(values)), raw: map[string]json.RawMessage{}}
	var wrong []savepage.FieldError
	for name, texts := range values {
		if len(texts) == 0 {
			continue
		}
		if d.fields[name].Kind == KindList {
			o.coerceList(d.fields[name], name, texts)
			continue
		}
		if len(texts) > 1 {
			second := shown(d.fields[name], texts[1])
			wrong = append(wrong, savepage.FieldError{Location: at(carrier, name), Message: "must be given only once", Value: second})
		}
		o.coerce(d.fields[name].Kind, name, texts[0])
	}
	return d.decode(carrier, o, wrong)
}

// coerce turns text into the value that JSON would have. Text that does not fit stays text, and the schema refuses it.
func (o object) coerce(k Kind, name, text string) {
	o.values[name] = text
	switch k {
	case KindInteger, KindNumber:
		if number, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(number) && !math.IsInf(number, 0) {
			o.values[name] = number
		}
	case KindBoolean:
		switch strings.ToLower(text) {
		case "true", "1":
			o.values[name] = true
		case "false", "0":
			o.values[name] = false
		}
	case KindHeaders, KindCookies, KindMetadata, KindClip, KindPlace, KindStore, KindSteps, KindAssets:
		o.coerceJSON(k, name, text)
	default: // a text
	}
}

// coerceList makes a list of strings that were given one by one, each as it is or as a JSON list. Fixed words may also be
// separated by commas; other strings may contain commas.
func (o object) coerceList(f Field, name string, texts []string) {
	list := []any{}
	for _, text := range texts {
		trimmed := strings.TrimSpace(text)
		var several []any
		switch {
		case strings.HasPrefix(trimmed, "[") && json.Unmarshal([]byte(trimmed), &several) == nil:
			list = append(list, several...)
		case len(f.Enum) > 0:
			for word := range strings.SplitSeq(text, ",") {
				list = append(list, strings.TrimSpace(word))
			}
		default:
			list = append(list, text)
		}
	}
	o.values[name] = list
	if raw, err := json.Marshal(list); err == nil {
		o.raw[name] = raw
	}
}

// coerceJSON reads text as JSON if it looks like a list or an object, else as a string.
func (o object) coerceJSON(k Kind, name, text string) {
	trimmed := strings.TrimSpace(text)
	looksRight := strings.HasPrefix(trimmed, "{") ||
		slices.Contains([]Kind{KindCookies, KindSteps, KindAssets}, k) && strings.HasPrefix(trimmed, "[")
	if looksRight {
		wrapped, err := parseObject([]byte(`{"v":` + trimmed + `}`))
		if err == nil && len(wrapped.values) == 1 {
			o.values[name], o.raw[name] = wrapped.values["v"], wrapped.raw["v"]
			return
		}
	}
	quoted, err := json.Marshal(text)
	if err == nil {
		o.raw[name] = quoted
	}
}

// decode checks everything, so that one answer names every fault, and fills the options, but a timeout that is not given.
func (d *Decoder) decode(carrier string, o object, wrong []savepage.FieldError) (savepage.Options, error) {
	return d.decodeOver(carrier, savepage.Options{}, o, wrong)
}

// decodeOver decodes options over those that are common to several captures and were checked before: they are not looked at
// again, but for what concerns both.
func (d *Decoder) decodeOver(carrier string, common savepage.Options, o object, wrong []savepage.FieldError) (savepage.Options, error) {
	d.giveWay(&common, o)
	d.widen(o)
	wrong = append(wrong, d.dropUnknown(carrier, o)...)
	wrong = append(wrong, d.validate(carrier, o)...)
	bad := map[string]bool{}
	for _, field := range wrong {
		bad[topName(carrier, field.Location)] = true
	}
	options := common
	wrong = append(wrong, d.fill(carrier, &options, o, bad)...)
	timeout := options.Timeout
	options = options.WithDefaults()
	for _, field := range slices.Concat(options.ValidateFields(), checkTexts(options)) {
		if name := topName("", field.Location); !bad[name] && !bad[partner(name)] {
			field.Location = at(carrier, field.Location)
			wrong = append(wrong, field)
		}
	}
	if len(wrong) > 0 {
		return savepage.Options{}, invalid(wrong)
	}
	options.Timeout = timeout // 0 for none: the account's limit may shorten the default, and nothing else
	return options, nil
}

// widen makes a list of a single text where an option is one of texts.
func (d *Decoder) widen(o object) {
	for name, value := range o.values {
		text, alone := value.(string)
		if !alone || d.fields[name].Kind != KindList || !d.fields[name].texts {
			continue
		}
		if raw, err := json.Marshal([]string{text}); err == nil {
			o.values[name], o.raw[name] = []any{text}, raw
		}
	}
}

// giveWay removes from common options what o replaces, also by null. A url takes the place of html, and the other way round.
func (d *Decoder) giveWay(common *savepage.Options, o object) {
	if _, given := o.values["url"]; given {
		common.HTML = ""
	}
	if _, given := o.values["html"]; given {
		common.URL = ""
	}
	for name, value := range o.values {
		if f, known := d.fields[name]; known && value == nil {
			reflect.ValueOf(common).Elem().Field(f.index).SetZero()
		}
	}
}

// dropUnknown removes unknown members, and those that are null, which count as not given.
func (d *Decoder) dropUnknown(carrier string, o object) []savepage.FieldError {
	var wrong []savepage.FieldError
	for name, value := range o.values {
		_, known := d.fields[name]
		if known && value != nil {
			continue
		}
		delete(o.values, name)
		if !known && len(wrong) < maxWrong {
			message := unknownName("option", name, d.names)
			wrong = append(wrong, savepage.FieldError{Location: at(carrier, name), Message: message, Value: echo(value)})
		}
	}
	return wrong
}

// validate checks the values against the schema. It returns one error for each location, in the API's own words.
func (d *Decoder) validate(carrier string, o object) []savepage.FieldError {
	path := d.paths.Get().(*huma.PathBuffer)
	defer d.paths.Put(path)
	path.Reset()
	if carrier != "" {
		path.Push(carrier)
	}
	var result huma.ValidateResult
	// Option by option: the schema of them all asks for each of its options whether it was given.
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if of := d.schema.Properties[name]; of != nil {
			path.Push(name)
			huma.Validate(d.registry, of, path, huma.ModeWriteToServer, o.values[name], &result)
			path.Pop()
		}
	}
	var wrong []savepage.FieldError
	for _, err := range result.Errors[:min(len(result.Errors), maxWrong)] {
		detail, known := errors.AsType[*huma.ErrorDetail](err)
		if !known || slices.ContainsFunc(wrong, func(f savepage.FieldError) bool { return f.Location == detail.Location }) {
			continue
		}
		field := d.fields[topName(carrier, detail.Location)]
		wrong = append(wrong, savepage.FieldError{
			Location: detail.Location, Message: d.reword(field, carrier, detail), Value: shown(field, detail.Value),
		})
	}
	return wrong
}

// reword returns the message of a schema error.
func (d *Decoder) reword(f Field, carrier string, detail *huma.ErrorDetail) string {
	switch {
	case f.Kind == KindSteps:
		return d.rewordStep(f, carrier, detail)
	case f.Kind == KindAssets:
		return rewordAsset(f, carrier, detail)
	case detail.Location != at(carrier, f.Name): // a part of it
		if detail.Message == validation.MsgExpectedString {
			return "must be a string"
		}
		if f.Kind == KindList {
			return f.item
		}
		return detail.Message
	case detail.Message == validation.MsgExpectedInteger, detail.Message == validation.MsgExpectedNumber,
		detail.Message == validation.MsgExpectedString:
		return f.sort
	default:
		return f.expect
	}
}

// fill sets every option that is given and not bad.
func (d *Decoder) fill(carrier string, options *savepage.Options, o object, bad map[string]bool) []savepage.FieldError {
	var wrong []savepage.FieldError
	target := reflect.ValueOf(options).Elem()
	for name, value := range o.values {
		if bad[name] {
			continue
		}
		f := d.fields[name]
		target.Field(f.index).SetZero() // or it would be read into what other captures have as well
		if err := set(target.Field(f.index), value, o.raw[name]); err != nil {
			bad[name] = true
			wrong = append(wrong, savepage.FieldError{Location: at(carrier, name), Message: f.expect, Value: shown(f, value)})
		}
	}
	return wrong
}

// set stores a value that the schema has accepted.
func set(target reflect.Value, value any, raw json.RawMessage) error {
	switch v := value.(type) {
	case float64:
		if target.CanInt() {
			target.SetInt(int64(v))
			return nil
		}
		if target.CanFloat() {
			target.SetFloat(v)
			return nil
		}
	case bool:
		if target.Kind() == reflect.Bool {
			target.SetBool(v)
			return nil
		}
		if target.Type() == reflect.TypeFor[*bool]() {
			target.Set(reflect.ValueOf(&v))
			return nil
		}
	case string:
		if target.Kind() == reflect.String {
			target.SetString(v)
			return nil
		}
	}
	return json.Unmarshal(raw, target.Addr().Interface())
}

// checkTexts checks strings beyond their tags.
func checkTexts(o savepage.Options) []savepage.FieldError {
	wrong := checkDevice(o.Device)
	for _, one := range []struct{ name, value string }{
		{"url", o.URL}, {"base_url", o.BaseURL}, {"callback_url", o.CallbackURL}, {"callback_error_url", o.CallbackErrorURL},
	} {
		if message := checkAddress(one.value); message != "" {
			wrong = append(wrong, savepage.FieldError{Location: one.name, Message: message, Value: echo(one.value)})
		}
	}
	for _, one := range []struct{ name, value string }{{"user_agent", o.UserAgent}, {"accept_language", o.AcceptLanguage}} {
		if strings.ContainsFunc(one.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			wrong = append(wrong, savepage.FieldError{Location: one.name, Message: "must be printable ASCII", Value: echo(one.value)})
		}
	}
	return wrong
}

func checkAddress(given string) string {
	if given == "" {
		return ""
	}
	const wanted = "must be an http or https URL"
	u, err := url.Parse(strings.TrimSpace(given))
	switch {
	case err == nil && (strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https")) && u.Host != "":
		return ""
	case !strings.Contains(given, "://") && len(given) < maxEcho && plausible("https://"+given):
		return wanted + `; did you mean "https://` + given + `"?`
	default:
		return wanted
	}
}

func plausible(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.Contains(u.Hostname(), ".") && u.User == nil
}

// partner is the other option of a rule that concerns two options. If it is invalid itself, the rule does not apply.
func partner(name string) string {
	switch name {
	case "url":
		return "html"
	case "html":
		return "url"
	case "base_url", "assets":
		return "html"
	case "delay":
		return "timeout"
	case "authorization":
		return "headers"
	}
	if savepage.OptionFormats(name) != nil {
		return "format"
	}
	return ""
}
