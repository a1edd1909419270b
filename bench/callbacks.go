package main

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// callbackFor takes captures one after the other, each with a callback, and measures from the end of the capture to the
// request at the receiver. Its rate is one over the median of that.
func callbackFor(ctx context.Context, s *service, while time.Duration, url string) (load, error) {
	hook, err := newHook(ctx)
	if err != nil {
		return load{}, err
	}
	defer hook.close()
	before, err := cpuOf(s.pid())
	if err != nil {
		return load{}, err
	}
	var late []time.Duration
	for began := time.Now(); time.Since(began) < while; {
		if err := s.submit(ctx, map[string]any{"url": url, "callback_url": hook.url}); err != nil {
			return load{}, err
		}
		if err := hook.await(ctx, len(late)+1); err != nil {
			return load{}, err
		}
		ended, err := endedAt(hook.lastID())
		if err != nil {
			return load{}, err
		}
		late = append(late, hook.arrivals()[len(late)].Sub(ended))
		settleDown()
	}
	after, err := cpuOf(s.pid())
	n := len(late)
	return loaded(n, time.Duration(n)*quantile(late, 0.5), before, after), err
}

// endedAt reads when a capture ended from the id of its delivery, which begins with that time, to the millisecond.
func endedAt(id string) (time.Time, error) {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	digits := strings.TrimPrefix(id, "msg_")
	raw, err := base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).DecodeString(digits)
	if err != nil || len(raw) < 8 {
		return time.Time{}, fmt.Errorf("the id of a delivery is %q: %w", id, err)
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw[:8]) >> 16)), nil
}

// submit asks for a capture without waiting for it.
func (s *service) submit(ctx context.Context, options map[string]any) error {
	answer, err := s.post(ctx, "", options)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// lastID is the id of the delivery that arrived last.
func (h *hook) lastID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
