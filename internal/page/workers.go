package page

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
)

// workerKind is how the browser names a worker that belongs to one document.
const workerKind = "worker"

const (
	workerAnswer = 50 * time.Millisecond // after which a worker that was asked is at work
	workerStart  = 4 * time.Second       // from when a worker is made until it begins, at most; longer with a long timeout
	workerBusy   = 2 * time.Second       // for which one that does not answer is waited for: it may wait for ever itself; as above
)

// worker is one of the page that has begun. What it asks of the network is the page's.
type worker struct {
	s        *cdp.Session
	url      string
	began    time.Time
	ran      bool         // its script, once, to the end
	requests []string     // their ids
	asked    *cdp.Pending // what it has not answered yet
	since    time.Time    // when it was asked last
	early    bool         // that was before its script had run
	timers   *timers      // what it said last; nil before
}

// workerBegan notes a worker and returns what hears its events.
func (w *watch) workerBegan(s *cdp.Session, url string) map[string]func(json.RawMessage) {
	one := &worker{s: s, url: url, began: time.Now()}
	w.workers[s.ID()] = one
	w.begun[url]++
	w.net.active = one.began // what it does is counted from there
	return map[string]func(json.RawMessage){
		"Inspector.workerScriptLoaded": func(json.RawMessage) { one.ran, w.net.active = true, time.Now() },
		"Network.requestWillBeSent": func(params json.RawMessage) {
			var e struct {
				RequestID string `json:"requestId"`
			}
			if read(params, &e) && len(one.requests) < maxTracked {
				one.requests = append(one.requests, e.RequestID)
			}
			w.requested(params)
		},
		"Network.responseReceived": w.responded,
		"Network.dataReceived":     w.data,
		"Network.loadingFinished":  w.finished,
		"Network.loadingFailed":    w.failed,
	}
}

// workerLeft forgets a worker that has ended, and what it was waiting for.
func (w *watch) workerLeft(params json.RawMessage) {
	var e struct {
		SessionID target.SessionID `json:"sessionId"`
	}
	if !read(params, &e) || w.workers[e.SessionID] == nil {
		return
	}
	for _, id := range w.workers[e.SessionID].requests {
		w.close(id)
	}
	delete(w.workers, e.SessionID)
}

// askWorkers asks every worker of the page what it has still to do, and waits a moment for the answers. The page is asked
// after them: what they have told it, it has then heard.
func (j *job) askWorkers(ctx context.Context) error {
	j.w.mu.Lock()
	var all []*worker
	for _, one := range j.w.workers {
		if one.asked == nil {
			one.since, one.early = time.Now(), !one.ran
			one.asked = one.s.Send(runtime.CommandEvaluate, asksTimers(j.token))
		}
		all = append(all, one)
	}
	j.w.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	limit := time.NewTimer(workerAnswer)
	defer limit.Stop()
	for _, one := range all {
		select {
		case <-one.asked.Done():
			said := answeredTimers(ctx, one.asked)
			j.w.mu.Lock()
			one.asked, one.timers = nil, said
			j.w.mu.Unlock()
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// asksTimers is the question to timers.js in a worker.
func asksTimers(token string) runtime.EvaluateParams {
	const ask = `(t=>{let said=null;addEventListener(t+'!',e=>{said=e.detail},{once:true});dispatchEvent(new Event(t));return said})(%q)`
	yes := true
	return runtime.EvaluateParams{Expression: fmt.Sprintf(ask, token), ReturnByValue: &yes, Silent: &yes}
}

// answeredTimers is what a worker has answered, or nothing when it has ended.
func answeredTimers(ctx context.Context, p *cdp.Pending) *timers {
	var res struct {
		Result struct {
			Value *timers `json:"value"`
		} `json:"result"`
	}
	if p.Wait(ctx, &res) != nil {
		return nil
	}
	return res.Result.Value
}

// atWork says how long it takes at least until the page's workers have done what they are about to do. The lock is held.
func (w *watch) atWork(page *timers) time.Duration {
	if page == nil {
		return 0
	}
	var longest time.Duration
	for _, one := range w.workers {
		longest = max(longest, w.missing(one, page.silence()))
	}
	if all := w.everyMade(page); w.starting(all) || w.talking(all, page.silence()) {
		longest = max(longest, brief)
	}
	return longest
}

// everyMade are the workers that the page and its workers have made. The lock is held.
func (w *watch) everyMade(page *timers) []made {
	all := page.Workers
	for _, one := range w.workers {
		if one.timers != nil {
			all = append(slices.Clip(all), one.timers.Workers...)
		}
	}
	return all
}

// missing is how long it takes at least until the worker has done what it is about to do. recent is when the page last had a
// message to or from a worker. The lock is held.
func (w *watch) missing(one *worker, recent time.Duration) time.Duration {
	switch {
	case (!one.ran || one.early) && time.Since(one.began) < w.longer(workerStart), one.asked != nil && time.Since(one.since) < w.longer(workerBusy):
		return brief
	case one.asked != nil:
		return 0
	default:
		quiet := min(w.quietAt(one.since), recent, one.timers.silence())
		return max(one.timers.missing(quiet, idle), one.timers.calm()-quiet)
	}
}

// starting reports whether a worker that was made has not begun yet. The lock is held.
func (w *watch) starting(all []made) bool {
	seen := map[string]int{}
	for _, one := range all {
		seen[one.URL]++
		if seen[one.URL] > w.begun[one.URL] && milli(one.Age) < w.longer(workerStart) {
			return true
		}
	}
	return false
}

// talking reports whether a message is on its way to or from a worker, or may be: workers are told apart by their URLs
// only. recent is when the page last had one. The lock is held.
func (w *watch) talking(all []made, recent time.Duration) bool {
	told, heard := map[string]int{}, map[string]int{}
	for _, one := range all {
		told[one.URL] += one.Told
		heard[one.URL] += one.Heard
	}
	for _, one := range w.workers {
		if one.timers != nil {
			told[one.url] -= one.timers.Heard
			heard[one.url] -= one.timers.Said
			recent = min(recent, one.timers.silence())
		}
	}
	if recent >= w.longer(workerBusy) {
		return false
	}
	for _, one := range all {
		if told[one.URL] > 0 || heard[one.URL] < 0 {
			return true
		}
	}
	return false
}

// silence is how long nothing has gone between the page and its workers.
func (t *timers) silence() time.Duration {
	if t == nil || t.Silence < 0 {
		return math.MaxInt64
	}
	return milli(t.Silence)
}
