package browser

import (
	"testing"
	"time"
)

// A browser that nobody uses ends, and the pool is as ready as before: the next caller has one started.
func TestIdleBrowserEnds(t *testing.T) {
	p := pool(t, Config{Pages: 2, Warm: 1, Idle: 200 * time.Millisecond})
	var ended *chromium
	for range 2 {
		tab := take(t, p)
		if tab.browser == ended {
			t.Fatal("the browser that has ended serves")
		}
		ended = tab.browser
		eventually(t, "looks that find it in use", func() bool { return time.Since(tab.browser.born) > time.Second })
		still(t, "a browser in use ended", tab.Lost())
		mustEvaluate(t, tab, "1", "1")
		tab.Close()
		gone(t, ended)
		eventually(t, "no browser", func() bool { s := p.Stats(); return s.Browsers == 0 && s.Warm == 0 })
		if err := p.Ready(); err != nil {
			t.Errorf("without a browser that is needed: %v", err)
		}
	}
	if _, all := p.Roster(); p.Stats().Restarts != 0 || len(all) != 0 {
		t.Errorf("%+v, replaced %+v", p.Stats(), all)
	}
}
