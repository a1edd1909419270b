package banner

import (
	"testing"
	"time"

	"github.com/savepage/savepage/internal/consent"
)

func TestSeekerLeft(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		lifecycle      string
		clean, resting bool
		since, settled time.Duration // ago
		waits          bool
	}{
		{waits: true},
		{clean: true},
		{lifecycle: "loading", waits: true},
		{lifecycle: "loading", settled: maxSearch + time.Second},
		{lifecycle: "started", waits: true},
		{lifecycle: "started", resting: true},
		{lifecycle: "started", settled: maxSearch + time.Second},
		{lifecycle: "cmpDetected", waits: true},
		{lifecycle: "cmpDetected", since: maxPopup + time.Second},
		{lifecycle: "runningOptOut", since: maxPopup + time.Second, waits: true},
		{lifecycle: "runningOptOut", since: maxReject + time.Second},
		{lifecycle: "done"},
		{lifecycle: "optOutFailed"},
	} {
		k := seeker{suspect: !c.clean, now: consent.Message{Lifecycle: c.lifecycle, Resting: c.resting}, since: now.Add(-c.since)}
		if got := k.left(now.Add(-c.settled)) > 0; got != c.waits {
			t.Errorf("%+v: waits is %v", c, got)
		}
	}
}
