package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// secrets signs with a secret for each account, and sends nothing.
type secrets struct {
	mu      sync.Mutex
	rotated map[string]time.Duration // by account: the overlap that was asked for
	tried   []savepage.Delivery
	signed  [][]string
	tryErr  error
	holds   chan bool // if set, a test takes as long as this is not read from
}

const newSecret = "whsec_bmV3IHNlY3JldCBvZiB0aGUgd29ybGQhIQ=="

func (s *secrets) Secrets(_ context.Context, account string) (savepage.WebhookSecrets, error) {
	return savepage.WebhookSecrets{Current: savepage.SecretInfo{Hint: "whsec_" + account}, Previous: []savepage.SecretInfo{}}, nil
}

func (s *secrets) RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rotated == nil {
		s.rotated = map[string]time.Duration{}
	}
	s.rotated[account] = overlap
	found, err := s.Secrets(ctx, account)
	found.Secret = newSecret
	return found, err
}

func (s *secrets) Signing(_ context.Context, account string) ([]string, error) {
	return []string{"new of " + account, "old of " + account}, nil
}

func (s *secrets) Try(_ context.Context, d savepage.Delivery, signing []string) (savepage.Trial, error) {
	if s.holds != nil {
		s.holds <- true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tryErr != nil {
		return savepage.Trial{}, s.tryErr
	}
	s.tried, s.signed = append(s.tried, d), append(s.signed, signing)
	sent := savepage.Sent{Body: string(d.Body)}
	return savepage.Trial{Outcome: savepage.AttemptStatus, Status: 401, Sent: sent, Hints: []string{"look"}}, nil
}

func TestSecretIsToldWholeOnlyWhenMade(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/webhooks/secret", "")
	wantStatus(t, r, 200)
	if r.body != `{"current":{"hint":"whsec_acc_a","created_at":"0001-01-01T00:00:00Z"},"previous":[]}`+"\n" ||
		r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %v", r.body, r.header)
	}
	for body, want := range map[string]time.Duration{
		"": 24 * time.Hour, "{}": 24 * time.Hour, `{"overlap":60}`: time.Minute,
		`{"overlap":0}`: 0,
	} {
		r = s.call(t, "POST", "/v1/webhooks/secret/rotate", body, "Authorization: Bearer "+keyB)
		wantStatus(t, r, 200)
		if r.json(t)["secret"] != newSecret || s.secrets.rotated["acc_b"] != want || len(s.secrets.rotated) != 1 {
			t.Errorf("%s: %s, %v", body, r.body, s.secrets.rotated)
		}
	}
	for body, says := range map[string]string{
		`{"overlap":-1}`: "must be from 0 to 604800", `{"overlap":604801}`: "must be from 0 to 604800",
		`{"overlap":1e99}`: "must be a whole number",
		`{"overlap":"1h"}`: "must be a whole number", `{"overlp":1}`: `did you mean "overlap"?`,
	} {
		p := wantProblem(t, s.call(t, "POST", "/v1/webhooks/secret/rotate", body), 400, savepage.CodeInvalidRequest)
		if !strings.Contains(p["detail"].(string), says) {
			t.Errorf("%s: %v", body, p)
		}
	}
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/secret/rotate", "[]"), 400, savepage.CodeInvalidRequest)
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/secret/rotate", "a=b", "Content-Type: application/x-www-form-urlencoded"), 415,
		savepage.CodeUnsupportedMedia)
	wantProblem(t, s.call(t, "GET", "/v1/webhooks/secret?full=1", ""), 400, savepage.CodeInvalidRequest)
	for _, path := range []string{"/v1/webhooks/secret/rotate", "/v1/webhooks/test"} {
		wantProblem(t, s.call(t, "POST", path, `{"url":"http://e.test"}`, "Authorization:"), 401, savepage.CodeUnauthorized)
	}
	wantProblem(t, s.call(t, "GET", "/v1/webhooks/secret", "", "Authorization:"), 401, savepage.CodeUnauthorized)
	wantProblem(t, s.call(t, "GET", "/v1/webhooks/secret/rotate", ""), 405, savepage.CodeMethodNotAllowed)
	if len(s.secrets.rotated) != 1 {
		t.Errorf("rotated %v", s.secrets.rotated)
	}
}

func TestTestEvent(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "POST", "/v1/webhooks/test", `{"url":"https://receiver.test/hook"}`)
	wantStatus(t, r, 200)
	if got := r.json(t); got["outcome"] != "status" || got["status"] != 401.0 || len(got["hints"].([]any)) != 1 {
		t.Errorf("%s", r.body)
	}
	d := s.secrets.tried[0]
	var event map[string]any
	if err := json.Unmarshal(d.Body, &event); err != nil || event["status"] != "test" || event["capture_id"] != any(d.CaptureID) ||
		!strings.HasPrefix(d.ID, "msg_") {
		t.Errorf("%s, %+v", d.Body, d)
	}
	if d.URL != "https://receiver.test/hook" || d.Account != "acc_a" || strings.Join(s.secrets.signed[0], ",") != "new of acc_a,old of acc_a" {
		t.Errorf("%+v signed with %q", d, s.secrets.signed)
	}
	own := "whsec_b3duIHNlY3JldCBvZiBvbmUgY2FwdHVyZSE="
	r = s.call(t, "POST", "/v1/webhooks/test", `{"url":"https://receiver.test/","callback_secret":"`+own+`",`+
		`"callback_headers":{"X-Tenant":"hidden"}}`)
	wantStatus(t, r, 200)
	if strings.Join(s.secrets.signed[1], ",") != own || s.secrets.tried[1].Headers["X-Tenant"] != "hidden" || strings.Contains(r.body, own) ||
		strings.Contains(r.body, "hidden") {
		t.Errorf("%s, %+v signed with %q", r.body, s.secrets.tried[1], s.secrets.signed[1])
	}
}

func TestWrongTestEvents(t *testing.T) {
	s := serve(t, nil)
	for body, want := range map[string]string{
		`{}`:                               "body.url",
		`{"url":"ftp://e.test"}`:           "body.url",
		`{"url":"hook"}`:                   "body.url",
		`{"url":7}`:                        "body.url",
		`{"urls":"http://e.test"}`:         "body.urls",
		`{"callback_url":"http://e.test"}`: "body.callback_url",
		`{"url":"http://e.test","callback_secret":"hidden"}`:                "body.callback_secret",
		`{"url":"http://e.test","callback_headers":{"Host":"hidden"}}`:      "body.callback_headers.Host",
		`{"url":"http://e.test","callback_headers":"hidden"}`:               "body.callback_headers",
		`{"url":"http://e.test","callback_headers":{"X-A":["hidden"]}}`:     "body.callback_headers",
		`{"url":"http://e.test","callback_headers":{"X-A":"hidden\u0000"}}`: "body.callback_headers.X-A",
	} {
		r := s.call(t, "POST", "/v1/webhooks/test", body)
		wrong := errorsOf(t, wantProblem(t, r, 400, savepage.CodeInvalidRequest))
		if _, named := wrong[want]; !named || strings.Contains(r.body, "hidden") {
			t.Errorf("%s: %s", body, r.body)
		}
	}
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/test", ""), 400, savepage.CodeInvalidRequest)
	if len(s.secrets.tried) != 0 {
		t.Errorf("tried %v", s.secrets.tried)
	}
	s.secrets.tryErr = savepage.Errorf(savepage.CodeAddressBlocked, "10.0.0.1 is private")
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"http://10.0.0.1/"}`), 400, savepage.CodeAddressBlocked)
	s.secrets.tryErr = savepage.Errorf(savepage.CodeInvalidRequest, "must not name a user")
	wrong := errorsOf(t, wantProblem(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"http://u:p@e.test/"}`), 400,
		savepage.CodeInvalidRequest))
	if wrong["body.url"] != "must not name a user" {
		t.Errorf("%v", wrong)
	}
	s.Drain()
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"http://e.test/"}`), 503, savepage.CodeShuttingDown)
}

// A slow receiver holds no more than a few connections of an account, and none of another's.
func TestFewTestEventsAtOnce(t *testing.T) {
	s := serve(t, nil)
	s.secrets.holds = make(chan bool)
	const event = `{"url":"http://slow.test/"}`
	answers := make(chan int, 5)
	for range 5 {
		go func() { answers <- s.call(t, "POST", "/v1/webhooks/test", event).status }()
	}
	if got := <-answers; got != 429 {
		t.Errorf("the first answer is %d", got)
	}
	other := make(chan int, 1)
	go func() { other <- s.call(t, "POST", "/v1/webhooks/test", event, "Authorization: Bearer "+keyB).status }()
	for range 5 {
		<-s.secrets.holds
	}
	for range 4 {
		if got := <-answers; got != 200 {
			t.Errorf("answered %d", got)
		}
	}
	if got := <-other; got != 200 {
		t.Errorf("another account got %d", got)
	}
	go func() { <-s.secrets.holds }()
	wantStatus(t, s.call(t, "POST", "/v1/webhooks/test", event), 200)
}

func TestTestEventsAreRateLimited(t *testing.T) {
	s := serve(t, nil)
	s.limits.RequestsPerMinute = 2
	for range 2 {
		wantStatus(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"http://e.test/"}`), 200)
	}
	wantProblem(t, s.call(t, "POST", "/v1/webhooks/test", `{"url":"http://e.test/"}`), 429, savepage.CodeRateLimited)
}

// What other services call a key or a secret is not given back, whatever is wrong with it, nor a key under any name.
func TestValuesNamedLikeSecretsAreNotGivenBack(t *testing.T) {
	s := serve(t, nil)
	const secret = "a-secret-of-another-service"
	for _, name := range []string{
		"api_key", "apiKey", "access_token", "secret", "secret_key", "password", "Authorization", "cookie", "hmac", "signature",
	} {
		got := s.call(t, "POST", "/v1/capture", `{"url":"http://a.test","`+name+`":"`+secret+`"}`)
		wantProblem(t, got, 400, savepage.CodeInvalidRequest)
		if strings.Contains(got.body, secret) {
			t.Errorf("%s is given back: %s", name, got.body)
		}
		got = s.call(t, "GET", "/v1/?url=http://a.test&"+name+"="+secret, "")
		if strings.Contains(got.body, secret) {
			t.Errorf("%s in a query is given back: %s", name, got.body)
		}
	}
	got := s.call(t, "POST", "/v1/capture", `{"url":"http://a.test","anything":"sp_0123456789abcdef"}`)
	if strings.Contains(got.body, "sp_0") {
		t.Errorf("a key is given back: %s", got.body)
	}
	if got := s.call(t, "POST", "/v1/capture", `{"url":"http://a.test","widht":"12"}`); !strings.Contains(got.body, `"value":"12"`) {
		t.Errorf("a harmless value is not given back: %s", got.body)
	}
	for _, path := range []string{"/v1/ca482d7e-9417-4569-90fe-80f7c5e1c781/png", "/v1/" + keyA + "/png"} {
		if got := s.call(t, "GET", path+"?url=http://a.test", ""); strings.Contains(got.body, "ca482d7e") || strings.Contains(got.body, keyA) {
			t.Errorf("the key in %s is given back: %s", path, got.body)
		}
	}
}
