package savepage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DefaultStoreKey is the key of an object whose capture gives none.
const DefaultStoreKey = "{id}.{format}"

// maxStoreKeyBytes is how long a key may be, before its places are filled.
const maxStoreKeyBytes = 512

// StoreTo is where else a capture puts its picture: a store of its account. It can also be written as the text "name" or
// "name/key".
type StoreTo struct {
	Name string `json:"name" doc:"Name of a store of the account."`
	// Key may have {id}, {format}, {host}, {date}, {year}, {month} and {day}.
	Key       string `json:"key,omitempty" doc:"Key of the object, behind the prefix of the store; {id} and the like are filled in."`
	Overwrite bool   `json:"overwrite,omitempty" doc:"Replace an object that has the key. Without it, the capture fails."`
}

// UnmarshalJSON takes an object, or the text "name" or "name/key".
func (s *StoreTo) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		return s.UnmarshalText([]byte(text))
	}
	type plain StoreTo // without this method
	var given plain
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&given); err != nil {
		return errors.New(`must be {"name","key","overwrite"} or a string like "archive/{id}.{format}"`)
	}
	*s = StoreTo(given)
	return nil
}

// UnmarshalText reads "name" or "name/key".
func (s *StoreTo) UnmarshalText(text []byte) error {
	name, key, _ := strings.Cut(string(text), "/")
	*s = StoreTo{Name: name, Key: key}
	return nil
}

// check compares the parts with what stores and keys may be.
func (s *StoreTo) check() []FieldError {
	if s == nil {
		return nil
	}
	var wrong []FieldError
	if !storeName.MatchString(s.Name) {
		wrong = append(wrong, FieldError{"store.name", "must be the name of a store: 1 to 63 lower-case letters, digits, - and _", s.Name})
	}
	if s.Key == "" {
		return wrong
	}
	if message := checkObjectPath(s.Key, maxStoreKeyBytes); message != "" {
		return append(wrong, FieldError{"store.key", message, s.Key})
	}
	if unknown := s.unknownPlace(); unknown != "" {
		message := unknown + " is not filled in; " + strings.Join(storePlaces(), ", ") + " are"
		wrong = append(wrong, FieldError{"store.key", message, s.Key})
	}
	return wrong
}

// storePlaces lists what keys may have in braces.
func storePlaces() []string {
	return []string{"{id}", "{format}", "{host}", "{date}", "{year}", "{month}", "{day}"}
}

// unknownPlace returns the first brace of the key that begins or ends nothing that is filled in.
func (s *StoreTo) unknownPlace() string {
	rest := s.Key
	for {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			return ""
		}
		rest = rest[at:]
		known := slices.IndexFunc(storePlaces(), func(place string) bool { return strings.HasPrefix(rest, place) })
		if known < 0 {
			if end := strings.IndexByte(rest, '}'); end >= 0 {
				return rest[:end+1]
			}
			return rest
		}
		rest = rest[len(storePlaces()[known]):]
	}
}

// StoreKey is the key that a capture's picture gets in its store, behind the prefix. It is the same for every attempt.
func (c Capture) StoreKey() string {
	if c.Options.Store == nil {
		return ""
	}
	format := c.Options.Format
	if c.Picture != nil {
		format = c.Picture.Format
	}
	at := c.CreatedAt.UTC()
	return strings.NewReplacer(
		"{id}", c.ID, "{format}", format.Extension(), "{host}", hostInKey(c.Options.URL), "{date}", at.Format(time.DateOnly),
		"{year}", at.Format("2006"), "{month}", at.Format("01"), "{day}", at.Format("02"),
	).Replace(cmp.Or(c.Options.Store.Key, DefaultStoreKey))
}

// hostInKey is the host of a page, with its port; of the option html it is html.
func hostInKey(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return "html"
	}
	return strings.NewReplacer("[", "", "]", "").Replace(strings.ToLower(u.Host))
}
