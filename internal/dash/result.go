package dash

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// The views of a result in the playground. The address names one.
const (
	tabPicture = "picture"
	tabCompare = "compare"
)

// resultPart is the part of the page that the result is in: narrow windows have it below the form.
const resultPart = "#result"

// othersShown is how many captures are offered to compare with.
const othersShown = 12

// tab is a view of the result.
type tab struct {
	Name, Title string
	Link        string
	Count       int // of remarks that are not good
	Chosen      bool
}

// other is a capture that may be compared, with the address that does it.
type other struct {
	client.Capture

	Link string
}

// phaseNames are the phases of a capture, in their order.
func phaseNames() []string {
	return []string{"queue", "navigate", "settle", "shoot", "encode", "store"}
}

// tabOf is the view that the values name, or the picture.
func tabOf(values url.Values) string {
	name := values.Get("tab")
	if slices.Contains([]string{"report", "timing", "response", "code", tabCompare}, name) {
		return name
	}
	return tabPicture
}

// addResult adds what the playground shows beside the form: the views, and the capture to compare with.
func (d *trials) addResult(s session, given, query url.Values, v view) error {
	chosen, id := tabOf(query), query.Get("capture")
	v["Tab"] = chosen
	at := func(name string) string {
		return playgroundAddress(given, url.Values{"capture": {id}, "tab": {tabName(name)}}) + resultPart
	}
	var tabs []tab
	for _, name := range []string{tabPicture, "report", "timing", "response", "code", tabCompare} {
		one := tab{Name: name, Title: capital(name), Link: at(name), Chosen: name == chosen}
		if name == "report" {
			one.Count = wantingAttention(v)
		}
		tabs = append(tabs, one)
	}
	v["Tabs"], v["Expected"] = tabs, expected(given)
	if c, is := v["Capture"].(detail); chosen == tabCompare && is && c.Status == savepage.Success {
		return d.addComparison(s, c.Capture, given, query.Get("with"), v)
	}
	return nil
}

// shownAfter is the view that a new capture is shown in: the same, but for a comparison, which was one of another capture.
func shownAfter(values url.Values) string {
	if name := tabOf(values); name != tabCompare {
		return tabName(name)
	}
	return ""
}

// tabName is how the address names a view: the first is left out.
func tabName(name string) string {
	if name == tabPicture {
		return ""
	}
	return name
}

func wantingAttention(v view) int {
	all, _ := v["Remarks"].([]remark)
	return len(slices.DeleteFunc(slices.Clone(all), func(r remark) bool { return r.Level == "ok" }))
}

// size is that of a picture, in pixels.
type size struct{ Width, Height int }

// expected is the size of the picture as far as the options tell it, for the box that stands in its place.
func expected(given url.Values) size {
	number := func(name string, usual int) int {
		n, err := strconv.Atoi(given.Get(name))
		if err != nil || n <= 0 || n > 10_000 {
			return usual
		}
		return n
	}
	return size{number("width", 1440), number("height", 900)}
}

// addComparison adds the other capture, or those that may be chosen: of the same page first.
func (d *trials) addComparison(s session, c client.Capture, given url.Values, with string, v view) error {
	kept := url.Values{"capture": {c.CaptureID}, "tab": {tabCompare}}
	v["CompareLink"], v["WithID"] = playgroundAddress(given, kept)+resultPart, with
	all := maps.Clone(given)
	maps.Copy(all, kept)
	v["Kept"] = all
	if with != "" {
		wrong, err := d.addOther(s, with, v)
		if err != nil || wrong == "" {
			return err
		}
		v["WithWrong"] = wrong
	}
	var others []other
	for _, page := range slices.Compact([]string{c.URL, ""}) {
		var list client.Page
		query := url.Values{"state": {string(savepage.Success)}, "limit": {strconv.Itoa(2 * othersShown)}, "url": {page}}
		if _, err := d.ask(s, http.MethodGet, withQuery("/v1/captures", query), nil, &list); err != nil {
			return err
		}
		for _, one := range list.Captures {
			known := slices.ContainsFunc(others, func(o other) bool { return o.CaptureID == one.CaptureID })
			if known || len(others) == othersShown || one.CaptureID == c.CaptureID || !isPicture(one) {
				continue
			}
			link := playgroundAddress(given, url.Values{"capture": {c.CaptureID}, "tab": {tabCompare}, "with": {one.CaptureID}})
			others = append(others, other{one, link + resultPart})
		}
	}
	v["Others"] = others
	return nil
}

// addOther adds the capture to compare with. It returns why it cannot be compared.
func (d *trials) addOther(s session, id string, v view) (wrong string, err error) {
	var with client.Capture
	_, err = d.ask(s, http.MethodGet, "/v1/captures/"+url.PathEscape(strings.TrimSpace(id)), nil, &with)
	var refused *problem
	switch {
	case errors.As(err, &refused):
		return sentence(refused.Detail), nil
	case err != nil:
		return "", err
	case !isPicture(with):
		return "That capture has no picture.", nil
	}
	v["With"] = with
	return "", nil
}

// isPicture reports whether a capture has a picture that a browser shows.
func isPicture(c client.Capture) bool { return c.Image != "" && cmp.Or(c.Format, "pdf") != "pdf" }
