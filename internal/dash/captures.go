package dash

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// pageLength is how many rows a list shows.
const pageLength = 50

// filters are the parameters of the list of captures that the API has too.
var filters = [...]string{"state", "url", "url_contains", "batch_id", "created_after", "created_before", "cursor"}

// mostCounted and scannedAtOnce are up to how many captures the API counts, and in how many it looks for a part of a URL.
const (
	mostCounted   = 100_000
	scannedAtOnce = 10_000
)

// detail is a capture as the API shows it by its id.
type detail struct {
	client.Capture

	Attempts int            `json:"attempts"`
	Options  map[string]any `json:"options"`
}

// captures shows the list, newest first.
func (d *records) captures(w http.ResponseWriter, r *http.Request, s session) error {
	query := r.URL.Query()
	if to := searched(query.Get("q")); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // searched keeps it on this server
		return nil
	}
	asked := url.Values{"limit": {strconv.Itoa(pageLength)}}
	if query.Get("url_contains") == "" {
		asked.Set("count", "true")
	}
	for _, name := range filters {
		asked[name] = query[name]
	}
	if since := sinceTime(query.Get("since"), d.parts.Clock.Now()); since != "" {
		asked.Set("created_after", since)
	}
	var page client.Page
	if _, err := d.ask(s, http.MethodGet, withQuery("/v1/captures", asked), nil, &page); err != nil {
		return err
	}
	older := maps.Clone(query)
	older.Set("cursor", page.Next)
	d.show(w, s, http.StatusOK, "captures", view{
		"Title": "Captures", "Captures": page.Captures, "Older": page.Next != "", "OlderLink": withQuery(Prefix+"captures", older),
		"Newer": query.Get("cursor") != "", "NewerLink": withQuery(Prefix+"captures", without(query, "cursor")), "Query": first(query),
		"Filtered": len(without(query, "cursor")) > 0, "States": savepage.States(),
		"Spans": map[string]string{"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days"},
		"Total": page.Total, "Most": mostCounted, "Scanned": scannedAtOnce,
		"Live": query.Get("cursor") == "" && slices.ContainsFunc(page.Captures, func(c client.Capture) bool { return !c.Status.Final() }),
		"Self": r.URL.RequestURI(),
	})
	return nil
}

// searched is where the search leads: to what an id names, or to the captures whose URL has the text.
func searched(text string) string {
	text = strings.TrimSpace(text)
	name, _, _ := strings.Cut(text, "_")
	if of := map[string]string{"cap": "captures/", "bat": "batches/", "msg": "deliveries/"}[name]; of != "" && len(text) > 20 {
		return Prefix + of + url.PathEscape(text)
	}
	if text == "" {
		return ""
	}
	return withQuery(Prefix+"captures", url.Values{"url_contains": {text}})
}

// sinceTime is the time of one of the choices of the list; empty for none.
func sinceTime(choice string, now time.Time) string {
	spans := map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}
	if back, known := spans[choice]; known {
		return now.Add(-back).UTC().Format(time.RFC3339)
	}
	return ""
}

// first is the first value of each parameter.
func first(query url.Values) map[string]string {
	all := map[string]string{}
	for name := range query {
		all[name] = query.Get(name)
	}
	return all
}

// without is a query without one parameter and without empty ones.
func without(query url.Values, name string) url.Values {
	kept := url.Values{}
	for other, all := range query {
		if other != name && query.Get(other) != "" {
			kept[other] = all
		}
	}
	return kept
}

// addCapture adds what a page shows of one capture, and returns its options.
func (d *core) addCapture(s session, id string, v view) (options url.Values, err error) {
	var answer json.RawMessage // is shown as it is
	header, err := d.ask(s, http.MethodGet, "/v1/captures/"+url.PathEscape(id), nil, &answer)
	if err != nil {
		return nil, err
	}
	var c detail
	if err := json.Unmarshal(answer, &c); err != nil {
		return nil, fmt.Errorf("read a capture: %w", err)
	}
	bars := waterfall(header.Get("Server-Timing"))
	if bars == nil {
		bars = phases(c.Timing)
	}
	v["Capture"], v["Remarks"], v["Bars"], v["Response"] = c, remarks(c.Report), bars, prettyJSON(string(answer))
	given := url.Values{}
	for name, value := range c.Options {
		if list, is := value.([]any); is {
			for _, one := range list {
				given.Add(name, plainText(one))
			}
			continue
		}
		given.Set(name, plainText(value))
	}
	v["Again"] = playgroundAddress(given, nil)
	v["CompareLink"] = withQuery(Prefix+"playground", url.Values{"capture": {c.CaptureID}, "tab": {tabCompare}}) + resultPart
	return given, nil
}

// plainText is a value of JSON as a form has it.
func plainText(value any) string {
	if text, is := value.(string); is {
		return text
	}
	return strings.ReplaceAll(jsonText(value), "\n", "")
}

// capture shows one.
func (d *records) capture(w http.ResponseWriter, r *http.Request, s session) error {
	v := view{"Title": "Capture"}
	if _, err := d.addCapture(s, r.PathValue("id"), v); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "capture", v)
	return nil
}

// events passes the API's events of a capture on, as they happen.
func (d *records) events(w http.ResponseWriter, r *http.Request, s session) error {
	request, err := d.request(r, s, http.MethodGet, "/v1/captures/"+url.PathEscape(r.PathValue("id"))+"/events", nil)
	if err != nil {
		return err
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	request.Header.Set("Accept", "text/event-stream")
	d.parts.API.ServeHTTP(w, request)
	return nil
}

// deleteCapture cancels a capture, or removes it with its picture.
func (d *records) deleteCapture(w http.ResponseWriter, r *http.Request, s session) error {
	if _, err := d.ask(s, http.MethodDelete, "/v1/captures/"+url.PathEscape(r.PathValue("id")), nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"captures", http.StatusSeeOther)
	return nil
}

// captureAgain submits the options of a capture once more. A kept picture is not what was asked for.
func (d *records) captureAgain(w http.ResponseWriter, r *http.Request, s session) error {
	var c detail
	if _, err := d.ask(s, http.MethodGet, "/v1/captures/"+url.PathEscape(r.PathValue("id")), nil, &c); err != nil {
		return err
	}
	options := map[string]any{}
	maps.Copy(options, c.Options)
	for _, name := range []string{"cache_ttl", "response"} {
		delete(options, name)
	}
	options["async"] = true
	var accepted client.Accepted
	if _, err := d.ask(s, http.MethodPost, "/v1/capture", options, &accepted); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"captures/"+url.PathEscape(accepted.CaptureID), http.StatusSeeOther)
	return nil
}

func (d *records) batches(w http.ResponseWriter, r *http.Request, s session) error {
	query := url.Values{"limit": {strconv.Itoa(pageLength)}, "cursor": r.URL.Query()["cursor"]}
	var page client.BatchPage
	if _, err := d.ask(s, http.MethodGet, withQuery("/v1/batches", query), nil, &page); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "batches", view{
		"Title": "Batches", "Batches": page.Batches, "Older": page.Next != "",
		"OlderLink": withQuery(Prefix+"batches", url.Values{"cursor": {page.Next}}),
	})
	return nil
}

func (d *records) batch(w http.ResponseWriter, r *http.Request, s session) error {
	var b client.BatchState
	id := r.PathValue("id")
	if _, err := d.ask(s, http.MethodGet, "/v1/batches/"+url.PathEscape(id), nil, &b); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "batch", view{"Title": "Batch", "Batch": b, "Self": r.URL.RequestURI()})
	return nil
}

func (d *records) cancelBatch(w http.ResponseWriter, r *http.Request, s session) error {
	id := url.PathEscape(r.PathValue("id"))
	if _, err := d.ask(s, http.MethodDelete, "/v1/batches/"+id, nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"batches/"+id, http.StatusSeeOther)
	return nil
}

// sortedKeys are the names of an object, in order.
func sortedKeys[V any](all map[string]V) []string { return slices.Sorted(maps.Keys(all)) }
