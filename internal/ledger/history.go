package ledger

import (
	"maps"
	"slices"
	"time"

	"github.com/savepage/savepage"
)

// KeepHours is how long it is remembered what ended in an hour: as long as the longest history, and the hours of a day that is
// not over.
const KeepHours = 31 * 24

// HourOf is the hour of a time, since 1970, UTC.
func HourOf(t time.Time) int64 { return t.Unix() / 3600 }

// TookSo is how often a render of one point of a history took so long.
type TookSo struct {
	Hour  int64 // an hour of the point
	MS    int64
	Count int64
}

// History puts together what ended in the hours of a span.
type History struct {
	of     savepage.UsageHistory
	took   []map[int64]int64 // of each point: how often a render took so many milliseconds
	all    map[int64]int64
	window [2]int64 // the first hour, and the one after the last
}

// NewHistory begins the history that ends now.
func NewHistory(account string, span savepage.HistorySpan, now time.Time) *History {
	step, n := span.Step(), span.Points()
	until := now.UTC().Truncate(step).Add(step)
	from := until.Add(-time.Duration(n) * step)
	h := &History{
		of: savepage.UsageHistory{
			Account: account, Span: span, From: from, Until: until, StepSeconds: int(step / time.Second), Points: make([]savepage.UsagePoint, n),
			Total: savepage.UsagePoint{At: from},
		},
		took: make([]map[int64]int64, n), all: map[int64]int64{}, window: [2]int64{HourOf(from), HourOf(until)},
	}
	for i := range h.of.Points {
		h.of.Points[i].At, h.took[i] = from.Add(time.Duration(i)*step), map[int64]int64{}
	}
	return h
}

// Hours are the first hour of the history, the one after the last, and how many make a point.
func (h *History) Hours() (from, until, step int64) {
	return h.window[0], h.window[1], int64(h.of.StepSeconds / 3600)
}

func (h *History) point(hour int64) int {
	return int((hour - h.window[0]) * 3600 / int64(h.of.StepSeconds))
}

// Add adds what ended in an hour.
func (h *History) Add(hour int64, p savepage.UsagePoint) {
	for _, to := range []*savepage.UsagePoint{&h.of.Points[h.point(hour)], &h.of.Total} {
		to.Success += p.Success
		to.Shared += p.Shared
		to.Failed += p.Failed
		to.Canceled += p.Canceled
		to.Bytes += p.Bytes
		to.Delivered += p.Delivered
		to.Dead += p.Dead
	}
}

// AddTook adds how long renders took.
func (h *History) AddTook(t TookSo) {
	h.took[h.point(t.Hour)][t.MS] += t.Count
	h.all[t.MS] += t.Count
}

// Whole returns the history.
func (h *History) Whole() savepage.UsageHistory {
	for i, took := range h.took {
		p := &h.of.Points[i]
		p.RenderMSP50, p.RenderMSP95 = percentile(took, 50), percentile(took, 95)
	}
	h.of.Total.RenderMSP50, h.of.Total.RenderMSP95 = percentile(h.all, 50), percentile(h.all, 95)
	return h.of
}

// percentile is the smallest time that so many of a hundred renders did not exceed; nil without any.
func percentile(took map[int64]int64, percent int64) *int64 {
	var sum, seen int64
	for _, n := range took {
		sum += n
	}
	for _, ms := range slices.Sorted(maps.Keys(took)) {
		if seen += took[ms]; seen*100 >= sum*percent {
			return &ms
		}
	}
	return nil
}
