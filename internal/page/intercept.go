package page

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/fetch"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// interception answers the requests that Chromium pauses: those to the page's own origin.
type interception struct {
	s  *cdp.Session
	to where
	o  savepage.Options
}

// paused is called for every paused request, also for each step of a redirect.
func (i *interception) paused(params json.RawMessage) {
	var e struct {
		RequestID string `json:"requestId"`
		Request   struct {
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
		} `json:"request"`
	}
	if !read(params, &e) {
		return
	}
	id := fetch.RequestID(e.RequestID)
	u, err := url.Parse(e.Request.URL)
	switch {
	case err != nil || originOf(u) != i.to.origin:
		// The pattern matched a text that only looks like the origin: nothing of ours goes there.
		i.s.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: id})
	case i.o.HTML != "":
		i.fulfil(id, u)
	default:
		i.s.Send(fetch.CommandContinueRequest, fetch.ContinueRequestParams{RequestID: id, Headers: merge(e.Request.Headers, i.o.Headers)})
	}
}

// fulfil serves the document of the option html, and nothing else, on its origin.
func (i *interception) fulfil(id fetch.RequestID, u *url.URL) {
	answer := fetch.FulfillRequestParams{RequestID: id, ResponseCode: http.StatusNotFound}
	if u.Path == "/" {
		answer.ResponseCode = http.StatusOK
		answer.ResponseHeaders = []*fetch.HeaderEntry{{Name: "Content-Type", Value: "text/html; charset=utf-8"}}
		answer.Body = []byte(i.o.HTML)
	}
	i.s.Send(fetch.CommandFulfillRequest, answer)
}

// merge adds headers to those of the request, in place of one of the same name.
func merge(own map[string]string, added savepage.Headers) []*fetch.HeaderEntry {
	all := maps.Clone(own)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range added {
		maps.DeleteFunc(all, func(known, _ string) bool { return strings.EqualFold(known, name) })
		all[name] = value
	}
	var entries []*fetch.HeaderEntry
	for name, value := range all {
		entries = append(entries, &fetch.HeaderEntry{Name: name, Value: value})
	}
	return entries
}
