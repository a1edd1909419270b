package browser

import (
	"testing"
	"testing/synctest"
	"time"
)

// A browser that was of use before it died is replaced at once, however many have died.
func TestUsefulBrowserIsReplacedAtOnce(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	for range 5 {
		tab := take(t, p)
		tab.Close()
		tab.browser.process.kill()
		await(t, "Lost", tab.Lost())
	}
	mustEvaluate(t, take(t, p), "1", "1")
	if got := p.keeper.deaths.delay; got > firstDelay { // nothing is being started
		t.Errorf("the next browser would wait for %v", got)
	}
}

// Browsers that die before they are of use are started less and less often, but often enough.
func TestPaceOfStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r retries
		var waits []time.Duration
		for range 12 {
			began := time.Now()
			if !r.wait(nil) {
				t.Fatal("the pool does not close")
			}
			waits = append(waits, time.Since(began))
		}
		if waits[0] != 0 || waits[1] != firstDelay || waits[2] != 2*firstDelay || waits[11] != maxDelay {
			t.Errorf("the waits are %v", waits)
		}
		<-time.After(longLife + time.Second)
		if began := time.Now(); !r.wait(nil) || time.Since(began) != 0 {
			t.Error("a browser that lived for long was not replaced at once")
		}
	})
}
