package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/savepage/savepage"
)

// callbackBody is the body of the callback of an ended capture, in the format that was asked for. Where the picture itself is
// sent, it is the event, which the records show.
func callbackBody(c savepage.Capture, links Links) ([]byte, error) {
	failed := c.State == savepage.Failed && c.Error != nil
	switch format := c.Options.CallbackFormat; {
	case format == savepage.CallbackUrlbox:
		return plainJSON(urlboxEvent(c, links))
	case format == savepage.CallbackGotenberg && failed:
		return plainJSON(map[string]any{"status": c.Error.Code.CaptureStatus(), "message": c.Error.Message})
	case (format == savepage.CallbackScreenshotOne || format == savepage.CallbackScreenshotOneJSON) && failed:
		return plainJSON(map[string]any{
			"is_successful": false, "error_code": c.Error.Code, "error_message": c.Error.Message,
			"documentation_url": links.PublicURL + "/docs#" + string(c.Error.Code),
		})
	case format == savepage.CallbackScreenshotOneJSON && c.Picture != nil:
		return plainJSON(map[string]any{"screenshot_url": links.Image(c.Picture.Name)})
	default:
		return Event(c, links)
	}
}

// EventOf is what the event of a delivery tells, whatever its format.
func EventOf(d savepage.Delivery) savepage.EventKind {
	var body struct {
		Status    any    `json:"status"`
		Event     string `json:"event"`
		ErrorCode string `json:"error_code"`
		Message   string `json:"message"`
	}
	_ = json.Unmarshal(d.Body, &body) // it was written above
	switch {
	case d.Store != "":
		return savepage.EventStore
	case d.CaptureID == "":
		return savepage.EventBatch
	case body.Status == string(savepage.Failed), body.Event == "render.failed", body.ErrorCode != "", body.Message != "":
		return savepage.EventFailed
	}
	return savepage.EventSuccess
}

// urlboxRender is an event of Urlbox: https://urlbox.com/docs/webhooks.
type urlboxRender struct {
	Event    string        `json:"event"`
	RenderID string        `json:"renderId"`
	Result   *urlboxResult `json:"result,omitempty"`
	Error    *urlboxError  `json:"error,omitempty"`
	Meta     urlboxMeta    `json:"meta"`
}

type urlboxResult struct {
	RenderURL string `json:"renderUrl"`
	Size      int64  `json:"size"`
}

type urlboxError struct {
	Code    savepage.Code `json:"code"`
	Message string        `json:"message"`
}

type urlboxMeta struct {
	StartTime time.Time `json:"startTime"`
	EndTime   time.Time `json:"endTime"`
}

func urlboxEvent(c savepage.Capture, links Links) urlboxRender {
	event := urlboxRender{RenderID: c.ID, Event: "render.failed", Meta: urlboxMeta{StartTime: c.CreatedAt.UTC(), EndTime: c.FinishedAt.UTC()}}
	if c.Picture != nil && c.Error == nil {
		event.Event = "render.succeeded"
		event.Result = &urlboxResult{RenderURL: links.Image(c.Picture.Name), Size: c.Picture.Size}
	}
	if c.Error != nil {
		event.Error = &urlboxError{Code: c.Error.Code, Message: c.Error.Message}
	}
	return event
}

// plainJSON leaves & < > in addresses unescaped.
func plainJSON(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write the callback: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}
