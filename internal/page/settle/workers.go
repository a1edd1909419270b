package settle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/session"
)

const (
	workerAnswer = 50 * time.Millisecond // after which a worker that was asked is at work
	workerStart  = 4 * time.Second       // from when a worker is made until it begins, at most; longer with a long timeout
	workerBusy   = 2 * time.Second       // for which one that does not answer is waited for: it may wait for ever itself; as above
)

// workers are those of the page that have begun and not ended, and what they have still to do.
type workers struct {
	token   string // by which they are asked for their timers
	script  string // notes their timers; runs first in each
	network Network
	budget  *budget.Budget

	mu    sync.Mutex
	all   map[target.SessionID]*worker
	begun map[string]int // how many have begun, by URL
}

// worker is one of the page that has begun.
type worker struct {
	target *session.Target
	url    string
	began  time.Time
	ran    bool         // its script, once, to the end
	asked  *cdp.Pending // what it has not answered yet
	since  time.Time    // when it was asked last
	early  bool         // that was before its script had run
	timers *timers      // what it said last; nil before
}

// first is what a worker is sent before it begins.
func (w *workers) first(kind string) []session.Command {
	if kind != session.WorkerKind {
		return nil
	}
	return []session.Command{
		{Method: inspector.CommandEnable},
		{Method: runtime.CommandEvaluate, Params: runtime.EvaluateParams{Expression: w.script}},
	}
}

// begin takes in a worker.
func (w *workers) begin(t *session.Target) {
	if t.Kind != session.WorkerKind {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[t.ID] = &worker{target: t, url: t.URL, began: time.Now()}
	w.begun[t.URL]++
}

// scriptLoaded notes that a worker's script has run. What it does is counted from there.
func (w *workers) scriptLoaded(from *session.Target, _ json.RawMessage) {
	w.network.ResetQuiet()
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[from.ID]; one != nil {
		one.ran = true
	}
}

// left forgets a worker that has ended.
func (w *workers) left(_ *session.Target, params json.RawMessage) {
	var e struct {
		SessionID target.SessionID `json:"sessionId"`
	}
	if !session.Read(params, &e) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, e.SessionID)
}

// ask asks every worker of the page what it has still to do, and waits a moment for the answers. The page is asked after
// them: messages that they have sent to it have then arrived.
func (w *workers) ask(ctx context.Context) error {
	all := w.asked()
	if len(all) == 0 {
		return nil
	}
	limit := time.NewTimer(workerAnswer)
	defer limit.Stop()
	for _, one := range all {
		select {
		case <-one.asked.Done():
			said := answeredTimers(ctx, one.asked)
			w.mu.Lock()
			one.asked, one.timers = nil, said
			w.mu.Unlock()
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// asked puts the question to the workers that have answered the last one, and returns all. None for a page whose workers are
// not followed.
func (w *workers) asked() []*worker {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*worker
	for _, one := range w.all {
		if one.asked == nil {
			one.since, one.early = time.Now(), !one.ran
			one.asked = one.target.Send(runtime.CommandEvaluate, asksTimers(w.token))
		}
		all = append(all, one)
	}
	return all
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

// atWork says how long it takes at least until the page's workers have done what they are about to do.
func (w *workers) atWork(page *timers) time.Duration {
	if page == nil || w == nil {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var rest time.Duration
	for _, one := range w.all {
		rest = max(rest, w.missing(one, page.silence()))
	}
	if all := w.everyMade(page); w.starting(all) || w.talking(all, page.silence()) {
		rest = max(rest, brief)
	}
	return rest
}

// everyMade are the workers that the page and its workers have made. The lock is held.
func (w *workers) everyMade(page *timers) []made {
	all := page.Workers
	for _, one := range w.all {
		if one.timers != nil {
			all = append(slices.Clip(all), one.timers.Workers...)
		}
	}
	return all
}

// missing is how long it takes at least until the worker has done what it is about to do. recent is when the page last had a
// message to or from a worker. The lock is held.
func (w *workers) missing(one *worker, recent time.Duration) time.Duration {
	switch {
	case (!one.ran || one.early) && time.Since(one.began) < w.budget.Scaled(workerStart),
		one.asked != nil && time.Since(one.since) < w.budget.Scaled(workerBusy):
		return brief
	case one.asked != nil:
		return 0
	default:
		quiet := min(w.network.QuietAt(one.since), recent, one.timers.silence())
		return max(one.timers.missing(quiet), one.timers.calm()-quiet)
	}
}

// starting reports whether a worker that was made has not begun yet. The lock is held.
func (w *workers) starting(all []made) bool {
	seen := map[string]int{}
	for _, one := range all {
		seen[one.URL]++
		if seen[one.URL] > w.begun[one.URL] && milli(one.Age) < w.budget.Scaled(workerStart) {
			return true
		}
	}
	return false
}

// talking reports whether a message is on its way to or from a worker, or may be: workers are told apart by their URLs
// only. recent is when the page last had one. The lock is held.
func (w *workers) talking(all []made, recent time.Duration) bool {
	told, heard := map[string]int{}, map[string]int{}
	for _, one := range all {
		told[one.URL] += one.Told
		heard[one.URL] += one.Heard
	}
	for _, one := range w.all {
		if one.timers != nil {
			told[one.url] -= one.timers.Heard
			heard[one.url] -= one.timers.Said
			recent = min(recent, one.timers.silence())
		}
	}
	if recent >= w.budget.Scaled(workerBusy) {
		return false
	}
	for _, one := range all {
		if told[one.URL] > 0 || heard[one.URL] < 0 {
			return true
		}
	}
	return false
}
