package browser

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A page that computes without end makes way for those that do not, with all its threads.
func TestPageThatComputesYields(t *testing.T) {
	p := pool(t, Config{Pages: 2})
	spins, idle := take(t, p), take(t, p)
	spins.Session().Send("Runtime.evaluate", map[string]any{"expression": `
		const source = URL.createObjectURL(new Blob(["for (;;);"]))
		for (let i = 0; i < 3; i++) new Worker(source)
		setTimeout(() => { for (;;); })`})
	pages := func() []int { return spins.browser.vitals.pids("page") }
	lowest := func(pid int) bool {
		n, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
		return err == nil && n == 20-lastStep
	}
	eventually(t, "the page has the lowest priority", func() bool { return lowest(busiest(pages())) })
	usual, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, pid := range pages() {
		if n, err := unix.Getpriority(unix.PRIO_PROCESS, pid); err == nil && n == usual {
			others++
		}
	}
	if others == 0 {
		t.Error("the pages beside it yield, too")
	}
	mustEvaluate(t, idle, "1", "1")
}

func TestStepsOfPriority(t *testing.T) {
	for used, want := range map[time.Duration]int{
		0: 0, freeTime: 0, freeTime + stepTime: 1, freeTime + 5*stepTime: 5, time.Hour: lastStep,
	} {
		if got := stepOf(used); got != want {
			t.Errorf("after %v: %d, want %d", used, got, want)
		}
	}
}
