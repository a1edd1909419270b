package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// TestEventsOfARender watches a capture through the whole program, from the queue to its end, over a kill and a stop.
func TestEventsOfARender(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	heard := make(chan struct{})
	release := sync.OnceFunc(func() { close(heard) })
	page := servePage(t, func(w http.ResponseWriter, r *http.Request) {
		<-heard // so that the capture does not end before it is watched
		greenPage(w, r)
	})
	t.Cleanup(release)
	p.start()
	api := client.New(p.base, p.key, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	id := p.submit(map[string]any{"url": page, "async": true})
	var names []string
	for e, err := range api.Watch(ctx, id) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name+" "+e.Phase)
		if e.Phase == "navigate" {
			release()
		}
		if e.Name == "done" && (e.Capture.Status != savepage.Success || e.Capture.Image == "" || e.Attempt != 1) {
			t.Errorf("%+v", e.Capture)
		}
	}
	want := []string{"queued ", "started ", "phase navigate", "phase settle", "phase shoot", "phase encode", "phase store", "done "}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}

	id = p.submit(map[string]any{"url": site + "/a", "async": true, "delay": 3000})
	ends := []func(){p.kill, func() {
		if err := p.terminate(); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
	}}
	last := 0
	for e, err := range api.Watch(ctx, id) {
		if err != nil {
			t.Fatal(err)
		}
		if e.ID <= last {
			t.Errorf("event %d after %d", e.ID, last)
		}
		last = e.ID
		if e.Phase == "settle" && len(ends) > 0 {
			ends[0]()
			ends = ends[1:]
			p.start()
		}
		if e.Name == "done" && e.Capture.Status != savepage.Success {
			t.Errorf("%+v", e.Capture)
		}
	}
	if last%10 != 9 {
		t.Errorf("the last event is %d", last)
	}
}
