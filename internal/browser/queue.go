package browser

import "slices"

// queue holds the callers of Take that have a slot and wait for a tab, in the order in which they came. The pool's lock
// guards it.
type queue []chan offer

// offer is what a caller of Take waits for.
type offer struct {
	tab *Tab
	err error
}

// join adds a caller, who waits on the channel.
func (q *queue) join() chan offer {
	wait := make(chan offer, 1)
	*q = append(*q, wait)
	return wait
}

// leave takes a caller off. It reports false when the caller was served before.
func (q *queue) leave(wait chan offer) bool {
	at := slices.Index(*q, wait)
	if at < 0 {
		return false
	}
	*q = slices.Delete(*q, at, at+1)
	return true
}

// serve gives an offer to the caller that has waited longest, if one waits.
func (q *queue) serve(o offer) {
	if len(*q) > 0 {
		(*q)[0] <- o
		*q = slices.Delete(*q, 0, 1)
	}
}

// refuse ends the wait of everybody.
func (q *queue) refuse(err error) {
	for len(*q) > 0 {
		q.serve(offer{err: err})
	}
}
