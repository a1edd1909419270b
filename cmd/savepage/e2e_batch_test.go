package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// batchTold is the part of answers and events about batches that the tests look at.
type batchTold struct {
	Event      string          `json:"event"`
	BatchID    string          `json:"batch_id"`
	Status     string          `json:"status"`
	CaptureIDs []string        `json:"capture_ids"`
	Counts     savepage.Counts `json:"counts"`
	Deliveries []struct {
		State string `json:"state"`
	} `json:"deliveries"`
}

func (p *program) submitBatch(body map[string]any) batchTold {
	p.t.Helper()
	return p.batch(http.MethodPost, "/v1/batches", body, http.StatusAccepted)
}

func (p *program) batch(method, path string, body any, want int) (got batchTold) {
	p.t.Helper()
	status, _, text := p.call(method, path, body)
	if err := json.Unmarshal(text, &got); err != nil || status != want {
		p.t.Fatalf("%s %s: status %d, %s", method, path, status, text)
	}
	return got
}

// TestBatchOutlivesKills kills the program again and again while it works on batches.
func TestBatchOutlivesKills(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	done := newReceiver(t, p.secret, takes)
	p.start()
	var batches []batchTold
	var ids []string
	for range 8 {
		batches = append(batches, p.submitBatch(map[string]any{
			"urls":    []string{site + "/bands?height=300", site + "/a", site + "/bands?height=200"},
			"options": map[string]any{"width": 320, "height": 240}, "callback_url": hook.URL, "batch_callback_url": done.URL,
		}))
		ids = append(ids, batches[len(batches)-1].CaptureIDs...)
		wait := time.NewTimer(time.Duration(rand.IntN(500)) * time.Millisecond)
		<-wait.C
		p.kill()
		p.start()
	}
	p.eventually("every callback", func() bool { return hook.taken(ids) == len(ids) })
	for _, b := range batches {
		var got batchTold
		p.eventually("the batch's event is delivered", func() bool {
			got = p.batch(http.MethodGet, "/v1/batches/"+b.BatchID, nil, http.StatusOK)
			return len(got.Deliveries) > 0 && got.Deliveries[0].State == "delivered"
		})
		if got.Status != "ended" || got.Counts != (savepage.Counts{Total: 3, Success: 3}) || len(got.Deliveries) != 1 {
			t.Errorf("%+v", got)
		}
	}
	hook.check()
	done.check()
	if len(done.calls) != len(batches) {
		t.Errorf("%d batches were announced of %d", len(done.calls), len(batches))
	}
}

func TestBatchThatIsCanceled(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	done := newReceiver(t, p.secret, takes)
	p.start()
	b := p.submitBatch(map[string]any{
		"urls": []string{site + "/a", site + "/a?2", site + "/a?3"}, "options": map[string]any{"delay": 20000}, "batch_callback_url": done.URL,
	})
	got := p.batch(http.MethodDelete, "/v1/batches/"+b.BatchID, nil, http.StatusOK)
	if got.Status != "ended" || got.Counts.Canceled != 3 {
		t.Errorf("%+v", got)
	}
	p.eventually("the event", func() bool { return done.taken([]string{b.BatchID}) == 1 })
	if calls := done.of(b.BatchID); len(calls) != 1 {
		t.Errorf("%d events", len(calls))
	}
	done.check()
}
