package browser

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
)

func takeMoving(t *testing.T, p *Pool) *Tab {
	t.Helper()
	tab, err := p.TakeMoving(within(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	return tab
}

// The browser whose pictures move shares the slots of the other, lives while it is used, and leaves nothing.
func TestMovingBrowserComesAndGoes(t *testing.T) {
	p := pool(t, Config{Pages: 1, MovingIdle: 20 * time.Millisecond})
	for range 2 {
		tab := takeMoving(t, p)
		if s := p.Stats(); s.Browsers != 2 || s.InUse != 1 || tab.browser == p.current {
			t.Errorf("%+v", s)
		}
		full, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		if _, err := p.Take(full); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second page at once: %v", err)
		}
		cancel()
		mustEvaluate(t, tab, "1", "1")
		tab.Close()
		gone(t, tab.browser)
		eventually(t, "one browser and no slot taken", func() bool { s := p.Stats(); return s.Browsers == 1 && s.InUse == 0 })
	}
	mustEvaluate(t, take(t, p), "1", "1")
	if s := p.Stats(); s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMovingBrowserThatDies(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	other, tab := take(t, p), takeMoving(t, p)
	if err := unix.Kill(tab.browser.process.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "Lost", tab.Lost())
	tab.Close()
	next := takeMoving(t, p)
	mustEvaluate(t, next, "1", "1")
	mustEvaluate(t, other, "1", "1")
	gone(t, tab.browser)
	if s := p.Stats(); s.Restarts != 1 || s.InUse != 2 {
		t.Errorf("%+v", s)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	gone(t, next.browser)
	if _, err := p.TakeMoving(t.Context()); code(err) != savepage.CodeShuttingDown {
		t.Errorf("after Close: %v", err)
	}
}
