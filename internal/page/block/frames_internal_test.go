package block

import (
	"encoding/json"
	"testing"

	"github.com/chromedp/cdproto/network"
)

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
