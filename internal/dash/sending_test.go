package dash_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestSendSelectedAgain has the list's filter sent again: the page before it says how many those are, and its form, which needs
// no script, asks for them.
func TestSendSelectedAgain(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/deliveries", http.StatusOK, map[string]any{"deliveries": []savepage.Delivery{{ID: "msg_1", URL: "https://my.test/"}}})
	var got map[string]any
	matching := 1204
	w.api.HandleFunc("POST /v1/deliveries/redeliver", func(out http.ResponseWriter, r *http.Request) {
		got = nil
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(out).Encode(map[string]int{"redelivered": 3, "matching": matching})
	})
	for _, one := range []struct{ query, button, asks, want string }{
		{"", "Send dead letters again", "Send 1,204 dead letters again?", `{"count_only":true,"state":"dead"}`},
		{"?state=dead", "Send dead letters again", "Send 1,204 dead letters again?", `{"count_only":true,"state":"dead"}`},
		{
			"?state=delivered", "Send delivered callbacks again", "Send 1,204 delivered callbacks again?",
			`{"count_only":true,"state":"delivered"}`,
		},
		{
			"?capture_id=cap_1", "Send callbacks that have ended of this capture again",
			"Send 1,204 callbacks that have ended of this capture again?", `{"capture_id":"cap_1","count_only":true,"state":"ended"}`,
		},
	} {
		_, text := w.get("/ui/deliveries" + one.query)
		w.has(text, one.button)
		if !strings.Contains(text, `href="/ui/deliveries/send`+one.query+`"`) {
			t.Errorf("%q has no link to what it sends", one.query)
		}
		_, text = w.get("/ui/deliveries/send" + one.query)
		w.has(text, one.asks)
		if a := mustJSON(t, got); a != one.want {
			t.Errorf("%q asks for %s, want %s", one.query, a, one.want)
		}
	}
	_, text := w.post("/ui/deliveries/send", url.Values{"state": {"ended"}, "capture_id": {"cap_1"}})
	w.has(text, "3 callbacks are being sent again.")
	if a, b := mustJSON(t, got), `{"capture_id":"cap_1","count_only":false,"state":"ended"}`; a != b {
		t.Errorf("the form asks for %s, want %s", a, b)
	}
	matching, got = 0, nil
	_, text = w.get("/ui/deliveries/send")
	w.has(text, "There is nothing to send again")
	matching = 1
	_, text = w.get("/ui/deliveries/send")
	w.has(text, "Send 1 dead letter again?")
	matching = 100_000
	_, text = w.get("/ui/deliveries/send")
	w.has(text, "Send 100,000 or more dead letters again?")
	got = nil
	_, text = w.get("/ui/deliveries/send?state=pending")
	w.has(text, "What is pending is sent anyway")
	if _, text = w.get("/ui/deliveries?state=pending"); strings.Contains(text, "/ui/deliveries/send") || got != nil {
		t.Error("what is pending is sent again")
	}
}
