package page

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/blocklist"
	"github.com/savepage/savepage/internal/guard"
)

//go:embed filter.js
var filterScript string

// filter sets up what the page is to do without.
func (j *job) filter() error {
	if !j.o.BlockAds && !j.o.BlockTrackers && !j.o.BlockCookieBanners {
		return nil
	}
	lists, err := j.lists()
	if err != nil {
		return fmt.Errorf("filter the page: %w", err)
	}
	if lists := lists.Filter(blocklist.Wanted{Ads: j.o.BlockAds, Trackers: j.o.BlockTrackers}); len(lists) > 0 {
		page := lists.Document(j.to.url)
		j.tab.Identity().Refuse(func(host string) bool { return j.refuses(lists, page, host) })
	}
	if !j.o.BlockCookieBanners {
		return nil
	}
	css, err := json.Marshal(blocklist.CookieCSS())
	if err != nil {
		return fmt.Errorf("filter the page: %w", err)
	}
	j.send(cdpage.CommandAddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("(%s)(%s)", filterScript, css), WorldName: besideWorld,
	})
	return nil
}

// refuses reports whether a listed host is one that the page can do without.
func (j *job) refuses(lists blocklist.Filter, page blocklist.Document, host string) bool {
	listed := func(host string) bool {
		return lists.Decide(blocklist.Request{URL: "https://" + host + "/", Type: blocklist.XHR, Document: page}).Blocked
	}
	if !listed(host) || j.w.needs(host, listed) {
		return false
	}
	j.w.catchUp()
	return !j.w.needs(host, listed)
}

// catchUp waits until all is heard that the browser has said so far. A document's request can reach the proxy before its
// event is read.
func (w *watch) catchUp() {
	p := w.s.Send(target.CommandGetTargetInfo, nil)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-timer.C:
	}
}

// hideFiltered hides what the browser draws in place of pictures that were filtered.
func (j *job) hideFiltered(ctx context.Context) error {
	var hosts, urls []string
	for _, e := range j.tab.Identity().Events() {
		if e.Kind == guard.Filtered {
			hosts = append(hosts, e.Host)
		}
	}
	j.w.mu.Lock()
	for _, one := range j.w.net.refusals {
		if one.picture {
			urls = append(urls, one.url)
		}
	}
	j.w.mu.Unlock()
	if len(hosts)+len(urls) == 0 {
		return nil
	}
	return j.ask(ctx, 0, nil, "hide", hosts, urls)
}

// needs reports whether the page itself lies on the host, or on the same listed site as it.
func (w *watch) needs(host string, listed func(host string) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.nav.hosts, func(own string) bool {
		return host == own || listed(own) && strings.HasSuffix(host, "."+strings.TrimPrefix(own, "www."))
	})
}

// asksFor notes where the page's own document is asked for. The lock is held.
func (w *watch) asksFor(url string) {
	host, _ := authority(url)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !slices.Contains(w.nav.hosts, host) {
		w.nav.hosts = append(w.nav.hosts, host)
	}
}
