package settle

import "github.com/savepage/savepage/internal/page/session"

// further is what is asked at once when this look may be the last one: of a page without scripts, or when it was waited for.
func further(w *Waiter, again bool) session.Further {
	if w.Further == nil || w.motion.follows || w.Network.Waiting() > 0 || !again && w.Network.Scripts() > 0 {
		return session.Further{}
	}
	return w.Further()
}
