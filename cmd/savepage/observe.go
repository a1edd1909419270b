package main

import (
	"context"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/httpd"
	"github.com/savepage/savepage/internal/ledger"
)

// observer counts what happens to captures in the metrics.
type observer struct{ metrics *httpd.Metrics }

// Accepted counts an accepted capture.
func (o observer) Accepted(replayed bool, reuse capture.Reuse) {
	o.metrics.Accepted(replayed)
	if reuse != capture.ReuseNone {
		o.metrics.Cache(string(reuse))
	}
}

// Retried counts a render that will be tried again.
func (o observer) Retried(code savepage.Code) { o.metrics.Retried(string(code)) }

// Ended counts a capture's end, and where the time of a successful one went.
func (o observer) Ended(state savepage.State, code savepage.Code, t savepage.Timing) {
	o.metrics.Ended(string(state), string(code), savepage.Milliseconds(t.TotalMS))
	if state != savepage.Success || t.Phases == (savepage.Phases{}) {
		return // nothing was rendered: it failed, or got the picture of another
	}
	ms := savepage.Milliseconds[int64]
	o.metrics.Phases(httpd.Phases{
		Queue: ms(t.QueueMS), Navigate: ms(t.Phases.Navigate), Settle: ms(t.Phases.Settle),
		Shoot: ms(t.Phases.Shoot), Encode: ms(t.Phases.Encode), Store: ms(t.Phases.Store),
	})
}

// counts are the numbers that the metrics ask for when they are read.
type counts struct {
	ledger ledger.Store
	pool   *browser.Pool // nil without the role render
	health *health.Board
}

// parts returns which parts are sick.
func (c counts) parts() []httpd.Part {
	states := c.health.States()
	parts := make([]httpd.Part, len(states))
	for i, s := range states {
		parts[i] = httpd.Part{Name: string(s.Part), Sick: s.Sick, Faults: s.Faults}
	}
	return parts
}

// queues returns how long the queues are.
func (c counts) queues(ctx context.Context) ([]httpd.Queue, error) {
	depths, err := c.ledger.Depth(ctx)
	queues := make([]httpd.Queue, len(depths))
	for i, d := range depths {
		queues[i] = httpd.Queue{Name: d.Queue, Waiting: d.Waiting, Running: d.Running, Oldest: d.Oldest}
	}
	return queues, err
}

// deliveries returns how many callbacks there are in each state.
func (c counts) deliveries(ctx context.Context) (httpd.Deliveries, error) {
	s, err := c.ledger.DeliveryStats(ctx)
	return httpd.Deliveries{
		Pending: s.Pending, Dead: s.Dead, Delivered: s.Delivered, Died: s.Died, OpenReceivers: s.OpenReceivers,
		ReceiversOpened: s.ReceiversOpened,
	}, err
}

// browsers returns how many browsers and pages there are.
func (c counts) browsers() httpd.Browsers {
	stats := c.pool.Stats()
	return httpd.Browsers{Running: stats.Browsers, Pages: stats.InUse, Warm: stats.Warm, Restarts: uint64(max(stats.Restarts, 0))}
}
