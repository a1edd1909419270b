package ledger

import (
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// TestPercentiles has a hundred renders of two hours, of which each takes a millisecond more.
func TestPercentiles(t *testing.T) {
	now := time.Date(2026, 4, 1, 12, 30, 0, 0, time.UTC)
	h := NewHistory("a", savepage.HistoryDay, now)
	for ms := range int64(100) {
		h.AddTook(TookSo{Hour: HourOf(now) - ms%2, MS: ms + 1, Count: 1})
	}
	whole := h.Whole()
	if p := whole.Total; *p.RenderMSP50 != 50 || *p.RenderMSP95 != 95 {
		t.Errorf("all: %d and %d", *p.RenderMSP50, *p.RenderMSP95)
	}
	if p := whole.Points[23]; *p.RenderMSP50 != 49 || *p.RenderMSP95 != 95 {
		t.Errorf("the last hour: %d and %d", *p.RenderMSP50, *p.RenderMSP95)
	}
	if p := whole.Points[21]; p.RenderMSP50 != nil || p.RenderMSP95 != nil {
		t.Error("an hour without renders has times")
	}
}
