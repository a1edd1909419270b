package traffic

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/page/session"
)

// A Refresh header counts whether its answer is told before the document or after it.
func TestRefreshInAnyOrder(t *testing.T) {
	answered := json.RawMessage(`{"requestId":"1","loaderId":"1","type":"Document","frameId":"main",` +
		`"response":{"status":200,"headers":{"Refresh":"1; url=/next"}}}`)
	there := json.RawMessage(`{"frame":{"id":"main","loaderId":"1","url":"http://a.test/"}}`)
	for name, first := range map[string]bool{"the answer first": true, "the document first": false} {
		n := NewNavigation(session.NewRouter(), "main", "http://a.test/", &Requests{}, func(error) {})
		if first {
			n.documentAnswered(nil, answered)
		}
		n.navigatedTo(nil, there)
		if !first {
			n.documentAnswered(nil, answered)
		}
		n.loadedAt = time.Now()
		if left, is := n.Planned(""); !is || left <= 0 {
			t.Errorf("%s: %v, %v", name, left, is)
		}
	}
}
