package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// spinner shows on a terminal that something is under way. Elsewhere it shows nothing.
type spinner struct {
	done  chan struct{}
	ended sync.WaitGroup
}

// startProgress shows what is being captured and for how long. The caller stops it before it prints anything itself.
func startProgress(to io.Writer, what string) *spinner {
	p := &spinner{done: make(chan struct{})}
	if !isTerminal(to) {
		return p
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription("capturing "+what),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetSpinnerChangeInterval(0), // turn drives it: no goroutine of its own
		progressbar.OptionClearOnFinish(),
	)
	p.ended.Go(func() { p.turn(bar) })
	return p
}

func (p *spinner) turn(bar *progressbar.ProgressBar) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = bar.Add(1)
		case <-p.done:
			_ = bar.Finish()
			return
		}
	}
}

// stop clears the line and returns when it is clear.
func (p *spinner) stop() {
	close(p.done)
	p.ended.Wait()
}

// isTerminal reports whether a person reads the output.
func isTerminal(to io.Writer) bool {
	f, isFile := to.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}
