package page_test

import (
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// A delay holds for what the whole page has woken too, and scroll_delay lets a reader stay where the page waits for that. Only what
// must be there is asked for: a slow machine gives a page time that nobody asked for.
func TestDelayOfTheWholePage(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		o           savepage.Options
		slow, dwell bool
	}{
		{savepage.Options{Delay: 1200}, true, false},
		{savepage.Options{Delay: 1200, ScrollDelay: 400}, true, true},
		{savepage.Options{Delay: 1200, Time: savepage.TimeVirtual}, true, false},
	} {
		one.o.URL, one.o.Fullpage = shared.url("/woken"), true
		shot := render(t, one.o)
		img := decode(t, shot)
		slow, dwell := near(img.At(50, 1550), testsite.BoxColor(), 0), near(img.At(50, 2850), testsite.BoxColor(), 0)
		if one.slow && !slow || one.dwell && !dwell || shot.Height != 4800 || shot.Report.Partial {
			t.Errorf("delay %d, scroll_delay %d, %s: the slow part is there: %v, the one to stay at: %v; %d rows, %q",
				one.o.Delay, one.o.ScrollDelay, one.o.Time, slow, dwell, shot.Height, shot.Report.Reasons)
		}
	}
}
