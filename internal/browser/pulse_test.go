package browser

import "testing"

// flood makes a page give its browser more to do than it can: words to the console, which the browser's one thread takes
// whether or not anybody listens.
const flood = `setInterval(() => { for (let i = 0; i < 50000; i++) console.log('words') }, 0); 1`

// long makes a page tell its session a lot, by which it is known when its browser has too much to do.
const long = `for (let i = 0; i < 20; i++) console.log('x'.repeat(1 << 20)); 1`

// A page that keeps its browser from every other one loses it, and is known as the cause. The others lose it without a fault of
// theirs.
func TestOverworkedBrowserIsReplaced(t *testing.T) {
	const floods = 4 // that one thread is behind them also where the machine is busy
	p := pool(t, Config{Pages: floods + 1})
	bad, good := take(t, p), take(t, p)
	bad.Session().Send("Runtime.enable", nil)
	mustEvaluate(t, bad, long, "1")
	bad.Session().Send("Runtime.disable", nil)
	others := []*Tab{bad}
	for range floods - 1 {
		others = append(others, take(t, p))
	}
	for _, one := range others {
		defer one.Close()
		one.Session().Send("Runtime.evaluate", map[string]any{"expression": flood})
	}
	loses(t, good)
	if !bad.Broke() {
		t.Error("the page that did it is not known")
	}
}

// loses waits until a page has lost its browser through no fault of its own, having been kept waiting, and expects that there is
// another browser.
func loses(t *testing.T, good *Tab) {
	t.Helper()
	await(t, "Lost", good.Lost())
	if good.KeptWaiting() == 0 {
		t.Error("nobody was kept waiting")
	}
	if good.Sound() || good.Broke() {
		t.Error("the browser was sound, or the other page was its end")
	}
	good.Close()
	mustEvaluate(t, take(t, good.pool), "1", "1")
}

// A page that has a browser to itself keeps only itself waiting: its browser lives for as long as it answers at all.
func TestPageAloneMayKeepItsBrowserBusy(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	alone := takeApart(t, p)
	alone.Session().Send("Runtime.enable", nil)
	mustEvaluate(t, alone, `setInterval(() => { for (let i = 0; i < 20000; i++) console.log('x'.repeat(100)) }, 0); 1`, "1")
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
		freeze(t, sharedProcess(t, b, h.process))
	}
	beats.beat() // what they did until they were stopped
	before := beats.lateness()
	for range 100 {
		if why := beats.beat(); why != "" || beats.lateness() > before {
			t.Fatal("a process that does not run counts as one that works: " + why)
		}
	}
}
