package savepage

import "math"

// Limits bounds what an account may do, whichever of its keys it uses. 0 is no limit, except where a row of LimitTable
// says that the least is 1.
type Limits struct {
	RequestsPerMinute int // beyond it rate_limited
	Pending           int // captures that have not ended; beyond it too_many_pending
	PendingBytes      int // that the options of those take; beyond it too_many_pending
	Pages             int // rendered at once; further captures wait
	Timeout           int // milliseconds that a capture may ask for
	CapturesPerMonth  int // of a month, UTC; a full page counts as CostFullpage; beyond it quota_exceeded
	EventStreams      int // open at once
	TestEvents        int // under way at once: each holds a connection until its receiver answers
}

// CostFullpage is what a capture of a full page counts against CapturesPerMonth. Others count 1.
const CostFullpage = 3

// DefaultLimits returns the limits that hold when the operator sets none.
func DefaultLimits() Limits {
	return Limits{
		RequestsPerMinute: 60_000, Pending: 20_000, PendingBytes: 256 << 20, Timeout: 300_000,
		EventStreams: 100, TestEvents: 4,
	}
}

// LimitInfo describes a limit that an account may have of its own.
type LimitInfo struct {
	Name     string // in answers and commands
	Min, Max int
	Doc      string
}

// LimitTable lists the limits that an account may have of its own.
func LimitTable() []LimitInfo {
	return []LimitInfo{
		{"requests_per_minute", 1, 60_000_000, "Requests in a minute."},
		{"pending", 0, 10_000_000, "Captures that have not ended."},
		{"pending_bytes", 0, 1 << 40, "Bytes that the options of captures take that have not ended."},
		{"pages", 0, 256, "Pages that are rendered at once; further captures wait."},
		{"timeout", 0, 300_000, "Longest timeout of a capture, in milliseconds."},
		{
			"captures_per_month", 0, math.MaxInt32,
			"Captures in a calendar month, UTC. One of a full page counts 3; cached and canceled ones and those that failed by a fault of " +
				"the service count 0.",
		},
	}
}

// Limit returns the limit of a name in LimitTable, to be read or set; nil for another name.
func (l *Limits) Limit(name string) *int {
	switch name {
	case "requests_per_minute":
		return &l.RequestsPerMinute
	case "pending":
		return &l.Pending
	case "pending_bytes":
		return &l.PendingBytes
	case "pages":
		return &l.Pages
	case "timeout":
		return &l.Timeout
	case "captures_per_month":
		return &l.CapturesPerMonth
	default:
		return nil
	}
}
