package progress

import (
	"strconv"
	"sync"
	"testing"

	"github.com/savepage/savepage/internal/capture"
)

func step(seq int) capture.Step { return capture.Step{Seq: seq, Kind: capture.StepPhase} }

func seqs(steps []capture.Step) (list []int) {
	for _, s := range steps {
		list = append(list, s.Seq)
	}
	return list
}

func TestReadersFindWhatTheyMissed(t *testing.T) {
	var h Hub
	h.Step("a", step(1)) // nobody holds it: it is not kept
	h.Begin("a")
	h.Step("a", step(11))
	first := h.Join("a")
	for _, seq := range []int{12, 13, 12, 14} { // the second 12 comes late
		h.Step("a", step(seq))
	}
	<-first.Changed
	select {
	case <-first.Changed:
		t.Error("woken twice for what it had not taken")
	default:
	}
	if got := seqs(first.Since(0)); len(got) != 4 || got[0] != 11 || got[3] != 14 {
		t.Errorf("%v", got)
	}
	second := h.Join("a")
	if got := seqs(second.Since(13)); len(got) != 1 || got[0] != 14 {
		t.Errorf("%v", got)
	}
	if got := second.Since(14); got != nil {
		t.Errorf("%v", got)
	}
	h.End("a")
	if got := seqs(second.Since(0)); len(got) != 4 {
		t.Errorf("after the worker's end: %v", got)
	}
	first.Leave()
	second.Leave()
	if len(h.feeds) != 0 {
		t.Errorf("left behind: %v", h.feeds)
	}
}

// A capture that is given back and taken again is one feed to who watches.
func TestAttemptsFollowOneAnother(t *testing.T) {
	var h Hub
	reader := h.Join("a")
	h.Begin("a")
	h.Step("a", step(17))
	h.End("a")
	h.Begin("a")
	h.Step("a", step(21))
	h.End("a")
	h.End("a") // one too many does no harm
	if got := seqs(reader.Since(0)); len(got) != 2 {
		t.Errorf("%v", got)
	}
	reader.Leave()
	h.Begin("b")
	h.End("b")
	if len(h.feeds) != 0 {
		t.Errorf("left behind: %v", h.feeds)
	}
}

func TestManyAtOnce(t *testing.T) {
	var h Hub
	var group sync.WaitGroup
	for i := range 50 {
		id := strconv.Itoa(i % 5)
		group.Go(func() {
			h.Begin(id)
			for seq := range 20 {
				h.Step(id, step(seq))
			}
			h.End(id)
		})
		group.Go(func() {
			feed := h.Join(id)
			defer feed.Leave()
			last := -1
			for range 20 {
				for _, s := range feed.Since(last) {
					if s.Seq <= last {
						t.Errorf("%d after %d", s.Seq, last)
					}
					last = s.Seq
				}
			}
		})
	}
	group.Wait()
	if len(h.feeds) != 0 {
		t.Errorf("left behind: %v", h.feeds)
	}
}
