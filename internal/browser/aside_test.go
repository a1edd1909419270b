package browser

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
)

func takeApart(t *testing.T, p *Pool) *Tab {
	t.Helper()
	tab, err := p.TakeApart(within(t), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	return tab
}

// A browser for one capture dies without harm to the others, counts as one of the pages at once, and leaves nothing.
func TestBrowserApart(t *testing.T) {
	p := pool(t, Config{Pages: 3})
	other, first, second := take(t, p), takeApart(t, p), takeApart(t, p)
	if s := p.Stats(); s.Browsers != 3 || s.InUse != 3 || first.browser == second.browser || first.browser == p.current {
		t.Errorf("%+v", s)
	}
	if err := unix.Kill(first.browser.process.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "Lost", first.Lost())
	first.Close()
	gone(t, first.browser)
	mustEvaluate(t, second, "1", "1")
	mustEvaluate(t, other, "1", "1")
	second.Close()
	gone(t, second.browser)
	eventually(t, "one browser, with its one page", func() bool { s := p.Stats(); return s.Browsers == 1 && s.InUse == 1 })
	last := takeApart(t, p)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	gone(t, last.browser)
	if _, err := p.TakeApart(t.Context(), false); code(err) != savepage.CodeShuttingDown {
		t.Errorf("after Close: %v", err)
	}
}
