package savepage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// A receiver of callbacks checks their signatures before it reads them.
func ExampleVerifyRequest() {
	const secret = "whsec_c2VjcmV0IG9mIHRoZXNlIGV4YW1wbGVzIQ=="
	receiver := func(w http.ResponseWriter, r *http.Request) {
		body, err := savepage.VerifyRequest(r, secret)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var event struct {
			CaptureID string         `json:"capture_id"`
			Status    savepage.State `json:"status"`
			Image     string         `json:"image"`
		}
		if err := json.Unmarshal(body, &event); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println(event.CaptureID, event.Status, event.Image)
		w.WriteHeader(http.StatusNoContent)
	}

	answer := httptest.NewRecorder()
	receiver(answer, callback(secret, `{"capture_id":"cap_1","status":"success","image":"https://shots.example/captures/1.png"}`))
	fmt.Println(answer.Code)

	answer = httptest.NewRecorder()
	receiver(answer, callback("whsec_YW5vdGhlciBzZWNyZXQsIG5vdCB0aGUgb25l", `{"capture_id":"cap_2"}`))
	fmt.Println(answer.Code, strings.TrimSpace(answer.Body.String()))
	// Output:
	// cap_1 success https://shots.example/captures/1.png
	// 204
	// 401 no signature matches: the secret is wrong or the body was changed
}

// callback is a callback as the service sends it.
func callback(secret, body string) *http.Request {
	const id = "msg_1"
	now := time.Now()
	signature, err := savepage.SignStandard(secret, id, now, []byte(body))
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.Header.Set(savepage.HeaderSignature, savepage.Sign(secret, []byte(body)))
	r.Header.Set(savepage.HeaderWebhookID, id)
	r.Header.Set(savepage.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(savepage.HeaderWebhookSignature, signature)
	return r
}

// Options that are not given are left out of the JSON; the service fills in their defaults.
func ExampleOptions() {
	text, err := json.Marshal(savepage.Options{URL: "https://example.com", Fullpage: true, Format: savepage.FormatWebP, Hide: []string{".ad"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output:
	// {"url":"https://example.com","fullpage":true,"format":"webp","hide":[".ad"]}
}

// ValidateFields names every fault that lies between several options.
func ExampleOptions_ValidateFields() {
	o := savepage.Options{URL: "https://example.com", HTML: "<h1>Hello</h1>", Format: savepage.FormatJPEG, Transparent: true}
	for _, fault := range o.ValidateFields() {
		fmt.Println(fault)
	}
	// Output:
	// html: must not be given together with url
	// transparent: needs format png or webp
}

// A preset sets the viewport; options that are given override it.
func ExampleOptions_WithDefaults() {
	o := savepage.Options{URL: "https://example.com", Device: "iphone 15", Height: 2000}.WithDefaults()
	fmt.Println(o.Device, o.Width, o.Height, o.Scale, o.Format)
	// Output:
	// iPhone 15 393 2000 3 png
}
