package browser

import (
	"testing"

	"golang.org/x/sys/unix"
)

// flood makes a page give its browser more to do than it can: words to the console, which the browser's one thread takes
// whether or not anybody listens.
const flood = `setInterval(() => { for (let i = 0; i < 20000; i++) console.log('x'.repeat(100)) }, 0); 1`

// A page that keeps its browser from every other one loses it, and is known as the cause. The others lose it without a fault of
// theirs.
func TestOverworkedBrowserIsReplaced(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	bad, good := take(t, p), take(t, p)
	bad.Session().Send("Runtime.enable", nil)
	mustEvaluate(t, bad, flood, "1")
	await(t, "Lost", good.Lost())
	if good.KeptWaiting() == 0 {
		t.Error("nobody was kept waiting")
	}
	if good.Sound() || good.Broke() {
		t.Error("the browser was sound, or the other page was its end")
	}
	if !bad.Broke() {
		t.Error("the page that did it is not known")
	}
	bad.Close()
	good.Close()
	next := take(t, p)
	mustEvaluate(t, next, "1", "1")
	if next.KeptWaiting() != 0 {
		t.Error("the next page was kept waiting")
	}
}

// A page that has a browser to itself keeps only itself waiting: its browser lives for as long as it answers at all.
func TestPageAloneMayKeepItsBrowserBusy(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	alone := takeApart(t, p)
	alone.Session().Send("Runtime.enable", nil)
	mustEvaluate(t, alone, flood, "1")
	await(t, "the end of its session", alone.Session().Done()) // much later than the end of a shared browser
	still(t, "the browser ended", alone.Lost())
	if alone.KeptWaiting() != 0 {
		t.Error("the page was kept waiting by others")
	}
}

// A late answer is no sign of work: a process that does not run is for others to judge.
func TestLateAnswerAloneIsNoWork(t *testing.T) {
	p := pool(t, Config{Pages: 1})
	b, first, err := p.launcher.launch(within(t)) // nobody watches this one
	if err != nil {
		t.Fatal(err)
	}
	defer first.identity.Close()
	defer b.stop()
	b.vitals.pool = p
	b.vitals.look()
	beats := b.vitals.pulse
	beats.inUse = func() bool { return true }
	beats.beat()
	for _, h := range beats.hearts {
		await(t, "the answer of the "+h.process+" process", h.asked.Done())
		if h.worked() == (work{}) {
			t.Errorf("the %s process has not worked", h.process)
		}
	}
	for _, h := range beats.hearts {
		if err := unix.Kill(sharedProcess(t, b, h.process), unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		if why := beats.beat(); why != "" || beats.lateness() > 0 {
			t.Fatal("a process that does not run counts as one that works: " + why)
		}
	}
}
