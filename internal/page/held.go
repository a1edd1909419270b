package page

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/block"
	"github.com/savepage/savepage/internal/page/traffic"
)

// needsBlank reports whether a render begins on a blank page: one that is asked something, whose process is to work in another way
// before it has a document, or whose first request is to come from another browser.
func needsBlank(o savepage.Options) bool {
	asked := len(o.Hide)+len(o.Click)+len(o.Steps) > 0 || o.CSS+o.Timezone+o.Locale != ""
	scripted := o.Time == savepage.TimeVirtual || o.BlockCookieBanners || block.Wanted(o).Any()
	return asked || scripted || o.Device+o.UserAgent != ""
}

// afterAbort is how long after a navigation was given up the browser may say that it was for a download.
const afterAbort = time.Second

// arrive lets a page that is held go to its address, and returns when its document has begun to come and the tab is prepared.
func (s *setup) arrive(ctx context.Context) error {
	s.tab.Release()
	var is traffic.Arrival
	var since time.Time // the browser has given the navigation up, and has not said why
	err := s.events.Until(ctx, func() (bool, time.Duration) {
		is = s.main.Arrival()
		switch {
		case is.Came, is.Download:
			return true, 0
		case is.Failure != aborted, !s.broughtPage(s.main.URL()):
			return is.Failure != "", 0
		case since.IsZero():
			since = time.Now()
		}
		left := afterAbort - time.Since(since)
		return left <= 0, max(left, time.Millisecond)
	})
	switch {
	case err != nil:
		return err
	case is.Download:
		return isDownload(s.to.URL)
	case !is.Came:
		return s.unreachable(s.main.URL(), is.Failure)
	}
	if err := s.broken(); err != nil {
		return err
	}
	return s.sent.Wait(ctx)
}
