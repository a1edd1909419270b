package savepage

import "time"

// HistorySpan is how far a history of usage goes back.
type HistorySpan string

// The spans of a history. The first is told by hours, the others by days.
const (
	HistoryDay   HistorySpan = "24h"
	HistoryWeek  HistorySpan = "7d"
	HistoryMonth HistorySpan = "30d"
)

// HistorySpans returns all spans, the shortest first.
func HistorySpans() []HistorySpan { return []HistorySpan{HistoryDay, HistoryWeek, HistoryMonth} }

// Valid reports whether the span is one of HistorySpans.
func (s HistorySpan) Valid() bool { return s == HistoryDay || s == HistoryWeek || s == HistoryMonth }

// Step is the time between two points of the history.
func (s HistorySpan) Step() time.Duration {
	if s == HistoryDay {
		return time.Hour
	}
	return 24 * time.Hour
}

// Points is how many points the history has.
func (s HistorySpan) Points() int {
	return map[HistorySpan]int{HistoryDay: 24, HistoryWeek: 7, HistoryMonth: 30}[s]
}

// UsageHistory is what ended in an account over some time.
type UsageHistory struct {
	Account     string       `json:"account" doc:"The account."`
	Span        HistorySpan  `json:"span" enum:"24h,7d,30d" doc:"How far it goes back."`
	From        time.Time    `json:"from" doc:"Beginning of the first point, UTC: of an hour or of a day."`
	Until       time.Time    `json:"until" doc:"End of the last point, which is not over yet."`
	StepSeconds int          `json:"step_seconds" doc:"Length of a point: 3,600 or 86,400."`
	Points      []UsagePoint `json:"points" doc:"Oldest first, without a gap: 24, 7 or 30."`
	Total       UsagePoint   `json:"total" doc:"All points together."`
}

// UsagePoint is what ended in a part of a history.
type UsagePoint struct {
	At          time.Time `json:"at" doc:"When it begins, UTC."`
	Success     int64     `json:"success" doc:"Captures that ended with a picture that was rendered for them."`
	Shared      int64     `json:"shared" doc:"Captures that ended with the picture of another: cached, or rendered at the same time."`
	Failed      int64     `json:"failed" doc:"Captures that failed."`
	Canceled    int64     `json:"canceled" doc:"Captures that were canceled."`
	Bytes       int64     `json:"bytes" doc:"Bytes of the pictures of success."`
	Delivered   int64     `json:"delivered" doc:"Callbacks that were delivered."`
	Dead        int64     `json:"dead" doc:"Callbacks that were given up."`
	RenderMSP50 *int64    `json:"render_ms_p50" doc:"Half of success took at most so many milliseconds, to two digits; null without any."`
	RenderMSP95 *int64    `json:"render_ms_p95" doc:"95 % of success took at most so many milliseconds, to two digits; null without any."`
}
