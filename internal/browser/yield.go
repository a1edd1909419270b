package browser

import "time"

const (
	freeTime = 2 * time.Second        // of the processor, which a page's process has at the usual priority
	stepTime = 300 * time.Millisecond // more of it, for each step of its priority down
	lastStep = 19                     // the lowest priority
)

// yielding lowers the priority of the processes of pages, one by one, the more of the processor they have used: a page that
// computes without end, and one that does so on many threads, leaves the processor to the pages beside it that do not. A page
// alone on the machine is not slower for it.
type yielding struct{ steps map[int]int } // by process

// look is given the processes of pages that live.
func (y *yielding) look(pages []int) {
	known := y.steps
	y.steps = map[int]int{}
	for _, pid := range pages {
		step := stepOf(processorTime(pid))
		if step > known[pid] {
			setPriority(pid, step)
		}
		y.steps[pid] = max(step, known[pid])
	}
}

func stepOf(used time.Duration) int { return int(min(max(0, (used-freeTime)/stepTime), lastStep)) }
