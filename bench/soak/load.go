package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// most captures that may be open at once: the clients wait beyond it.
const mostOpen = 60

// load is what the clients ask for, and what they were told.
type load struct {
	*service // that is measured
	book

	ask   asker // whom the clients ask
	site  *site
	pages []string // paths of pages
	slow  bool     // also receivers that hang
}

// asker takes requests of clients, and returns status and body of the answer.
type asker interface {
	call(ctx context.Context, method, path string, body any, header ...string) (int, []byte, error)
}

// book is what the service has acknowledged, and what came of it.
type book struct {
	lock      sync.Mutex
	accepted  map[string]*accepted
	open      []string // accepted, and not seen at their end
	batches   []string // that owe an event
	mismatch  []string // what was wrong at once
	latencies []time.Duration
	refused   map[string]int // answers that accepted nothing, by status
}

// accepted is a capture that the service has acknowledged.
type accepted struct {
	callback bool
	canceled bool // a client has asked for it
	deleted  bool // its record may be gone
	state    string
	fault    string
}

func newLoad(v *service, at *site, pages []string, slow bool) *load {
	return &load{
		service: v, ask: v, site: at, pages: pages, slow: slow, book: book{accepted: map[string]*accepted{}, refused: map[string]int{}},
	}
}

// goodPages end in success, whatever else happens.
func goodPages() []string {
	return []string{
		"/a", "/b", "/bands", "/shop?n=12", "/docs", "/feed", "/fonts", "/frames", "/elements", "/layout", "/still-fades", "/dressed",
		"/scroll-lazy", "/wide", "/rtl", "/kinds", "/shadow",
	}
}

// badPages are hostile or broken.
func badPages() []string {
	return []string{
		"/spin", "/alert-loop", "/js-loop", "/meta-loop", "/popup", "/crash", "/infinite", "/redirect-loop", "/notfound", "/dialogs",
	}
}

// run asks until ctx ends.
func (l *load) run(ctx context.Context, clients int) {
	var group sync.WaitGroup
	kinds := []func(context.Context){
		l.sync, l.async, l.async, l.batch, l.cached, l.idempotent, l.cancel, l.remove,
	}
	for range clients {
		group.Go(func() {
			for ctx.Err() == nil {
				kinds[rand.IntN(len(kinds))](ctx) //nolint:gosec // it is not for secrets
				l.drain(ctx)
			}
		})
	}
	group.Wait()
}

func pick[T any](list []T) T { return list[rand.IntN(len(list))] } //nolint:gosec // it is not for secrets

// options are those of one capture.
func (l *load) options(more map[string]any) map[string]any {
	all := map[string]any{"url": l.site.URL + pick(l.pages), "async": true, "timeout": l.timeout()}
	maps.Copy(all, pick([]map[string]any{
		{}, {"fullpage": true}, {"format": "jpeg"}, {"format": "webp", "width": 800}, {"format": "pdf"}, {"block_ads": true},
		{"delay": 100}, {"thumb_width": 200}, {"animations": "allow"}, {"device": "iPhone 15"},
	}))
	hooks := []string{"", "fast", "fast", "flaky"}
	if l.slow {
		hooks = append(hooks, "hang")
	}
	if hook := pick(hooks); hook != "" {
		all["callback_url"] = l.site.hooks[hook]
	}
	maps.Copy(all, more)
	return all
}

// timeout is short where pages may hang. Good ones get time enough on a machine that is busy: the largest takes 6 s alone and 30 s
// with five others on two cores.
func (l *load) timeout() int {
	if l.slow {
		return 15_000
	}
	return 180_000
}

// told is what is read of an answer.
type told struct {
	Status    string   `json:"status"`
	CaptureID string   `json:"capture_id"`
	BatchID   string   `json:"batch_id"`
	IDs       []string `json:"capture_ids"`
	Error     *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// post submits and notes what was acknowledged. It returns nil when nothing was.
func (l *load) post(ctx context.Context, path string, options map[string]any, header ...string) *told {
	status, text, err := l.ask.call(ctx, http.MethodPost, path, options, header...)
	var got told
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if ctx.Err() != nil && err != nil {
		return nil
	}
	if err != nil || status >= 300 && got.CaptureID == "" {
		pause(ctx, 100*time.Millisecond) // it may be starting
		l.lock.Lock()
		defer l.lock.Unlock()
		if status == http.StatusBadRequest {
			l.mismatch = append(l.mismatch, fmt.Sprintf("refused as wrong: %s", text))
		}
		l.refused[strconv.Itoa(status)]++
		return nil
	}
	l.note(&got, options["callback_url"] != nil)
	return &got
}

// note records what an answer acknowledges.
func (b *book) note(got *told, callback bool) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, id := range append(got.IDs, got.CaptureID) {
		if id != "" && b.accepted[id] == nil {
			b.accepted[id] = &accepted{callback: callback}
			b.open = append(b.open, id)
		}
	}
}

func (b *book) mark(id string, change func(a *accepted)) {
	b.lock.Lock()
	defer b.lock.Unlock()
	change(b.accepted[id])
}

func (l *load) sync(ctx context.Context) {
	began := time.Now()
	if got := l.post(ctx, "/v1/capture", l.options(map[string]any{"async": false})); got != nil && got.Status == "success" {
		l.lock.Lock()
		defer l.lock.Unlock()
		l.latencies = append(l.latencies, time.Since(began))
	}
}

func (l *load) async(ctx context.Context) { l.post(ctx, "/v1/capture", l.options(nil)) }

func (l *load) cached(ctx context.Context) {
	l.post(ctx, "/v1/capture", l.options(map[string]any{"cache_ttl": 20, "async": rand.IntN(2) == 0})) //nolint:gosec // it is not for secrets
}

func (l *load) batch(ctx context.Context) {
	options := l.options(nil)
	delete(options, "async")
	delete(options, "url")
	var urls []string
	for range 4 {
		urls = append(urls, l.site.URL+pick(l.pages))
	}
	body := map[string]any{"urls": urls, "options": options, "batch_callback_url": l.site.hooks["fast"]}
	if got := l.post(ctx, "/v1/batches", body); got != nil {
		l.lock.Lock()
		defer l.lock.Unlock()
		l.batches = append(l.batches, got.BatchID)
		for _, id := range got.IDs {
			l.accepted[id].callback = options["callback_url"] != nil
		}
	}
}

// idempotent submits twice under one key: the second answer must name the first capture.
func (l *load) idempotent(ctx context.Context) {
	key, options := fmt.Sprintf("soak-%d", rand.Int64()), l.options(nil) //nolint:gosec // it is not for secrets
	first := l.post(ctx, "/v1/capture", options, "Idempotency-Key", key)
	second := l.post(ctx, "/v1/capture", options, "Idempotency-Key", key)
	if first != nil && second != nil && first.CaptureID != second.CaptureID {
		l.lock.Lock()
		defer l.lock.Unlock()
		l.mismatch = append(l.mismatch, fmt.Sprintf("one Idempotency-Key made %s and %s", first.CaptureID, second.CaptureID))
	}
}

func (l *load) cancel(ctx context.Context) {
	got := l.post(ctx, "/v1/capture", l.options(nil))
	if got == nil {
		return
	}
	pause(ctx, time.Duration(rand.IntN(300))*time.Millisecond)                      //nolint:gosec // it is not for secrets
	l.mark(got.CaptureID, func(a *accepted) { a.canceled, a.deleted = true, true }) // it may have ended before: then it is deleted
	_, _, _ = l.ask.call(ctx, http.MethodDelete, "/v1/captures/"+got.CaptureID, nil)
}

// remove deletes a capture after its end.
func (l *load) remove(ctx context.Context) {
	got := l.post(ctx, "/v1/capture", l.options(nil))
	if got == nil || !l.await(ctx, got.CaptureID) {
		return
	}
	l.mark(got.CaptureID, func(a *accepted) { a.deleted = true })
	_, _, _ = l.ask.call(ctx, http.MethodDelete, "/v1/captures/"+got.CaptureID, nil)
}

// await returns true when the capture has ended, and false when ctx has.
func (l *load) await(ctx context.Context, id string) bool {
	for ctx.Err() == nil {
		if l.look(ctx, id) {
			return true
		}
		pause(ctx, 50*time.Millisecond)
	}
	return false
}

// look asks for a capture and notes its end.
func (l *load) look(ctx context.Context, id string) (ended bool) {
	status, text, err := l.ask.call(ctx, http.MethodGet, "/v1/captures/"+id, nil)
	var got told
	gone := err == nil && status == http.StatusNotFound // whose status is a number, unlike a capture's
	if !gone && (err != nil || json.Unmarshal(text, &got) != nil) {
		return false
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	a := l.accepted[id]
	switch {
	case gone:
		a.state = "gone"
	case status != http.StatusOK:
		return false
	case got.Status == "success" || got.Status == "canceled":
		a.state = got.Status
	case got.Status == "failed":
		a.state = got.Status
		if got.Error != nil {
			a.fault = got.Error.Code + ": " + got.Error.Message
		}
	default:
		return false
	}
	l.open = slices.DeleteFunc(l.open, func(one string) bool { return one == id })
	return true
}

// drain waits while too much is open.
func (l *load) drain(ctx context.Context) {
	for ctx.Err() == nil {
		l.lock.Lock()
		count := len(l.open)
		oldest := ""
		if count > 0 {
			oldest = l.open[rand.IntN(min(count, 8))] //nolint:gosec // it is not for secrets
		}
		l.lock.Unlock()
		if count <= mostOpen {
			return
		}
		if !l.look(ctx, oldest) {
			pause(ctx, 20*time.Millisecond)
		}
	}
}
