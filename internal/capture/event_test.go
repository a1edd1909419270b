package capture_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

var links = capture.Links{PublicURL: "http://api.test/", CDNURL: "http://cdn.test"}

func ended(state savepage.State) savepage.Capture {
	return savepage.Capture{
		ID: "cap_1", Account: "acc_secret", State: state,
		Options: savepage.Options{
			URL: "https://example.com/?a=1&b=<2>", Fullpage: true, CallbackURL: "https://hook.test/secret",
			Metadata: json.RawMessage(`{"n":1}`),
		},
		FinishedAt: time.Date(2026, 4, 1, 14, 0, 0, 987654321, time.FixedZone("CEST", 7200)),
	}
}

func TestEventOfSuccess(t *testing.T) {
	c := ended(savepage.Success)
	c.Picture = &savepage.Picture{Name: "abc.png", Format: savepage.FormatPNG, Width: 1440, Height: 900, Size: 847291}
	c.Timing = savepage.Timing{QueueMS: 12, RenderMS: 234, TotalMS: 246, Phases: savepage.Phases{Shoot: 7}}
	c.Report = &savepage.Report{HTTPStatus: 200}
	assertEvent(t, c, links, `{"status":"success","capture_id":"cap_1","url":"https://example.com/?a=1&b=<2>",`+
		`"image":"http://cdn.test/captures/abc.png","width":1440,"height":900,"format":"png","size":847291,"fullpage":true,`+
		`"captured_at":"2026-04-01T12:00:00Z","timing":{"queue_ms":12,"render_ms":234,"total_ms":246},`+
		`"report":{"http_status":200,"blank":false,"partial":false,"truncated":false,`+
		`"requests":{"total":0,"failed":0,"blocked":0,"pending":0},"console":{"errors":0,"warnings":0},"dialogs":0,"fonts":{"missing":0}},`+
		`"metadata":{"n":1}}`)
}

// nothing is what a capture without a picture has in the place of one.
const nothing = `"image":null,"width":null,"height":null,"format":null,"size":null,"fullpage":true,"captured_at":null,`

func TestEventOfFailure(t *testing.T) {
	c := ended(savepage.Failed)
	c.Error = savepage.Errorf(savepage.CodeNavigationTimeout, "no answer")
	assertEvent(t, c, links, `{"status":"failed","capture_id":"cap_1","url":"https://example.com/?a=1&b=<2>",`+nothing+
		`"error":{"code":"navigation_timeout","message":"no answer"},"failed_at":"2026-04-01T12:00:00Z",`+
		`"timing":null,"report":null,"metadata":{"n":1}}`)
}

// TestFailureHasEveryFieldOfSuccess holds all that a success may have against the failure of the same capture.
func TestFailureHasEveryFieldOfSuccess(t *testing.T) {
	success := ended(savepage.Success)
	success.BatchID, success.Timing = "bat_1", savepage.Timing{QueueMS: 1, TotalMS: 1}
	success.Picture, success.Report = &savepage.Picture{Name: "abc.png"}, &savepage.Report{}
	for _, state := range []savepage.State{savepage.Failed, savepage.Canceled, savepage.Queued, savepage.Running} {
		other := success
		other.State, other.Picture, other.Report, other.Timing = state, nil, nil, savepage.Timing{}
		have := fieldsOf(t, other)
		for field := range fieldsOf(t, success) {
			if _, found := have[field]; !found {
				t.Errorf("%s lacks %s", state, field)
			}
		}
	}
}

func fieldsOf(t *testing.T, c savepage.Capture) (fields map[string]any) {
	t.Helper()
	text, err := capture.Event(c, links)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestEventOfOtherStates(t *testing.T) {
	assertEvent(t, ended(savepage.Canceled), links, `{"status":"canceled","capture_id":"cap_1",`+
		`"url":"https://example.com/?a=1&b=<2>",`+nothing+`"canceled_at":"2026-04-01T12:00:00Z","timing":null,"report":null,"metadata":{"n":1}}`)
	c := ended(savepage.Queued)
	c.Options.Metadata = nil
	assertEvent(t, c, links, `{"status":"queued","capture_id":"cap_1","url":"https://example.com/?a=1&b=<2>",`+nothing+
		`"timing":null,"report":null}`)
}

func TestLinksWithoutCDN(t *testing.T) {
	l := capture.Links{PublicURL: "http://api.test/"}
	if got := l.Image("x.png"); got != "http://api.test/captures/x.png" {
		t.Errorf("Image = %s", got)
	}
	if got := l.Status("cap_1"); got != "http://api.test/v1/captures/cap_1" {
		t.Errorf("Status = %s", got)
	}
}

func assertEvent(t *testing.T, c savepage.Capture, l capture.Links, want string) {
	t.Helper()
	got, err := capture.Event(c, l)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("event:\n got %s\nwant %s", got, want)
	}
}
