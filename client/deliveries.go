package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/savepage/savepage"
)

// DeliveryFilter selects deliveries. The zero value selects all.
type DeliveryFilter struct {
	State     savepage.DeliveryState
	CaptureID string
	Limit     int    // of a page, 1 to 100; 0 is the server's default
	Cursor    string // Next of the previous page
}

// DeliveryPage is one page of deliveries, newest first.
type DeliveryPage struct {
	Deliveries []savepage.Delivery `json:"deliveries"`
	Next       string              `json:"next_cursor"` // empty at the end
}

// Redelivered is the answer to RedeliverDead.
type Redelivered struct {
	Count  int       `json:"redelivered"`
	LastAt time.Time `json:"last_at"` // when the last of them is due; zero if there are none
}

// Deliveries returns one page of deliveries with their attempts, newest first.
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter) (DeliveryPage, error) {
	query := url.Values{}
	for name, value := range map[string]string{"state": string(f.State), "capture_id": f.CaptureID, "cursor": f.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	path := "/v1/deliveries"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var page DeliveryPage
	_, err := c.call(ctx, call{method: http.MethodGet, path: path}, &page)
	return page, err
}

// Delivery looks a delivery up, with its body and the request of each attempt.
func (c *Client) Delivery(ctx context.Context, id string) (savepage.Delivery, error) {
	var found struct {
		savepage.Delivery

		Body string `json:"body"`
	}
	_, err := c.call(ctx, call{method: http.MethodGet, path: "/v1/deliveries/" + url.PathEscape(id)}, &found)
	found.Delivery.Body = []byte(found.Body)
	return found.Delivery, err
}

// Redeliver makes a delivery due now. One that has ended starts a new schedule.
func (c *Client) Redeliver(ctx context.Context, id string) (savepage.Delivery, error) {
	var again savepage.Delivery
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/deliveries/" + url.PathEscape(id) + "/redeliver"}, &again)
	return again, err
}

// RedeliverDead sends all deliveries again that died at since or later, one after another. A second call does not send them
// twice.
func (c *Client) RedeliverDead(ctx context.Context, since time.Time) (Redelivered, error) {
	var again Redelivered
	body := map[string]string{"since": since.UTC().Format(time.RFC3339Nano)}
	_, err := c.call(ctx, call{method: http.MethodPost, path: "/v1/deliveries/redeliver", body: body}, &again)
	return again, err
}
