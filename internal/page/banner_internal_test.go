package page

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

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
		{lifecycle: "loading", settled: mostSearch + time.Second},
		{lifecycle: "started", waits: true},
		{lifecycle: "started", resting: true},
		{lifecycle: "started", settled: mostSearch + time.Second},
		{lifecycle: "cmpDetected", waits: true},
		{lifecycle: "cmpDetected", since: mostPopup + time.Second},
		{lifecycle: "runningOptOut", since: mostPopup + time.Second, waits: true},
		{lifecycle: "runningOptOut", since: mostReject + time.Second},
		{lifecycle: "done"},
		{lifecycle: "optOutFailed"},
	} {
		k := seeker{suspect: !c.clean, now: consent.Message{Lifecycle: c.lifecycle, Resting: c.resting}, since: now.Add(-c.since)}
		if got := k.left(now.Add(-c.settled)) > 0; got != c.waits {
			t.Errorf("%+v: waits is %v", c, got)
		}
	}
}

func TestWhoAsks(t *testing.T) {
	f := frames{main: "M", urls: map[string]string{}, over: map[string]string{}}
	for frame, over := range map[string]string{"A": "M", "B": "A", "C": "B"} {
		f.attached(nil, json.RawMessage(`{"frameId":"`+frame+`","parentFrameId":"`+over+`"}`))
	}
	f.navigated(nil, json.RawMessage(`{"frame":{"id":"A","parentId":"M","url":"https://a.test/"}}`))
	f.navigated(nil, json.RawMessage(`{"frame":{"id":"B","parentId":"A","url":"about:srcdoc"}}`))
	page := "https://page.test/"
	for _, c := range []struct {
		frame string
		kind  network.ResourceType
		want  string
	}{
		{"M", network.ResourceTypeImage, page},
		{"A", network.ResourceTypeImage, "https://a.test/"},
		{"A", network.ResourceTypeDocument, page},
		{"B", network.ResourceTypeScript, "https://a.test/"},
		{"B", network.ResourceTypeDocument, "https://a.test/"},
		{"C", network.ResourceTypeImage, "https://a.test/"},
		{"unknown", network.ResourceTypeImage, page},
		{"", network.ResourceTypeOther, page},
	} {
		if got := f.asking(asked{frame: c.frame, kind: c.kind, page: page}); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
