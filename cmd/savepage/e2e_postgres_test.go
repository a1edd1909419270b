package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/ledger/pgtest"
)

// TestOnPostgreSQL has one server use a PostgreSQL database: captures, a batch, callbacks and a cancellation outlive that the
// service is killed and that the database crashes.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server := newPostgres(t)
	site := startSite(t)
	p := ward{newProgramOn(t, server.Address("records"))}
	hook := newReceiver(t, p.secret, takes)
	p.start()

	const picture = "/v1/?response=image&width=320&height=240&url="
	status, _, got := p.call(http.MethodGet, picture+url.QueryEscape(site+"/bands?height=300"), nil)
	if status != http.StatusOK || !strings.HasPrefix(string(got), "\x89PNG") {
		t.Errorf("a client that waits got status %d, %d bytes", status, len(got))
	}

	var ids []string
	for i := range 20 {
		ids = append(ids, p.submit(map[string]any{
			"url": fmt.Sprintf("%s/bands?height=300&n=%d", site, i), "width": 320, "height": 240, "callback_url": hook.URL,
		}))
	}
	batch := p.submitBatch(map[string]any{
		"urls": []string{site + "/a?1", site + "/a?2", site + "/a?3"}, "batch_callback_url": hook.URL,
		"options": map[string]any{"width": 320, "height": 240},
	})
	last := p.submit(map[string]any{"url": site + "/a", "delay": 20000, "callback_url": hook.URL})
	p.kill()
	p.start()
	if status, _, text := p.call(http.MethodDelete, "/v1/captures/"+last, nil); status != http.StatusOK {
		t.Errorf("canceled with status %d: %s", status, text)
	}
	p.must(server.Crash(t.Context()))
	p.survives("database", ids, nothing, func() { p.must(server.Serve(t.Context())) })
	p.eventually("every callback", func() bool { return hook.taken(append(ids, batch.BatchID)) == len(ids)+1 })
	hook.check()
	if got := p.lookup(last); got.Status != "canceled" || hook.taken([]string{last}) != 0 {
		t.Errorf("the canceled one: %+v", got)
	}
	if got := p.batch(http.MethodGet, "/v1/batches/"+batch.BatchID, nil, http.StatusOK); got.Counts.Success != 3 {
		t.Errorf("the batch: %+v", got)
	}
	if err := p.terminate(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// newPostgres is a PostgreSQL server of the test's own with the database "records".
func newPostgres(t *testing.T) *pgtest.Server {
	t.Helper()
	server, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Create(t.Context(), "records", ""); err != nil {
		t.Fatal(err)
	}
	return server
}
