package dash

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// arrivals is the account's own receiver of callbacks.
type arrivals struct{ *core }

// arrival is an event in the inbox as the pages show it.
type arrival struct {
	savepage.InboxEvent
}

// Title says what the event is about, in words.
func (a arrival) Title() string {
	var body struct{ Status, Event string }
	_ = json.Unmarshal([]byte(a.Body), &body) // a picture has none
	switch {
	case a.Type == savepage.InboxTest:
		return "Test event"
	case a.Type == savepage.InboxBatch:
		return "Batch ended"
	case a.IsFile():
		return "Capture as a file"
	case strings.HasPrefix(body.Event, "render."):
		return "Capture " + strings.TrimPrefix(body.Event, "render.")
	case body.Status != "":
		return "Capture " + body.Status
	}
	return "Capture"
}

// IsFile reports whether the body was a picture.
func (a arrival) IsFile() bool { return a.Body == "" && a.BodyBytes > 0 }

// Cut reports whether only the beginning of the body is kept.
func (a arrival) Cut() bool { return a.Body != "" && int64(len(a.Body)) < a.BodyBytes }

// State is whether the event is verified, in words.
func (a arrival) State() string {
	if a.Verified {
		return "verified"
	}
	return "not verified"
}

// Place is what stands behind the inbox's address; empty for nothing.
func (a arrival) Place() string {
	return strings.TrimPrefix(a.URL, strings.TrimSuffix(savepage.InboxURL, "/"))
}

// Pretty is the body, indented if it is JSON.
func (a arrival) Pretty() string { return prettyJSON(a.Body) }

// prettyJSON is a text, indented if it is JSON.
func prettyJSON(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

// answerWords says what an answer of the inbox does.
func answerWords(a savepage.InboxAnswer) string {
	switch a {
	case savepage.InboxError:
		return "500: fail, it is sent again later"
	case savepage.InboxGone:
		return "410: refuse for good"
	case savepage.InboxSlow:
		return "slow: do not answer in time"
	default:
		return "200: take it"
	}
}

// inbox shows what has arrived, newest first.
func (d *arrivals) inbox(w http.ResponseWriter, r *http.Request, s session) error {
	query := r.URL.Query()
	asked := url.Values{"limit": {strconv.Itoa(pageLength)}, "cursor": query["cursor"]}
	var box savepage.Inbox
	if _, err := d.ask(s, http.MethodGet, withQuery("/v1/inbox", asked), nil, &box); err != nil {
		return err
	}
	events := make([]arrival, len(box.Events))
	for i, e := range box.Events {
		events[i] = arrival{e}
	}
	d.show(w, s, http.StatusOK, "inbox", view{
		"Title": "Inbox", "Inbox": box, "Events": events, "Answers": savepage.InboxAnswers(), "Older": box.NextCursor != "",
		"OlderLink": withQuery(Prefix+"inbox", url.Values{"cursor": {box.NextCursor}}),
		"Newer":     query.Get("cursor") != "", "NewerLink": Prefix + "inbox", "Live": query.Get("cursor") == "", "Self": Prefix + "inbox",
		"Try": withQuery(Prefix+"playground", url.Values{"callback_url": {box.URL}}), "Kept": savepage.MaxInboxEvents,
	})
	return nil
}

// event shows one event, with the picture of its capture.
func (d *arrivals) event(w http.ResponseWriter, r *http.Request, s session) error {
	var e savepage.InboxEvent
	if _, err := d.ask(s, http.MethodGet, "/v1/inbox/"+url.PathEscape(r.PathValue("id")), nil, &e); err != nil {
		return err
	}
	v := view{"Title": arrival{e}.Title(), "Event": arrival{e}}
	if e.CaptureID != "" {
		var c detail
		var refused *problem
		_, err := d.ask(s, http.MethodGet, "/v1/captures/"+url.PathEscape(e.CaptureID), nil, &c)
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		if err == nil && c.Status == savepage.Success { // or it was removed at this moment
			v["Capture"] = c.Capture
		}
	}
	d.show(w, s, http.StatusOK, "event", v)
	return nil
}

// answer sets how the inbox answers.
func (d *arrivals) answer(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_, err := d.ask(s, http.MethodPatch, "/v1/inbox", map[string]any{"answer": r.PostFormValue("answer")}, nil)
	return backToInbox(w, r, err)
}

// empty removes all events.
func (d *arrivals) empty(w http.ResponseWriter, r *http.Request, s session) error {
	_, err := d.ask(s, http.MethodDelete, "/v1/inbox", nil, nil)
	return backToInbox(w, r, err)
}

// test sends a test event to the inbox.
func (d *arrivals) test(w http.ResponseWriter, r *http.Request, s session) error {
	_, err := d.ask(s, http.MethodPost, "/v1/webhooks/test", map[string]any{"url": savepage.InboxURL}, nil)
	return backToInbox(w, r, err)
}

// backToInbox leads back to the inbox, unless there is an error.
func backToInbox(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		http.Redirect(w, r, Prefix+"inbox", http.StatusSeeOther)
	}
	return err
}
