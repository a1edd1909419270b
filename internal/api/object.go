package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest. No option needs more than three levels.
const maxDepth = 16

// object is a JSON object with the exact text of each of its members.
type object struct {
	values map[string]any
	raw    map[string]json.RawMessage
}

// parseObject reads exactly one JSON object. It refuses what encoding/json lets pass: a member given twice, anything
// after the object, deep nesting, and bytes that are not UTF-8. Errors are sentences for the client.
func parseObject(text []byte) (object, error) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return object{}, errors.New("is empty; send a JSON object of options")
	case !utf8.Valid(text):
		return object{}, errors.New("is not UTF-8")
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(text)), text: text}
	first, err := p.dec.Token()
	if err != nil {
		return object{}, p.explain(err)
	}
	if first != json.Delim('{') {
		return object{}, errors.New("must be a JSON object of options")
	}
	o := object{values: map[string]any{}, raw: map[string]json.RawMessage{}}
	if err := p.members(1, o.values, o.raw); err != nil {
		return object{}, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return object{}, fmt.Errorf("contains text after the JSON object, at %s", p.place(p.dec.InputOffset()))
	}
	return o, nil
}

type parser struct {
	dec  *json.Decoder
	text []byte
}

// members reads what follows "{" into values, and into raw where that is wanted.
func (p parser) members(depth int, values map[string]any, raw map[string]json.RawMessage) error {
	for {
		token, err := p.dec.Token()
		if err != nil {
			return p.explain(err)
		}
		name, isName := token.(string)
		if !isName {
			return nil // the only other token here is "}"
		}
		after := p.dec.InputOffset()
		if _, twice := values[name]; twice {
			return fmt.Errorf("contains %q twice, again at %s", name, p.place(after))
		}
		if values[name], err = p.value(depth); err != nil {
			return err
		}
		if raw != nil {
			raw[name] = bytes.TrimLeft(p.text[after:p.dec.InputOffset()], " \t\r\n:")
		}
	}
}

func (p parser) value(depth int) (any, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.explain(err)
	}
	open, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("nests deeper than %d levels at %s", maxDepth, p.place(p.dec.InputOffset()))
	}
	if open == '{' {
		values := map[string]any{}
		return values, p.members(depth+1, values, nil)
	}
	return p.items(depth + 1)
}

// items reads what follows "[".
func (p parser) items(depth int) (any, error) {
	list := []any{}
	for p.dec.More() {
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	if _, err := p.dec.Token(); err != nil { // the "]"
		return nil, p.explain(err)
	}
	return list, nil
}

// explain says where the text stops being JSON.
func (p parser) explain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("is not valid JSON: it ends early, at %s", p.place(int64(len(p.text))))
	}
	offset := p.dec.InputOffset()
	if syntax, known := errors.AsType[*json.SyntaxError](err); known {
		return fmt.Errorf("is not valid JSON at %s: %w", p.place(max(offset, syntax.Offset)), syntax)
	}
	return fmt.Errorf("is not valid JSON at %s: a number is out of range", p.place(offset))
}

// place turns an offset into a line and a column, both from 1.
func (p parser) place(offset int64) string {
	before := p.text[:min(max(offset, 0), int64(len(p.text)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column)
}
