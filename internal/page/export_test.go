package page

import (
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/page/session"
)

// Wrap has the renderer send its commands through what wrap returns.
func (r *Renderer) Wrap(wrap func(session.Session) session.Session) {
	r.session = func(tab *browser.Tab) session.Session { return wrap(pageOf(tab)) }
}
