package steps

import (
	"context"
	"strings"
	"unicode"

	"github.com/chromedp/cdproto/input"

	"github.com/savepage/savepage"
)

// maxTyped is how many characters of a value are typed one by one. What is before them is put in at once.
const maxTyped = 64

// key is a key of a keyboard, as the protocol takes it.
type key struct {
	name string // as the page is told: Enter, a
	code string // the key's place on an American keyboard; empty for a character that has none
	win  int64  // its number on Windows, which old scripts look at
	text string // what it writes; empty for nothing
}

// namedKeys are the keys that savepage.Keys lists.
func namedKeys() map[string]key {
	keys := map[string]key{
		"Enter": {"Enter", "Enter", 13, "\r"}, "Tab": {"Tab", "Tab", 9, ""}, "Escape": {"Escape", "Escape", 27, ""},
		"Backspace": {"Backspace", "Backspace", 8, ""}, "Delete": {"Delete", "Delete", 46, ""}, "Space": {" ", "Space", 32, " "},
		"ArrowLeft": {"ArrowLeft", "ArrowLeft", 37, ""}, "ArrowUp": {"ArrowUp", "ArrowUp", 38, ""},
		"ArrowRight": {"ArrowRight", "ArrowRight", 39, ""}, "ArrowDown": {"ArrowDown", "ArrowDown", 40, ""},
		"Home": {"Home", "Home", 36, ""}, "End": {"End", "End", 35, ""}, "PageUp": {"PageUp", "PageUp", 33, ""},
		"PageDown": {"PageDown", "PageDown", 34, ""}, "Insert": {"Insert", "Insert", 45, ""},
	}
	for i, name := range []string{"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"} {
		keys[name] = key{name, name, int64(112 + i), ""}
	}
	return keys
}

// keyOf is a key by its name or its character.
func keyOf(name string) key {
	if k, known := namedKeys()[name]; known {
		return k
	}
	k := key{name: name, text: name}
	switch c := []rune(name)[0]; {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		upper := strings.ToUpper(name)
		k.code, k.win = "Key"+upper, int64(upper[0])
	case c >= '0' && c <= '9':
		k.code, k.win = "Digit"+name, int64(c)
	case c == ' ':
		k.code, k.win = "Space", 32
	}
	return k
}

// modifiers are the bits of Input.dispatchKeyEvent.
func modifiers(held []string) (bits int64) {
	for _, name := range held {
		bits |= map[string]int64{"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}[name]
	}
	return bits
}

// stroke is a key that goes down and up again.
func stroke(k key, held int64) []input.DispatchKeyEventParams {
	const quiet = 1 | 2 | 4 // with one of these held, a key writes nothing
	down := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyDown, Key: k.name, Code: k.code, WindowsVirtualKeyCode: k.win, Modifiers: held,
		Text: k.text, UnmodifiedText: k.text,
	}
	if k.text == "" || held&quiet != 0 {
		down.Type, down.Text, down.UnmodifiedText = input.DispatchKeyEventTypeRawKeyDown, "", ""
	}
	up := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyUp, Key: k.name, Code: k.code, WindowsVirtualKeyCode: k.win, Modifiers: held,
	}
	return []input.DispatchKeyEventParams{down, up}
}

// strike presses a key.
func (r *Runner) strike(ctx context.Context, k key, held int64) error {
	for _, params := range stroke(k, held) {
		if err := r.send(ctx, input.CommandDispatchKeyEvent, params); err != nil {
			return err
		}
	}
	return nil
}

// press presses a key of a step, in the element that has the focus.
func (r *Runner) press(ctx context.Context, text string) error {
	name, held, err := savepage.ParseKey(text)
	if err != nil {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the key %v", err)
	}
	r.takeFocus()
	k, bits := keyOf(name), modifiers(held)
	if bits&8 != 0 && len([]rune(name)) == 1 {
		k.name, k.text = strings.ToUpper(k.name), strings.ToUpper(k.text)
	}
	return r.strike(ctx, k, bits)
}

// fill writes a value into the field that has the focus, in the place of what is selected there. The end of the value is typed,
// so that the page hears of keys as it does of a reader's.
func (r *Runner) fill(ctx context.Context, value string, at found) error {
	if at.Done {
		return nil
	}
	if !at.Lines {
		value = strings.Join(strings.FieldsFunc(value, func(c rune) bool { return c == '\n' || c == '\r' }), " ")
	}
	if at.Filled {
		if err := r.strike(ctx, keyOf("Delete"), 0); err != nil {
			return err
		}
	}
	runes := []rune(strings.ReplaceAll(value, "\r\n", "\n"))
	typed := max(0, len(runes)-maxTyped)
	if err := r.insert(ctx, string(runes[:typed])); err != nil {
		return err
	}
	for _, c := range runes[typed:] {
		if err := r.write(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// write types one character, or puts it in where no key of an American keyboard writes it.
func (r *Runner) write(ctx context.Context, c rune) error {
	switch {
	case c == '\n':
		return r.strike(ctx, keyOf("Enter"), 0)
	case c > unicode.MaxASCII || !unicode.IsPrint(c):
		return r.insert(ctx, string(c))
	case unicode.IsUpper(c):
		return r.strike(ctx, keyOf(string(c)), modifiers([]string{"Shift"}))
	default:
		return r.strike(ctx, keyOf(string(c)), 0)
	}
}

// insert puts a text in where the cursor is.
func (r *Runner) insert(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	return r.send(ctx, input.CommandInsertText, input.InsertTextParams{Text: text})
}
