package dash_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// TestInbox shows what has arrived and whether it is verified, one by one and in a list that looks again by itself, and asks
// the API for what its forms say.
func TestInbox(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	arrived := savepage.InboxEvent{
		ID: "evt_1", Type: savepage.InboxCapture, WebhookID: "msg_1", CaptureID: "cap_1", Attempt: 2, AfterMS: 12,
		ReceivedAt: w.clock.Now().Add(-3 * time.Minute), Method: "POST", URL: savepage.InboxURL + "orders", Verified: true,
		Headers: map[string]string{"Webhook-Id": "msg_1", "X-Mine": "<b>"}, Body: `{"status":"success","title":"<script>"}`, BodyBytes: 39,
		Checks: []savepage.InboxCheck{{What: "webhook-signature", OK: true, Text: "matches."}}, Answer: savepage.InboxError,
	}
	wrong := arrived
	wrong.ID, wrong.Type, wrong.CaptureID, wrong.URL = "evt_2", savepage.InboxTest, "", savepage.InboxURL
	wrong.Verified, wrong.Attempt = false, 1
	wrong.Body, wrong.BodyBytes = strings.Repeat("{", 100), 70_000
	wrong.Checks = []savepage.InboxCheck{{What: "webhook-signature", Text: "does not match: the secret is wrong."}}
	file := arrived
	file.ID, file.Body, file.BodyBytes, file.Answer = "evt_3", "", 20_144, savepage.InboxSlow
	w.answer("GET /v1/inbox", http.StatusOK, savepage.Inbox{
		URL: savepage.InboxURL, Answer: savepage.InboxError, Events: []savepage.InboxEvent{file, wrong, arrived}, NextCursor: "more",
	})
	w.answer("GET /v1/inbox/evt_1", http.StatusOK, arrived)
	w.answer("GET /v1/inbox/evt_2", http.StatusOK, wrong)
	w.answer("GET /v1/inbox/evt_3", http.StatusOK, file)
	w.answer("GET /v1/captures/cap_1", http.StatusOK, map[string]any{
		"status": "success", "capture_id": "cap_1", "image": "http://cdn.test/captures/abc.png", "width": 14, "height": 9, "format": "png",
	})
	_, text := w.get("/ui/inbox")
	w.has(text, "Capture as a file /orders verified cap_1 attempt 2, not answered 3 min ago",
		"Test event not verified answered 500", "Capture success /orders verified cap_1 attempt 2, answered 500", savepage.InboxURL)
	if !strings.Contains(text, `<option value="500" selected>`) || !strings.Contains(text, `hx-trigger="every 2s"`) ||
		!strings.Contains(text, `href="/ui/inbox?cursor=more"`) {
		t.Errorf("the list is %s", text)
	}
	if _, text = w.get("/ui/inbox?cursor=more"); strings.Contains(text, "every 2s") {
		t.Error("an older page looks again by itself")
	}

	_, text = w.get("/ui/inbox/evt_1")
	w.has(text, "Capture success", "verified", "12 ms after the end of the capture", "Answer 500", "POST "+savepage.InboxURL+"orders",
		"webhook-signature matches.", "X-Mine &lt;b&gt;", "&#34;title&#34;: &#34;&lt;script&gt;&#34;", "14 × 9 pixels", "Show delivery")
	if !strings.Contains(text, `src="/captures/abc.png"`) || !strings.Contains(text, `action="/ui/deliveries/msg_1/send"`) {
		t.Errorf("the event is %s", text)
	}
	_, text = w.get("/ui/inbox/evt_2")
	w.has(text, "Test event", "not verified", "does not match: the secret is wrong.", "The first 65.5 kB of 70.0 kB.")
	if strings.Contains(text, "Show delivery") {
		t.Error("a test event has a delivery")
	}
	_, text = w.get("/ui/inbox/evt_3")
	w.has(text, "The body is the picture itself, 20.1 kB.", "Answer none in time")

	var asked []string
	note := func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+strings.TrimSpace(string(body)))
		_, _ = io.WriteString(out, "{}")
	}
	w.api.HandleFunc("PATCH /v1/inbox", note)
	w.api.HandleFunc("DELETE /v1/inbox", note)
	w.api.HandleFunc("POST /v1/webhooks/test", note)
	for path, form := range map[string]url.Values{"answer": {"answer": {"410"}}, "empty": nil, "test": nil} {
		_, text = w.post("/ui/inbox/"+path, form)
		w.has(text, "It answers with")
	}
	slices.Sort(asked)
	want := []string{
		"DELETE /v1/inbox ", `PATCH /v1/inbox {"answer":"410"}`, `POST /v1/webhooks/test {"url":"` + savepage.InboxURL + `"}`,
	}
	if !slices.Equal(asked, want) {
		t.Errorf("the API was asked %q, want %q", asked, want)
	}
}

// TestPlaygroundToInbox has one box send the callback to the inbox. An address of one's own goes before it.
func TestPlaygroundToInbox(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	var got map[string]any
	w.api.HandleFunc("POST /v1/capture", func(out http.ResponseWriter, r *http.Request) {
		got = nil
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		out.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(out, `{"status":"accepted","capture_id":"cap_1"}`)
	})
	w.answer("GET /v1/captures/cap_1", http.StatusOK, map[string]any{"status": "failed", "capture_id": "cap_1"})
	_, text := w.post("/ui/playground", url.Values{"url": {"https://example.com/"}, "inbox": {"1"}})
	if got["callback_url"] != savepage.InboxURL {
		t.Errorf("submitted %v", got)
	}
	if !strings.Contains(text, `name="inbox" value="1" checked`) || strings.Contains(text, `name="callback_url" value="http`) {
		t.Error("the form does not keep the box")
	}
	w.has(text, "Its callback is in your inbox")
	_, text = w.post("/ui/playground", url.Values{"url": {"https://example.com/"}, "inbox": {"1"}, "callback_url": {"https://my.test/"}})
	if got["callback_url"] != "https://my.test/" || strings.Contains(text, `value="1" checked`) {
		t.Errorf("submitted %v", got)
	}
	_, text = w.post("/ui/playground", url.Values{"url": {"https://example.com/"}})
	if got["callback_url"] != nil || strings.Contains(text, "Its callback") {
		t.Errorf("submitted %v", got)
	}
}
