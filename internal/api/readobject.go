package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/savepage/savepage"
)

// readObject reads a small JSON body into a struct. Unknown fields are refused, with the nearest known name. An empty body
// leaves the struct unchanged where that is allowed.
func readObject(w http.ResponseWriter, r *http.Request, into any, mayBeEmpty bool) error {
	kind, _, err := mediaOf(r.Header)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if mayBeEmpty && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if kind != mediaJSON {
		return savepage.Errorf(savepage.CodeUnsupportedMedia, "send application/json")
	}
	o, err := parseObject(body)
	if err != nil {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the body %v", err)
	}
	known := jsonNames(reflect.TypeOf(into).Elem())
	var wrong []savepage.FieldError
	for name := range o.values {
		if !slices.Contains(known, name) {
			wrong = append(wrong, savepage.FieldError{Location: at("body", name), Message: unknownName("field", name, known)})
		}
	}
	if len(wrong) > 0 {
		return invalid(wrong)
	}
	if mismatch, is := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(body, into)); is {
		return invalidField(at("body", mismatch.Field), "must be "+kindName(mismatch.Type), nil)
	}
	return nil
}

func jsonNames(t reflect.Type) []string {
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Map:
		if t.Elem().Kind() != reflect.String {
			return "an object with whole numbers"
		}
		return "an object with string values"
	case reflect.Slice:
		return "a list of strings"
	default:
		return "a string"
	}
}
