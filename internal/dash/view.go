package dash

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/site"
)

// view is what a template shows.
type view map[string]any

// pageNames are the templates below pages, beside the frame.
var pageNames = [...]string{
	"signin", "fault", "playground", "check", "captures", "capture", "batches", "batch", "deliveries", "delivery", "sending", "inbox", "event",
	"webhooks", "stores", "keys", "usage", "system", "storage",
}

// loadPages reads the templates. Each page has the frame and the parts that pages share.
func (d *core) loadPages() (map[string]*template.Template, error) {
	frame, err := template.New("frame").Funcs(d.functions()).ParseFS(files, "pages/frame.html", "pages/parts.html")
	if err != nil {
		return nil, fmt.Errorf("templates of the dashboard: %w", err)
	}
	pages := map[string]*template.Template{}
	for _, name := range pageNames {
		one, err := template.Must(frame.Clone()).ParseFS(files, "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("templates of the dashboard: %w", err)
		}
		pages[name] = one
	}
	return pages, nil
}

func (d *core) functions() template.FuncMap {
	return template.FuncMap{
		"asset":    d.asset,
		"ago":      func(t time.Time) string { return ago(d.parts.Clock.Now(), t) },
		"exact":    exact,
		"timeline": timeline,
		"event":    eventText,
		"machine":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"bytes":    func(n any) string { return sizeText(reflect.Indirect(reflect.ValueOf(n)).Int()) },
		"count":    countText,
		"ms":       durationText,
		"level":    levelOf,
		"picture":  picturePath,
		"host":     shortAddress,
		"json":     jsonText,
		"words":    words,
		"sentence": sentence,
		"capital":  capital,
		"phases":   phaseNames,
		"answer":   answerWords,
		"isInbox":  savepage.IsInbox,
		"try":      d.try,
		"add":      func(a, b int) int { return a + b },
	}
}

// try is a request to paste, with the key in a variable.
func (d *core) try(address, body string) string {
	return site.Request{URL: d.config.PublicURL + address, Key: masked, Body: body}.Curl()
}

// show writes a page. A request that htmx sends gets the part that it asks for alone.
func (d *core) show(w http.ResponseWriter, s session, status int, name string, v view) {
	r, block := s.request, "frame"
	if part := r.Header.Get("HX-Target"); part != "" && d.pages[name].Lookup("part") != nil {
		block = "part"
	}
	v["Path"], v["Version"], v["SignedIn"], v["Who"] = r.URL.Path, d.config.Version, s.key != "", s.who
	v["Admin"] = s.who.May(savepage.ScopeAdmin)
	v["Section"] = sectionOf(r.URL.Path)
	var out bytes.Buffer
	if err := d.pages[name].ExecuteTemplate(&out, block, v); err != nil {
		d.config.Log.ErrorContext(r.Context(), "page of the dashboard failed", "path", r.URL.Path, "error", err)
		http.Error(w, "The page could not be made. The server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request, HX-Target")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // or the client has gone
}

// sectionOf is the part of the side bar that a path is in.
func sectionOf(address string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(address, Prefix), "/")
	return name
}

// ago is how long something is past, or ahead, in one unit.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	past := now.Sub(t)
	if past < 0 {
		return "in " + span(-past)
	}
	if past < time.Second {
		return "now"
	}
	return span(past) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}

func sizeText(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n < 1_000_000_000_000:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f TB", float64(n)/1e12)
}

// countText is a whole number with commas between the thousands.
func countText(number any) string {
	text := fmt.Sprint(reflect.Indirect(reflect.ValueOf(number)))
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// durationText is a time in milliseconds, for people.
func durationText(ms int64) string {
	switch {
	case ms < 1000:
		return strconv.FormatInt(ms, 10) + " ms"
	case ms < 60_000:
		return fmt.Sprintf("%.2f s", float64(ms)/1000)
	}
	return span(time.Duration(ms) * time.Millisecond)
}

// levelOf is the colour of a state. The word is always beside it.
func levelOf(state any) string {
	switch fmt.Sprint(state) {
	case "success", "delivered", "ended", "ok", "ready", "on", "verified", "lives":
		return "ok"
	case "failed", "dead", "bad", "sick", "not verified", "silent":
		return "bad"
	case "running", "pending", "warn", "partial":
		return "warn"
	}
	return "idle"
}

// picturePath is the address of a picture on this server, whatever the API's links begin with.
func picturePath(image string) string {
	u, err := url.Parse(image)
	if err != nil || image == "" {
		return ""
	}
	return "/captures/" + path.Base(u.Path)
}

// shortAddress is an address without its scheme, as people read it.
func shortAddress(address string) string {
	short := strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
	return cmp.Or(strings.TrimSuffix(short, "/"), "HTML")
}

func jsonText(v any) string { return site.JSON(v, "  ") }

// words are the words of a code.
func words(code any) string { return strings.ReplaceAll(fmt.Sprint(code), "_", " ") }
