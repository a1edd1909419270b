package traffic

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/page/session"
)

// What a page asks for is kept in bounds, however long its addresses are, and is still told apart.
func TestTextsAreBounded(t *testing.T) {
	r := NewRequests(session.NewRouter(), "F", time.Minute)
	long := strings.Repeat("a", 2*longText)
	for i := range 3000 {
		id := strconv.Itoa(i)
		params, err := json.Marshal(map[string]any{
			"requestId": id, "type": "Fetch", "request": map[string]any{"url": "http://x/" + id + long, "method": "GET"},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.requestSent(&session.Target{}, params)
		r.Refuse(id, "http://y/"+id+long, "block_urls", true)
		r.fault("http://z/"+id+long, "status 500")
	}
	kept := 0
	for _, one := range r.open {
		kept += len(one.url)
	}
	for _, one := range r.refusals {
		kept += len(one.url)
	}
	for _, one := range r.faults {
		kept += len(one.url)
	}
	if most := maxTexts + 3*session.MaxTracked*briefly; kept > most || kept < maxTexts/2 {
		t.Errorf("%d bytes are kept, want at most %d", kept, most)
	}
	if !r.Asks("http://x/7"+long) || r.Asks("http://w/7"+long) || r.Asks("http://x") {
		t.Error("an open request is not found, or one that was never made is")
	}
}

// A request whose body is too long to be told is no repetition of another.
func TestLongBodiesAreNoPoll(t *testing.T) {
	r := NewRequests(session.NewRouter(), "F", time.Minute)
	for i := range 10 {
		r.requestSent(&session.Target{}, json.RawMessage(`{"requestId":"`+strconv.Itoa(i)+
			`","type":"Fetch","request":{"url":"http://x/","method":"POST","hasPostData":true}}`))
	}
	if n := r.Waiting(); n != 10 {
		t.Errorf("%d requests are waited for", n)
	}
}
