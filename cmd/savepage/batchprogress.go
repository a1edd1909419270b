package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/savepage/savepage"
)

// batchProgress shows the progress of a batch: with a bar on a terminal, elsewhere with a line for each capture.
type batchProgress struct {
	to    io.Writer
	bar   *progressbar.ProgressBar // nil off a terminal
	done  int
	total int
}

// newBatchProgress starts with the captures that earlier runs have done.
func newBatchProgress(to io.Writer, done, total int) *batchProgress {
	p := &batchProgress{to: to, done: done, total: total}
	if isTerminal(to) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(to),
			progressbar.OptionSetDescription("capturing"),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
		_ = p.bar.Add(done)
	}
	return p
}

// report shows that a capture has ended. Only one call is made at a time.
func (p *batchProgress) report(line reportLine) {
	p.done++
	if p.bar != nil {
		_ = p.bar.Add(1)
		return
	}
	text := failureText(line)
	if line.Status == savepage.Success {
		text = fmt.Sprintf("%s  %d×%d, %s, %.1f s", line.File, line.Width, line.Height, bytesText(int(line.Size)), float64(line.MS)/1000)
	}
	_, _ = fmt.Fprintf(p.to, "[%d/%d] %s\n", p.done, p.total, text)
}

func (p *batchProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

func failureText(line reportLine) string {
	page := line.URL
	if page == "" {
		page = "the document"
	}
	return fmt.Sprintf("%d %s  failed: %s", line.Index, page, line.Error)
}
