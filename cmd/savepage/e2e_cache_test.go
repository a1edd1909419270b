package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// TestEqualCapturesRenderOnce has them wait for one that is running when the program is killed.
func TestEqualCapturesRenderOnce(t *testing.T) {
	t.Parallel()
	// The page is not answered before the kill.
	var asked atomic.Int32
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			<-r.Context().Done()
		}
		greenPage(w, r)
	})
	p := newProgram(t)
	hook := newReceiver(t, p.secret, takes)
	p.start()
	options := map[string]any{"url": page, "width": 320, "height": 240, "cache_ttl": 3600, "callback_url": hook.URL}
	var ids []string
	for range 10 {
		ids = append(ids, p.submit(options))
	}
	p.eventually("a first render", func() bool { return asked.Load() > 0 })
	p.kill()
	p.start()
	p.eventually("ten callbacks", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
	if n := asked.Load(); n != 2 { // once before the kill, once after it
		t.Errorf("the page was asked for %d times", n)
	}
	image := p.lookup(ids[0]).Image
	for _, id := range ids {
		if got := p.lookup(id); got.Status != "success" || got.Image != image {
			t.Errorf("%s has %s, not %s", id, got.Image, image)
		}
	}

	query := url.Values{"url": {page}, "width": {"320"}, "height": {"240"}, "cache_ttl": {"3600"}, "response": {"image"}}
	status, head, first := p.call(http.MethodGet, "/v1/?"+query.Encode(), nil)
	if status != http.StatusOK || head.Get("X-Cache") != "hit" || asked.Load() != 2 {
		t.Errorf("a kept picture: status %d, %v", status, head)
	}
	// Of those that share a picture all but the last are deleted.
	ids = append(ids, head.Get("X-Capture-Id"))
	for i, id := range ids {
		status, _, text := p.call(http.MethodGet, strings.TrimPrefix(image, p.base), nil)
		if status != http.StatusOK || string(text) != string(first) {
			t.Fatalf("the picture after %d deletions: status %d, %d bytes", i, status, len(text))
		}
		if status, _, _ := p.call(http.MethodDelete, "/v1/captures/"+id, nil); status != http.StatusNoContent {
			t.Fatalf("DELETE %s: status %d", id, status)
		}
	}
	if status, _, _ := p.call(http.MethodGet, strings.TrimPrefix(image, p.base), nil); status != http.StatusNotFound {
		t.Errorf("the picture of nobody: status %d", status)
	}
	p.eventually("the hit is counted", func() bool { return p.metric(`savepage_cache_total{outcome="hit"} 1`) })
}
