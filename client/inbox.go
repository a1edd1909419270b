package client

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/savepage/savepage"
)

// Inbox is the receiver that the account has at the server itself: callbacks to savepage.InboxURL arrive there.
type Inbox struct{ client *Client }

// NewInbox returns the inbox of the client's account.
func NewInbox(c *Client) Inbox { return Inbox{client: c} }

const inboxPath = "/v1/inbox"

// Look returns the inbox with one page of events, newest first. A limit of 0 is the server's default; the cursor is empty for the
// first page.
func (i Inbox) Look(ctx context.Context, limit int, cursor string) (savepage.Inbox, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	path := inboxPath
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var found savepage.Inbox
	_, err := i.client.call(ctx, call{method: http.MethodGet, path: path}, &found)
	return found, err
}

// Event looks one event up.
func (i Inbox) Event(ctx context.Context, id string) (savepage.InboxEvent, error) {
	var found savepage.InboxEvent
	_, err := i.client.call(ctx, call{method: http.MethodGet, path: inboxPath + "/" + url.PathEscape(id)}, &found)
	return found, err
}

// Wait returns the newest event of a capture or a batch, as soon as there is one.
func (i Inbox) Wait(ctx context.Context, id string) (savepage.InboxEvent, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		found, err := i.Look(ctx, savepage.MaxInboxEvents, "")
		if err != nil {
			return savepage.InboxEvent{}, err
		}
		of := func(e savepage.InboxEvent) bool { return e.CaptureID == id || e.BatchID == id }
		if at := slices.IndexFunc(found.Events, of); at >= 0 {
			return found.Events[at], nil
		}
		select {
		case <-ctx.Done():
			return savepage.InboxEvent{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// SetAnswer says how the inbox answers from now on, to see what becomes of callbacks.
func (i Inbox) SetAnswer(ctx context.Context, answer savepage.InboxAnswer) error {
	body := map[string]savepage.InboxAnswer{"answer": answer}
	_, err := i.client.call(ctx, call{method: http.MethodPatch, path: inboxPath, body: body}, nil)
	return err
}

// Empty removes all events.
func (i Inbox) Empty(ctx context.Context) error {
	_, err := i.client.call(ctx, call{method: http.MethodDelete, path: inboxPath}, nil)
	return err
}
