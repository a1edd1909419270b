package dash_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/dash"
)

// TestStorage shows what is stored and warns when the disk is nearly full. What cannot be measured is told.
func TestStorage(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	free := int64(40_000_000_000)
	stored := dash.Storage{
		At: w.clock.Now(), Database: "/data/savepage.db", Pictures: "/data/pictures", DatabaseBytes: 81_000_000, Captures: 1234,
		MostCaptures: 1_000_000, PictureCount: 1200, PictureBytes: 512_000_000, Free: &free,
	}
	var wrong error
	w.storage = func() (dash.Storage, error) { return stored, wrong }
	_, text := w.get("/ui/system/storage")
	w.has(text, "Records of captures 1,234 81.0 MB – /data/savepage.db", "Pictures 1,200 512.0 MB 40.0 GB /data/pictures")
	if strings.Contains(text, "Make room") {
		t.Error("40 GB are called little")
	}
	free, stored.Captures = 900_000_000, 1_000_000
	_, text = w.get("/ui/system/storage")
	w.has(text, "Only 900.0 MB are free.", "1,000,000 or more")
	stored.Free = nil
	_, text = w.get("/ui/system/storage")
	w.has(text, "512.0 MB – /data/pictures")
	wrong = errors.New("no bucket")
	_, text = w.get("/ui/system/storage")
	w.has(text, "It cannot be measured.")
	w.scopes = []savepage.Scope{savepage.ScopeRead}
	_, text = w.get("/ui/system/storage")
	w.has(text, "This key may not do that")
}

// TestSystem shows the nodes with their last sign of life, and the browsers of this one with why the last were replaced. What
// cannot be read is told.
func TestSystem(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	now := w.clock.Now()
	ran := []dash.Browser{
		{PID: 4001, Since: now.Add(-2 * time.Hour), Pages: 3, Captures: 1234, Memory: 512_000_000},
		{PID: 4002, Since: now.Add(-time.Minute), Kind: "apart", Pages: 1, Captures: 1, Memory: 90_000_000},
		{PID: 4003, Since: now.Add(-time.Hour), Pages: 1, Captures: 500, Memory: 300_000_000, Ending: "age"},
	}
	w.browsers = func() ([]dash.Browser, []dash.Replaced) {
		return ran, []dash.Replaced{{At: now.Add(-5 * time.Minute), PID: 3999, Reason: "number of captures"}}
	}
	nodes := []savepage.Node{
		{
			ID: "node_1", Name: "one:8080", Roles: []string{"api", "render"}, Version: "1.2", Since: now.Add(-time.Hour), LastSeen: now,
			Pages: 8, Running: 2, AheadMS: -12, Leads: true,
		},
		{ID: "node_2", Name: "two:8080", Roles: []string{"deliver"}, Since: now.Add(-time.Hour), LastSeen: now.Add(-9 * time.Second)},
		{ID: "node_3", Name: "three:8080", Since: now.Add(-time.Hour), LastSeen: now.Add(-time.Minute), EndedAt: now.Add(-50 * time.Second)},
	}
	status, answered := http.StatusServiceUnavailable, any(map[string]any{
		"status": 503, "code": "storage_unavailable", "detail": "the database does not answer",
	})
	w.api.HandleFunc("GET /v1/nodes", func(out http.ResponseWriter, _ *http.Request) { w.write(out, status, answered) })
	w.open("GET /readyz", map[string]any{"status": "ok"})
	w.open("GET /version", map[string]any{"version": "1"})
	_, text := w.get("/ui/system")
	w.has(text, "Nodes The database does not answer.", "Browsers of this node",
		"4001 2 h ago 3 1,234 512.0 MB", "4002 1 min ago 1 1 90.0 MB for one capture", "4003 1 h ago 1 500 300.0 MB ends after its pages: age",
		"5 min ago 3999 number of captures")

	status, answered = http.StatusOK, map[string]any{"nodes": nodes}
	_, text = w.get("/ui/system")
	w.has(text, "one:8080 leads lives now 1 h ago api, render 2 of 8 -12 ms 1.2", "two:8080 silent 9 s ago 1 h ago deliver",
		"three:8080 ended 1 min ago")

	nodes[0].LastSeen = nodes[0].Since // an SQLite database is served by one node, which gives no signs of life
	answered = map[string]any{"nodes": nodes[:1]}
	_, text = w.get("/ui/system")
	w.has(text, "one:8080 leads lives now 1 h ago")
	if regexp.MustCompile("silent").MatchString(text) {
		t.Error("a node that serves alone is called silent")
	}
}
