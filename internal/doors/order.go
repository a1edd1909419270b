package doors

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/savepage/savepage"
)

// Fate is what becomes of a peer's name.
type Fate string

// The fates.
const (
	Taken   Fate = "taken"   // it becomes options
	Ignored Fate = "ignored" // it has no effect, and HeaderIgnored names it
	Refused Fate = "refused" // the picture would be another one: the request is invalid
)

// rule says what becomes of one name.
type rule struct {
	fate Fate
	note string
	take func(o *order, given []string) // of a name that is taken
}

// names are the rules of a peer by its names. A name that is not there is ignored.
type names map[string]rule

// rows lists the names for the manual.
func (n names) rows() []Row {
	rows := make([]Row, 0, len(n))
	for _, name := range slices.Sorted(maps.Keys(n)) {
		rows = append(rows, Row{name, n[name].fate, n[name].note})
	}
	return rows
}

// order is a peer's request in the making: options of the API, and what the door itself has to know.
type order struct {
	options map[string]any      // as the API names them
	from    map[string]string   // the peer's name of each option
	own     map[string][]string // values that several names, or the door, make something of
	ignored []string
	wrong   []savepage.FieldError
	name    string // of the peer, which is being read
}

// read makes an order of what a client gave.
func (n names) read(given map[string][]string) *order {
	o := &order{options: map[string]any{}, from: map[string]string{}, own: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values := given[name]
		if len(values) == 0 || len(values) == 1 && values[0] == "" {
			continue
		}
		o.name = name
		switch one := n[name]; one.fate {
		case Taken:
			one.take(o, values)
		case Refused:
			if !off(values) {
				o.refuse("is not supported: " + one.note)
			}
		default:
			o.ignored = append(o.ignored, shortened(name))
		}
	}
	o.name = ""
	return o
}

// off reports whether a value asks for nothing.
func off(values []string) bool {
	last := strings.ToLower(values[len(values)-1])
	return last == "" || last == "false" || last == "0"
}

// shortened is a name as a header may carry it: printable ASCII, of at most 64 characters.
func shortened(name string) string {
	const most = 64
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '_'
		}
		return r
	}, name)
	return clean[:min(len(clean), most)]
}

// set gives an option a value. A later name wins.
func (o *order) set(option string, value any) {
	o.options[option], o.from[option] = value, o.name
}

// add adds members to an option that is a list.
func (o *order) add(option string, members ...any) {
	list, _ := o.options[option].([]any)
	o.set(option, append(list, members...))
}

// byDefault gives an option a value unless it has one.
func (o *order) byDefault(option string, value any) {
	if _, given := o.options[option]; !given {
		o.options[option] = value
	}
}

// refuse says what is wrong with the name that is being read. The value is not repeated: it may be secret.
func (o *order) refuse(message string) {
	o.wrong = append(o.wrong, savepage.FieldError{Location: o.name, Message: message})
}

// ignore names the one that is being read in the answer.
func (o *order) ignore() { o.ignored = append(o.ignored, shortened(o.name)) }

// keep keeps values for the door itself.
func (o *order) keep(given []string) { o.own[o.name] = given }

// value is the last value that was kept of a name; empty for none.
func (o *order) value(name string) string {
	values := o.own[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// truth is whether a kept value is true.
func (o *order) truth(name string) bool {
	yes, _ := truth(o.value(name))
	return yes
}

// usualStore is the name of the store that a client means who names none.
const usualStore = "default"

// setUpStore says how a bucket is set up whose credentials a peer takes with each request.
const setUpStore = "set the bucket up once with PUT /v1/stores/{name}"

// intoStore has the picture put into a store of the account, by the peer's names of whether, where and under which key.
func (o *order) intoStore(use, bucket, path string) {
	if o.name = use; !o.truth(use) {
		return
	}
	to := map[string]any{"name": cmp.Or(o.value(bucket), usualStore), "overwrite": true}
	if key := strings.Trim(o.value(path), "/"); key != "" {
		to["key"] = key + "." + fmt.Sprint(o.options["format"]) // jpg stays jpg
	}
	o.set("store", to)
}

// fault is the error of what is wrong, or nil.
func (o *order) fault() error {
	if len(o.wrong) == 0 {
		return nil
	}
	return invalid(o.wrong)
}

// invalid makes one error of all wrong fields.
func invalid(wrong []savepage.FieldError) *savepage.Error {
	said := make([]string, len(wrong))
	for i, one := range wrong {
		said[i] = one.Location + " " + one.Message
	}
	fault := savepage.Errorf(savepage.CodeInvalidRequest, "%s", strings.Join(said, "; "))
	fault.Fields = wrong
	return fault
}

// translated gives the fields of the API's error the peer's names: "body.width" becomes "viewport_width".
func (o *order) translated(fault *savepage.Error) *savepage.Error {
	if len(fault.Fields) == 0 {
		return fault
	}
	wrong := make([]savepage.FieldError, len(fault.Fields))
	for i, field := range fault.Fields {
		option := strings.TrimPrefix(field.Location, "body.")
		top, _, _ := strings.Cut(option, ".")
		top, _, _ = strings.Cut(top, "[")
		theirs := o.from[top]
		message := field.Message
		switch {
		case theirs == "":
			theirs = option
		case strings.HasSuffix(option, "delay") || option == "timeout":
			message += " milliseconds"
		case theirs != option:
			message += fmt.Sprintf(" (it becomes %s)", option)
		}
		wrong[i] = savepage.FieldError{Location: theirs, Message: message}
	}
	translated := invalid(wrong)
	translated.Code = fault.Code
	return translated
}

// flat reads a JSON object as names with texts: members of objects are joined with a dot where deep, arrays give one text for
// each element, and what is not text is written as JSON.
func flat(body []byte, deep bool) (map[string][]string, error) {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body must be a JSON object")
	}
	values := map[string][]string{}
	flatten(values, "", object, deep)
	return values, nil
}

func flatten(into map[string][]string, prefix string, object map[string]any, deep bool) {
	for name, value := range object {
		name = prefix + name
		switch v := value.(type) {
		case nil:
		case []any:
			for _, one := range v {
				into[name] = append(into[name], jsonText(one))
			}
		case map[string]any:
			if deep {
				flatten(into, name+".", v, deep)
				continue
			}
			into[name] = []string{jsonText(v)}
		default:
			into[name] = []string{jsonText(v)}
		}
	}
}

// jsonText is a text as it is, and everything else as JSON.
func jsonText(value any) string {
	if text, is := value.(string); is {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// valueOr is the last value that was kept of a name, or another.
func (o *order) valueOr(name, otherwise string) string {
	if value := o.value(name); value != "" {
		return value
	}
	return otherwise
}
