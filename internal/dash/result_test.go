package dash_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// done is a capture with a picture, as the API shows it.
func done(id, page string) map[string]any {
	return map[string]any{
		"status": "success", "capture_id": id, "url": page, "image": "http://cdn.test/captures/" + id + ".png", "width": 1440, "height": 900,
		"format": "png", "size": 20144, "options": map[string]any{"url": page, "fullpage": true}, "key": "sp_12345678", "cached_from": "cap_0",
	}
}

// TestTabs has the chosen view in the address, also when a capture is submitted from it. A comparison is of one capture and is
// not taken along.
func TestTabs(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/captures/cap_1", http.StatusOK, done("cap_1", "https://example.com/"))
	w.answer("POST /v1/capture", http.StatusAccepted, map[string]any{"status": "accepted", "capture_id": "cap_1"})
	w.answer("GET /v1/captures", http.StatusOK, map[string]any{"captures": []any{}})
	hidden := regexp.MustCompile(`data-panel="(\w+)"( hidden)?>`)
	open := func(text string) (names []string) {
		for _, one := range hidden.FindAllStringSubmatch(text, -1) {
			if one[2] == "" {
				names = append(names, one[1])
			}
		}
		return names
	}
	for query, want := range map[string]string{
		"": "picture", "?tab=code": "code", "?tab=nonsense": "picture", "?capture=cap_1&tab=timing": "timing", "?capture=cap_1": "picture",
		"?capture=cap_1&tab=compare": "compare",
	} {
		_, text := w.get("/ui/playground" + query)
		if got := strings.Join(open(text), " "); got != want {
			t.Errorf("%q shows %q, want %q", query, got, want)
		}
	}
	for tab, want := range map[string]string{"report": "report", "compare": "picture", "": "picture"} {
		_, text := w.post("/ui/playground", url.Values{"url": {"https://example.com/"}, "tab": {tab}})
		if got := strings.Join(open(text), " "); got != want {
			t.Errorf("submitted from %q, it shows %q, want %q", tab, got, want)
		}
	}
	_, text := w.get("/ui/playground?capture=cap_1&tab=report")
	if !strings.Contains(text, `href="/ui/playground?capture=cap_1&amp;fullpage=true&amp;tab=code&amp;url=https`) {
		t.Errorf("no link to the code: %s", text)
	}
}

// TestResponseIsTheAPIs shows the API's answer as it is: every field that is there, and none that is not.
func TestResponseIsTheAPIs(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	answer := done("cap_1", "https://example.com/")
	answer["news"] = "a field of tomorrow"
	w.answer("GET /v1/captures/cap_1", http.StatusOK, answer)
	for _, path := range []string{"/ui/playground?capture=cap_1&tab=response", "/ui/captures/cap_1"} {
		_, text := w.get(path)
		if !strings.Contains(text, "a field of tomorrow") || strings.Contains(text, "failed_at") || strings.Contains(text, "0001-01-01") {
			t.Errorf("%s is not what the API says: %s", path, text)
		}
	}
}

// TestCompare offers captures of the same page first, shows the one that is chosen, and says why another cannot be.
func TestCompare(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	const page = "https://example.com/"
	pdf := done("cap_5", page)
	pdf["format"] = "pdf"
	w.answer("GET /v1/captures/cap_1", http.StatusOK, done("cap_1", page))
	w.answer("GET /v1/captures/cap_2", http.StatusOK, done("cap_2", page))
	w.answer("GET /v1/captures/cap_5", http.StatusOK, pdf)
	w.answer("GET /v1/captures/cap_9", http.StatusNotFound, map[string]any{
		"status": 404, "code": "not_found", "detail": "the capture does not exist",
	})
	w.api.HandleFunc("GET /v1/captures", func(out http.ResponseWriter, r *http.Request) {
		all := []any{done("cap_3", "https://other.test/"), done("cap_2", page)}
		if r.URL.Query().Get("url") == page {
			all = []any{done("cap_1", page), done("cap_2", page), pdf}
		}
		w.write(out, http.StatusOK, map[string]any{"captures": all})
	})
	_, text := w.get("/ui/playground?capture=cap_1&tab=compare")
	var offered []string
	for _, one := range regexp.MustCompile(`with=(cap_\d)`).FindAllStringSubmatch(text, -1) {
		offered = append(offered, one[1])
	}
	if got := strings.Join(offered, " "); got != "cap_2 cap_3" {
		t.Errorf("offers %q", got)
	}
	_, text = w.get("/ui/playground?capture=cap_1&tab=compare&with=cap_2")
	if !strings.Contains(text, `src="/captures/cap_1.png"`) || !strings.Contains(text, `src="/captures/cap_2.png"`) ||
		!strings.Contains(text, "data-compare") {
		t.Errorf("both pictures are not there: %s", text)
	}
	_, text = w.get("/ui/playground?capture=cap_1&tab=compare&with=cap_5")
	w.has(text, "That capture has no picture.", "Or by its id")
	_, text = w.get("/ui/playground?capture=cap_1&tab=compare&with=cap_9")
	w.has(text, "The capture does not exist.")
}

// TestCaptureFacts are those that an API's user asks for: size, key, whose picture it is.
func TestCaptureFacts(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/captures/cap_1", http.StatusOK, done("cap_1", "https://example.com/"))
	_, text := w.get("/ui/captures/cap_1")
	w.has(text, "Size 1,440 × 900 pixels, 20.1 kB, png", "Cached from cap_0", "Key sp_12345678…")
	if !strings.Contains(text, `href="/ui/playground?capture=cap_1&amp;tab=compare#result"`) {
		t.Error("nothing leads to a comparison")
	}
}

// TestSearchCaptures leads from an id to what has it, and looks for everything else in addresses. The list says how many there are.
func TestSearchCaptures(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for text, want := range map[string]string{
		"cap_01jd8x6v3m2k9q4t7w5z0a1b2c": "/ui/captures/cap_01jd8x6v3m2k9q4t7w5z0a1b2c",
		"shop.test/a b":                  "/ui/captures?url_contains=shop.test%2Fa+b",
		"bat_01jd8x6v3m2k9q4t7w5z0a1b2c": "/ui/batches/bat_01jd8x6v3m2k9q4t7w5z0a1b2c", "cap_": "/ui/captures?url_contains=cap_",
		"msg_01jd8x6v3m2k9q4t7w5z0a1b2c": "/ui/deliveries/msg_01jd8x6v3m2k9q4t7w5z0a1b2c",
	} {
		answer, err := w.client.Get(w.server.URL + "/ui/captures?q=" + url.QueryEscape(" "+text+" "))
		if err != nil {
			t.Fatal(err)
		}
		if w.read(answer); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != want {
			t.Errorf("%q leads to %d %q", text, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	next := ""
	w.api.HandleFunc("GET /v1/captures", func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("count") == r.URL.Query().Has("url_contains") {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		w.write(out, http.StatusOK, map[string]any{"captures": []any{}, "total": 12043, "next_cursor": next})
	})
	_, text := w.get("/ui/captures?q=")
	w.has(text, "Captures 12,043")
	_, text = w.get("/ui/captures?url_contains=shop")
	w.has(text, "No capture is like that")
	next = "more"
	_, text = w.get("/ui/captures?url_contains=shop")
	w.has(text, "None of the 10,000 captures that were looked at is like that", "Look at older ones")
}

// TestDelivery shows what each attempt sent and what was answered, and the body that all of them have.
func TestDelivery(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	now := w.clock.Now()
	d := savepage.Delivery{
		ID: "msg_1", CaptureID: "cap_1", URL: "https://hook.test/<x>", Event: savepage.EventFailed, State: savepage.Pending, CreatedAt: now,
		NextAt: &now, Attempts: []savepage.Attempt{
			{Number: 1, At: now, Outcome: savepage.AttemptResolve, Error: "no such host"},
			{
				Number: 2, At: now, Outcome: savepage.AttemptStatus, Status: 500, LatencyMS: 84, Answer: "busy",
				Request: &savepage.SentRequest{Method: "PUT", Headers: map[string]string{"Webhook-Id": "msg_1", "X-Token": "••••••"}},
			},
		},
	}
	w.answer("GET /v1/deliveries/msg_1", http.StatusOK, struct {
		savepage.Delivery
		Body string `json:"body"`
	}{d, `{"status":"failed"}`})
	w.answer("GET /v1/deliveries", http.StatusOK, map[string]any{"deliveries": []any{d}})
	_, text := w.get("/ui/deliveries/msg_1")
	w.has(text, "capture failed", "PUT https://hook.test/&lt;x&gt; Webhook-Id: msg_1 X-Token: ••••••", "HTTP 500 busy",
		"Nothing was sent, or its headers are not known. Answer No such host.", "{ &#34;status&#34;: &#34;failed&#34; }",
		"19 B, the same in every attempt")
	if n := strings.Count(text, "✕"); n != 4 { // on the time line and at the attempts
		t.Errorf("%d crosses", n)
	}
	if !strings.Contains(text, "next attempt: 2026-04-01 12:00:00 UTC") {
		t.Error("the next attempt is not on the time line")
	}
	_, text = w.get("/ui/deliveries")
	w.has(text, "hook.test/&lt;x&gt; capture failed")
}

// TestVerifiers are on the page of the secret that they need.
func TestVerifiers(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.answer("GET /v1/webhooks/secret", http.StatusOK, savepage.WebhookSecrets{})
	_, text := w.get("/ui/webhooks")
	w.has(text, "Verify a callback", "Python def verify_webhook(secrets, headers, body):")
}
