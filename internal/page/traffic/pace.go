package traffic

import (
	"sync"
	"time"
)

// pace is when something last came of the network.
type pace struct {
	at     sync.Mutex
	active time.Time // of the last event of a request that is waited for, or of the load event
}

// Quiet is the time since the last event of the network.
func (p *pace) Quiet() time.Duration {
	p.at.Lock()
	defer p.at.Unlock()
	return time.Since(p.active)
}

// QuietAt is what Quiet was when the page or a worker was asked. What they answered is as old: on a busy machine it may be
// read much later.
func (p *pace) QuietAt(asked time.Time) time.Duration {
	p.at.Lock()
	defer p.at.Unlock()
	return max(0, asked.Sub(p.active))
}

// ResetQuiet notes that something has come, or that the page was given cause to do something: quiet is counted from here.
func (p *pace) ResetQuiet() {
	p.at.Lock()
	defer p.at.Unlock()
	p.active = time.Now()
}
