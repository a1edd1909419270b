package dash_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestUsageRefreshes asks for its own part again, with the span that is shown.
func TestUsageRefreshes(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/usage", http.StatusOK, savepage.Usage{Account: "acc_1"})
	w.answer("GET /v1/usage/history", http.StatusOK, savepage.UsageHistory{Span: savepage.HistoryDay, Total: savepage.UsagePoint{Success: 7}})
	const self = `hx-get="/ui/usage?span=24h" hx-trigger="every 10s"`
	if _, text := w.get("/ui/usage?span=24h"); !strings.Contains(text, self) || !strings.Contains(text, "<h1>Usage</h1>") {
		t.Errorf("the page does not refresh itself: %s", text)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/ui/usage?span=24h", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("HX-Target", "div#usage")
	answer, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, text := w.read(answer)
	w.has(text, "Success 7")
	if !strings.Contains(text, self) || strings.Contains(text, "<h1>") {
		t.Errorf("the part is %s", text)
	}
}
