package dash

import (
	"net/http"
	"net/url"

	"github.com/savepage/savepage"
)

// use is one limit with what is used of it.
type use struct {
	Name, Text string
	savepage.Use

	Part  int  // used of the limit, in percent
	Bytes bool // it counts bytes
}

// spanChoice is a span of the history, in words.
type spanChoice struct {
	Value         savepage.HistorySpan
	Text, Heading string
}

func spanChoices() []spanChoice {
	return []spanChoice{
		{savepage.HistoryDay, "24 hours", "The last 24 hours"},
		{savepage.HistoryWeek, "7 days", "The last 7 days"},
		{savepage.HistoryMonth, "30 days", "The last 30 days"},
	}
}

// usage shows what the account uses of its limits, and what ended over time.
func (d *manager) usage(w http.ResponseWriter, r *http.Request, s session) error {
	var u savepage.Usage
	if _, err := d.ask(s, http.MethodGet, "/v1/usage", nil, &u); err != nil {
		return err
	}
	var past savepage.UsageHistory
	asked := url.Values{"span": r.URL.Query()["span"]}
	if _, err := d.ask(s, http.MethodGet, withQuery("/v1/usage/history", asked), nil, &past); err != nil {
		return err
	}
	v := view{"Title": "Usage", "Usage": u, "Uses": uses(u), "History": past, "Spans": spanChoices(), "Step": "day", "Layout": "Jan 2"}
	v["Self"] = r.URL.RequestURI()
	if past.Span.Step() < savepage.HistoryWeek.Step() {
		v["Step"], v["Layout"] = "hour", "15:04"
	}
	for _, one := range spanChoices() {
		if one.Value == past.Span {
			v["Heading"] = one.Heading
		}
	}
	nothing := past.Total
	nothing.At = savepage.UsagePoint{}.At
	v["Nothing"] = nothing == savepage.UsagePoint{}
	d.show(w, s, http.StatusOK, "usage", v)
	return nil
}

// uses are the limits, in the order in which people look for them.
func uses(u savepage.Usage) []use {
	all := []use{
		{Name: "Captures this month", Text: "A full page counts 3, a cached picture 0.", Use: u.CapturesPerMonth},
		{Name: "Requests a minute", Text: "All requests with a key of the account.", Use: u.RequestsPerMinute},
		{Name: "Captures waiting", Text: "Those that have not ended.", Use: u.Pending},
		{Name: "Bytes waiting", Text: "What the options of those take.", Use: u.PendingBytes, Bytes: true},
		{Name: "Pages at once", Text: "Captures that are rendered now.", Use: u.Pages},
	}
	for i, one := range all {
		if one.Limit != nil && *one.Limit > 0 {
			all[i].Part = min(one.Used*100 / *one.Limit, 100)
		}
	}
	return all
}
