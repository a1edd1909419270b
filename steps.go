package savepage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// StepType is what a step does.
type StepType string

// The types of steps.
const (
	StepClick   StepType = "click"             // click the middle of an element
	StepFill    StepType = "fill"              // put a value into a field
	StepPress   StepType = "press"             // press a key
	StepHover   StepType = "hover"             // move the mouse over an element
	StepScroll  StepType = "scroll"            // bring an element into view, or turn the mouse wheel
	StepWaitFor StepType = "wait_for_selector" // wait until an element is visible
	StepGone    StepType = "wait_until_gone"   // wait until no element that matches is visible
	StepText    StepType = "wait_for_text"     // wait until the page shows a text
	StepDelay   StepType = "delay"             // wait for a while
)

// StepTypes lists every type of step.
func StepTypes() []StepType {
	return []StepType{StepClick, StepFill, StepPress, StepHover, StepScroll, StepWaitFor, StepGone, StepText, StepDelay}
}

// Step is one thing that is done on the page before the picture. Which of its members it needs depends on its type.
type Step struct {
	Type     StepType `json:"type" doc:"What the step does."`
	Selector string   `json:"selector,omitempty" maxLength:"2048" doc:"CSS selector of the element."`
	Value    string   `json:"value,omitempty" maxLength:"8192" doc:"fill: the value of the field; none empties it."`
	Key      string   `json:"key,omitempty" maxLength:"64" doc:"press: a character or a key, with modifiers before it: a, Enter, Control+A."`
	Text     string   `json:"text,omitempty" maxLength:"1024" doc:"wait_for_text: the text."`
	X        int      `json:"x,omitempty" minimum:"-100000" maximum:"100000" doc:"scroll: CSS pixels to the right."`
	Y        int      `json:"y,omitempty" minimum:"-100000" maximum:"100000" doc:"scroll: CSS pixels down."`
	MS       int      `json:"ms,omitempty" minimum:"0" maximum:"30000" doc:"delay: milliseconds."`
	Timeout  int      `json:"timeout,omitempty" minimum:"0" maximum:"300000" doc:"How long to wait for the element or text, in milliseconds."`
}

// needs is which members a type of step must have, and which it may have besides.
func (t StepType) needs() (must, may []string) {
	switch t {
	case StepClick, StepHover, StepWaitFor, StepGone:
		return []string{"selector"}, nil
	case StepFill:
		return []string{"selector"}, []string{"value"}
	case StepPress:
		return []string{"key"}, []string{"selector"}
	case StepScroll:
		return nil, []string{"selector", "x", "y"}
	case StepText:
		return []string{"text"}, nil
	case StepDelay:
		return []string{"ms"}, nil
	default:
		return nil, nil
	}
}

// String names the step as errors do: its type, and its element, key or text. The value of a field is never named.
func (s Step) String() string {
	const most = 80
	var said strings.Builder
	said.WriteString(string(s.Type))
	for _, one := range []string{s.Selector, s.Key, s.Text} {
		if runes := []rune(one); len(runes) > most {
			one = string(runes[:most]) + "…"
		}
		if one != "" {
			_, _ = fmt.Fprintf(&said, " %q", one)
		}
	}
	return said.String()
}

// checkSteps refuses steps without what their type needs, and with what it has no use for.
func (o Options) checkSteps() []FieldError {
	var wrong []FieldError
	waits := 0
	for i, step := range o.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		wrong = append(wrong, step.check(at)...)
		if waits += step.MS; step.Type == StepDelay && waits > maxStepDelays {
			wrong = append(wrong, FieldError{at + ".ms", fmt.Sprintf("the delays of all steps must be at most %d together", maxStepDelays), step.MS})
		}
	}
	return wrong
}

// maxStepDelays bounds the delays of all steps together, in milliseconds.
const maxStepDelays = 60_000

func (s Step) check(at string) []FieldError {
	if !slices.Contains(StepTypes(), s.Type) {
		return []FieldError{{at + ".type", "must be one of " + joined(StepTypes()), string(s.Type)}}
	}
	var wrong []FieldError
	must, may := s.Type.needs()
	for _, member := range []struct {
		name  string
		given bool
	}{
		{"selector", s.Selector != ""}, {"value", s.Value != ""}, {"key", s.Key != ""}, {"text", s.Text != ""},
		{"x", s.X != 0}, {"y", s.Y != 0}, {"ms", s.MS != 0},
	} {
		needed := slices.Contains(must, member.name)
		switch {
		case needed && !member.given:
			wrong = append(wrong, FieldError{at + "." + member.name, fmt.Sprintf("is required for a step of type %s", s.Type), nil})
		case member.given && !needed && !slices.Contains(may, member.name):
			wrong = append(wrong, FieldError{at + "." + member.name, fmt.Sprintf("has no meaning for a step of type %s", s.Type), nil})
		}
	}
	if s.Type == StepScroll && s.Selector == "" && s.X == 0 && s.Y == 0 {
		wrong = append(wrong, FieldError{at, "a step of type scroll needs selector, x or y", nil})
	}
	if s.Key != "" && s.Type == StepPress {
		if _, _, err := ParseKey(s.Key); err != nil {
			wrong = append(wrong, FieldError{at + ".key", err.Error(), s.Key})
		}
	}
	return wrong
}

// Modifiers lists the keys that are held while another one is pressed.
func Modifiers() []string { return []string{"Alt", "Control", "Meta", "Shift"} }

// Keys lists the keys that have a name, as the web platform names them (https://w3c.github.io/uievents-key).
func Keys() []string {
	return []string{
		"Enter", "Tab", "Escape", "Backspace", "Delete", "Space", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
		"Home", "End", "PageUp", "PageDown", "Insert",
		"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
	}
}

// ParseKey splits a key of a step into its name, or its character, and the modifiers before it.
func ParseKey(text string) (key string, modifiers []string, err error) {
	key = text
	for {
		before, after, found := strings.Cut(key, "+")
		if !found || after == "" || before == "" {
			break
		}
		modifier, known := nameOf(before, Modifiers())
		if !known {
			return "", nil, fmt.Errorf("%q is no modifier; modifiers are %s", before, strings.Join(Modifiers(), ", "))
		}
		modifiers, key = append(modifiers, modifier), after
	}
	if utf8.RuneCountInString(key) == 1 {
		return key, modifiers, nil
	}
	name, known := nameOf(key, Keys())
	if !known {
		return "", nil, fmt.Errorf("must be one character or one of %s, such as Enter, a or Control+A", strings.Join(Keys(), ", "))
	}
	return name, modifiers, nil
}

// nameOf finds a name whatever its case.
func nameOf(given string, names []string) (string, bool) {
	at := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, given) })
	if at < 0 {
		return "", false
	}
	return names[at], true
}

// joined writes words with commas.
func joined[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}

// Texts is a list of texts. One alone can also be written as a string.
type Texts []string

// UnmarshalJSON takes a list of strings or a string.
func (t *Texts) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte{'"'}) {
		var one string
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		*t = Texts{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		return errors.New("must be a list of strings or a string")
	}
	*t = list
	return nil
}
