package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// looseValues reads a query leniently: a malformed encoding stays as it is. The first value of a name counts.
func looseValues(query string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = looseText(name); name != "" {
			values.Add(name, looseText(value))
		}
	}
	return values
}

func looseText(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return strings.ReplaceAll(text, "+", " ")
	}
	return decoded
}

// legacyParams joins the query and the body of a POST; the body wins.
func legacyParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	params := looseValues(r.URL.RawQuery)
	kind, boundary, err := legacyMedia(r.Header)
	if err != nil {
		return nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	var given url.Values
	switch {
	case len(strings.TrimSpace(string(body))) == 0:
	case kind == mediaMultipart:
		given, err = readForm(kind, boundary, body)
	case kind == mediaJSON || strings.HasPrefix(strings.TrimSpace(string(body)), "{"):
		given, err = jsonValues(body)
	default:
		given = looseValues(string(body))
	}
	maps.Copy(params, given)
	return params, err
}

// legacyMedia returns how the body is written. Pages in browsers send JSON and forms as text/plain, because that needs no
// preflight: such a body is told by its beginning, as a form's is.
func legacyMedia(h http.Header) (media, string, error) {
	name, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && name == "text/plain" && h.Get("Content-Encoding") == "" {
		return mediaForm, "", nil
	}
	return mediaOf(h)
}

// jsonValues reads a flat JSON object as if it were a form.
func jsonValues(body []byte) (url.Values, error) {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest, "The body is not a JSON object")
	}
	values := url.Values{}
	for name, value := range object {
		switch v := value.(type) {
		case string:
			values.Set(name, v)
		case bool:
			values.Set(name, strconv.FormatBool(v))
		case float64:
			values.Set(name, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	return values, nil
}

// Maximum age of a cached picture, in seconds: by default, and the largest that a client of the older API can set.
const (
	keptFor = 24 * 60 * 60
	maxKept = 30 * 24 * 60 * 60
)

// legacyOptions turns the older API's parameters into options. Numbers out of range are clamped; other values and unknown
// parameters are ignored.
func legacyOptions(params url.Values) (savepage.Options, error) {
	target := strings.TrimSpace(params.Get("q"))
	if target == "" {
		return savepage.Options{}, savepage.Errorf(savepage.CodeInvalidRequest, "q is missing; it must be the URL to capture")
	}
	o := savepage.Defaults()
	o.URL = withScheme(target)
	o.Format = legacyFormat(params.Get("format"))
	o.Fullpage = truth(params.Get("fullpage"))
	o.BlockAds = truth(params.Get("noads"))
	o.BlockTrackers = o.BlockAds
	o.BlockCookieBanners = truth(params.Get("nocookie"))
	o.Width = bounded(params.Get("width"), o.Width, 320, 3840)
	o.Height = bounded(params.Get("height"), o.Height, 240, 2160)
	o.ThumbWidth = bounded(params.Get("thumb_width"), 0, 1, 3840)
	if seconds, given := number(params.Get("delay")); given {
		o.Delay = int(clamp(seconds*1000, 0, 30000))
		o.Timeout += o.Delay
	}
	o.CacheTTL = keptFor
	if seconds, given := number(params.Get("refresh")); given {
		o.CacheTTL = int(clamp(seconds, 0, maxKept))
	}
	o.UserAgent = printable(params.Get("user_agent"), 1024)
	o.AcceptLanguage = printable(params.Get("accept_language"), 256)
	o.Cookies = legacyCookies(params.Get("cookie"))
	return o, legacyCheck(o)
}

func legacyCheck(o savepage.Options) error {
	if len(o.URL) > savepage.MaxURLBytes {
		return savepage.Errorf(savepage.CodeInvalidRequest, "q must be at most %d characters", savepage.MaxURLBytes)
	}
	if wrong := o.ValidateFields(); len(wrong) > 0 {
		return savepage.Errorf(savepage.CodeInvalidRequest, "%s", wrong[0])
	}
	return nil
}

// withScheme completes a bare host with http, as browsers did when these clients were written: a site that has https
// redirects to it, one that has only http would not answer the other way round.
func withScheme(target string) string {
	switch {
	case strings.HasPrefix(target, "//"):
		return "http:" + target
	case strings.Contains(target, "://"):
		before, _, _ := strings.Cut(target, "://")
		if !strings.ContainsAny(before, "/?#.") {
			return target
		}
	}
	return "http://" + target
}

// legacyFormat is the format of a picture for the older API, which knows pictures of pixels only.
func legacyFormat(given string) savepage.Format {
	if info := savepage.Format(strings.ToLower(given)).Info(); info.Pixels() {
		return info.Format
	}
	return savepage.FormatJPEG
}

// legacyFormats are the names that legacyFormat knows.
func legacyFormats() []string {
	var names []string
	for _, row := range savepage.Formats() {
		if row.Pixels() {
			names = append(names, formatNames(row)...)
		}
	}
	return names
}

func truth(given string) bool {
	switch strings.ToLower(strings.TrimSpace(given)) {
	case "true", "1":
		return true
	default:
		return false
	}
}

// number reads a number; false when the text is not one.
func number(given string) (float64, bool) {
	parsed, err := strconv.ParseFloat(strings.TrimSpace(given), 64)
	if math.IsNaN(parsed) || err != nil && !math.IsInf(parsed, 0) {
		return 0, false
	}
	return parsed, true
}

func clamp(n, low, high float64) float64 { return min(max(n, low), high) }

func bounded(given string, otherwise, low, high int) int {
	n, found := number(given)
	if !found {
		return otherwise
	}
	return int(clamp(n, float64(low), float64(high)))
}

// printable drops characters that a header cannot contain and cuts the rest to a length.
func printable(given string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, given)
	return clean[:min(len(clean), limit)]
}

// legacyCookies reads the text of a Cookie header and leaves out parts that are not cookies.
func legacyCookies(given string) savepage.Cookies {
	var kept savepage.Cookies
	for part := range strings.SplitSeq(given, ";") {
		var one savepage.Cookies
		if err := one.UnmarshalText([]byte(part)); err != nil || len(one) == 0 {
			continue
		}
		probe := savepage.Options{URL: "http://probe.invalid", Cookies: one}
		if len(probe.ValidateFields()) == 0 {
			kept = append(kept, one...)
		}
	}
	return kept
}

// legacyCaching is the Cache-Control of the older API's pictures: maxage seconds where given, else the client asks again.
func legacyCaching(params url.Values) string {
	if seconds, given := number(params.Get("maxage")); given && seconds > 0 {
		return fmt.Sprintf("public, max-age=%d", int64(clamp(seconds, 1, 31536000)))
	}
	return "no-cache"
}
