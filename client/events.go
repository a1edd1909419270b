package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Event is an event of a capture.
type Event struct {
	ID      int            // ascends within a capture
	Name    string         // queued, started, phase, retried or done
	Status  savepage.State `json:"status"`
	Attempt int            `json:"attempt"`
	Phase   string         `json:"phase"` // of a phase event: navigate, settle, shoot, encode or store
	Code    savepage.Code  `json:"code"`  // of a retried event: the cause, if known
	At      time.Time      `json:"at"`

	Capture *Capture `json:"-"` // of a done event
}

// maxEvent is the maximum size of one event in bytes.
const maxEvent = 8 << 20

// Watch yields the events of a capture, from queued to done. When a connection breaks or the server restarts, it reconnects
// and continues. It ends with an error when the server refuses or ctx ends.
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		last := 0
		for pause := firstPause; ; pause = min(2*pause, lastPause) {
			before := last
			over, err := c.watchOnce(ctx, id, &last, func(e Event) bool { return yield(e, nil) })
			if over {
				return
			}
			_, refused := errors.AsType[*savepage.Error](err)
			if ctx.Err() != nil {
				refused, err = true, ctx.Err()
			}
			if refused {
				yield(Event{}, err)
				return
			}
			if last > before {
				pause = firstPause
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// watchOnce reads the events of one connection and reports whether the last one was among them.
func (c *Client) watchOnce(ctx context.Context, id string, last *int, yield func(Event) bool) (over bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/captures/"+url.PathEscape(id)+"/events", nil)
	if err != nil {
		return false, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "text/event-stream")
	if *last > 0 {
		req.Header.Set("Last-Event-ID", strconv.Itoa(*last))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		got := answer{status: resp.StatusCode, header: resp.Header, body: body}
		return got.status == http.StatusNoContent, errors.Join(err, refusal(got))
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEvent)
	for {
		e, err := readEvent(lines)
		if err != nil {
			return false, err
		}
		*last = e.ID
		if !yield(e) || e.Name == "done" {
			return true, nil
		}
	}
}

// readEvent reads up to the end of the next event that has a name.
func readEvent(lines *bufio.Scanner) (Event, error) {
	var e Event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		var err error
		switch field {
		case "id":
			e.ID, err = strconv.Atoi(value)
		case "event":
			e.Name = value
		case "data":
			err = e.read(value)
		case "":
			if e.Name != "" {
				return e, nil
			}
		}
		if err != nil {
			return e, fmt.Errorf("read an event: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return e, fmt.Errorf("read the events: %w", err)
	}
	return e, io.EOF
}

func (e *Event) read(data string) error {
	if e.Name != "done" {
		return json.Unmarshal([]byte(data), e)
	}
	var found struct {
		Capture

		Attempts int `json:"attempts"`
	}
	if err := json.Unmarshal([]byte(data), &found); err != nil {
		return err
	}
	e.Status, e.Attempt, e.Capture = found.Status, found.Attempts, &found.Capture
	return nil
}
