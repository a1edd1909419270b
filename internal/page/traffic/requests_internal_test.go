package traffic

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/page/session"
)

// A document that is gone waits for nothing any more, whether or not the browser tells the end of what it asked for.
func TestDocumentThatIsGone(t *testing.T) {
	t.Parallel()
	r := NewRequests(session.NewRouter(), "main", time.Minute)
	ask := func(id, frame, loader, kind string) {
		r.requestSent(&session.Target{}, json.RawMessage(fmt.Sprintf(
			`{"requestId":%q,"frameId":%q,"loaderId":%q,"type":%q,"request":{"url":"http://a.test/%s"}}`, id, frame, loader, kind, id)))
	}
	answer := func(id string) {
		r.answered(&session.Target{}, json.RawMessage(fmt.Sprintf(`{"requestId":%q,"type":"Document","response":{"status":200}}`, id)))
	}
	open := func(want ...string) {
		t.Helper()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, id := range want {
			if r.open[id] == nil {
				t.Errorf("%s is closed", id)
			}
		}
		if len(r.open) != len(want) {
			t.Errorf("%d are open, want %v", len(r.open), want)
		}
	}
	goes := func(frame, parent, loader string) {
		leaves(r)(&session.Target{}, json.RawMessage(fmt.Sprintf(`{"frame":{"id":%q,"parentId":%q,"loaderId":%q}}`, frame, parent, loader)))
	}
	ask("A", "main", "A", document)
	answer("A")
	goes("main", "", "A")
	ask("style", "main", "A", "Stylesheet")
	ask("inner", "child", "inner", document)
	answer("inner")
	goes("child", "main", "inner")
	ask("picture", "child", "inner", "Image")
	ask("late", "other", "late", document)
	ask("worker", "", "", "Fetch")
	open("A", "style", "inner", "picture", "late", "worker")
	ask("second", "child", "second", document)
	goes("child", "main", "inner") // told again, or late: it goes on from there
	open("A", "style", "inner", "picture", "late", "worker", "second")
	answer("second")
	goes("child", "main", "second")
	open("A", "style", "late", "worker", "second")
	ask("B", "main", "B", document)
	answer("B")
	goes("main", "", "B")
	open("B", "worker")
}
