package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// noQuery refuses a query where there are no parameters.
func noQuery(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	return unknownNames(values, nil)
}

// unknownNames refuses every unknown name.
func unknownNames(values url.Values, known []string) error {
	var wrong []savepage.FieldError
	for name, texts := range values {
		if !slices.Contains(known, name) {
			message := unknownName("parameter", name, known)
			wrong = append(wrong, savepage.FieldError{Location: at("query", name), Message: message, Value: echo(texts[0])})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return invalid(wrong)
}

// Bounds of a page.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// filterReader reads the query of a list and collects every fault.
type filterReader struct {
	values url.Values
	wrong  []savepage.FieldError
}

// newFilterReader reads a query in which these names are known.
func newFilterReader(values url.Values, known ...string) filterReader {
	return filterReader{values: values, wrong: fieldsIn(unknownNames(values, known))}
}

// readPage reads the query of a list that has no filter.
func readPage(r *http.Request) (limit int, cursor string, err error) {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return 0, "", err
	}
	in := newFilterReader(values, "limit", "cursor")
	limit, cursor = in.limit(), in.one("cursor")
	if len(in.wrong) > 0 {
		return 0, "", invalid(in.wrong)
	}
	return limit, cursor, nil
}

// maxContained is how long a text in a URL may be that is looked for.
const maxContained = 200

// readFilter reads the query of a list of captures, and whether all that match are to be counted.
func readFilter(query string) (filter capture.Filter, count bool, err error) {
	values, err := parseQuery("query", query)
	if err != nil {
		return capture.Filter{}, false, err
	}
	in := newFilterReader(values, "state", "url", "url_contains", "batch_id", "created_after", "created_before", "limit", "cursor", "count")
	filter = capture.Filter{
		States: in.states(), URL: normalPage(in.one("url")), URLContains: in.one("url_contains"), BatchID: in.one("batch_id"),
		Limit: in.limit(), Cursor: in.one("cursor"),
		CreatedAfter: in.time("created_after"), CreatedBefore: in.time("created_before"),
	}
	if len(filter.URLContains) > maxContained {
		in.refuse("url_contains", fmt.Sprintf("must be at most %d bytes", maxContained), filter.URLContains)
	}
	count = in.boolean("count")
	if count && filter.URLContains != "" {
		in.refuse("count", "cannot be true with url_contains", true)
	}
	if len(in.wrong) > 0 {
		return capture.Filter{}, false, invalid(in.wrong)
	}
	return filter, count, nil
}

// boolean reads true or false; false is the default.
func (in *filterReader) boolean(name string) bool {
	switch text := in.one(name); text {
	case "true":
		return true
	case "", "false":
		return false
	default:
		in.refuse(name, "must be true or false", text)
		return false
	}
}

// normalPage writes a page's URL as records hold it: scheme and host in lower case, without the scheme's own port,
// with a path.
func normalPage(given string) string {
	scheme, rest, found := strings.Cut(given, "://")
	if !found {
		return given
	}
	scheme = strings.ToLower(scheme)
	host, path := rest, "/"
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host, path = rest[:end], "/"+strings.TrimPrefix(rest[end:], "/")
	}
	host = strings.ToLower(host)
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return scheme + "://" + host + path
}

func (in *filterReader) refuse(name, message string, value any) {
	in.wrong = append(in.wrong, savepage.FieldError{Location: at("query", name), Message: message, Value: echo(value)})
}

func (in *filterReader) one(name string) string {
	texts := in.values[name]
	if len(texts) > 1 {
		in.refuse(name, "must be given only once", texts[1])
	}
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// states reads state, which may be repeated and may hold several, separated by commas.
func (in *filterReader) states() []savepage.State {
	var states []savepage.State
	for _, text := range in.values["state"] {
		for name := range strings.SplitSeq(text, ",") {
			state := savepage.State(strings.TrimSpace(name))
			if !slices.Contains(savepage.States(), state) {
				in.refuse("state", "must be one of "+joinWords(savepage.States()), name)
				return nil
			}
			states = append(states, state)
		}
	}
	return states
}

func (in *filterReader) limit() int {
	text := in.one("limit")
	if text == "" {
		return defaultLimit
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		in.refuse("limit", "must be from 1 to "+strconv.Itoa(maxLimit), text)
	}
	return limit
}

func (in *filterReader) time(name string) time.Time {
	text := in.one(name)
	if text == "" {
		return time.Time{}
	}
	// An offset's plus that was not encoded arrives as a space.
	moment, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		in.refuse(name, "must be a time like 2026-04-01T12:00:00Z", text)
	}
	return moment
}

// joinWords writes words with commas.
func joinWords[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}
