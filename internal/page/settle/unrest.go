package settle

import (
	"strings"

	"github.com/savepage/savepage/internal/page/note"
)

// OpenList is up to three open requests for the end of a message.
func (w *Waiter) OpenList() string {
	names := w.Network.Open(3)
	if len(names) == 0 {
		return ""
	}
	return " (open: " + strings.Join(names, ", ") + ")"
}

// noteLate says that the load event did not come. The event itself may be lost: the document knows.
func noteLate(w *Waiter) {
	if w.late && w.seen.Ready != "complete" {
		w.Notes.Partial("the load event did not come%s", w.OpenList())
	}
}

// noteUnrest says what kept the page from settling.
func (w *Waiter) noteUnrest() {
	noteLate(w)
	if !noteOpen(w) && !w.late {
		w.Notes.Partial("the document did not stop changing")
	}
	noteFonts(w)
}

// noteOpen names the requests that did not end, and reports whether there are any.
func noteOpen(w *Waiter) bool {
	open := w.Network.Open(3)
	if len(open) > 0 && !w.late {
		w.Notes.Partial("requests did not end: %s", strings.Join(open, ", "))
	}
	return len(open) > 0
}

// noteFonts names the fonts that are in use and did not come.
func noteFonts(w *Waiter) {
	if !w.seen.Fonts {
		w.Notes.Partial("fonts were not loaded: %s", note.Clean(strings.Join(w.seen.Coming, ", "), 100))
	}
}
