package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/savepage/savepage"
)

// batchProgress says how a batch comes along: with a bar on a terminal, elsewhere with a line for each capture.
type batchProgress struct {
	to    io.Writer
	bar   *progressbar.ProgressBar // nil off a terminal
	done  int
	total int
}

// newBatchProgress begins with those that an earlier run has done.
func newBatchProgress(to io.Writer, done, total int) *batchProgress {
	t := &batchProgress{to: to, done: done, total: total}
	if isTerminal(to) {
		t.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(to),
			progressbar.OptionSetDescription("capturing"),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
		_ = t.bar.Add(done)
	}
	return t
}

// tell says that a capture has ended. Calls come one after the other.
func (t *batchProgress) tell(line reportLine) {
	t.done++
	if t.bar != nil {
		_ = t.bar.Add(1)
		return
	}
	text := failureText(line)
	if line.Status == savepage.Success {
		text = fmt.Sprintf("%s  %d×%d, %s, %.1f s", line.File, line.Width, line.Height, bytesText(int(line.Size)), float64(line.MS)/1000)
	}
	_, _ = fmt.Fprintf(t.to, "[%d/%d] %s\n", t.done, t.total, text)
}

func (t *batchProgress) end() {
	if t.bar != nil {
		_ = t.bar.Finish()
	}
}

func failureText(line reportLine) string {
	page := line.URL
	if page == "" {
		page = "the document"
	}
	return fmt.Sprintf("%d %s  failed: %s", line.Index, page, line.Error)
}
