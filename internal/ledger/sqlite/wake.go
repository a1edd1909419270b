package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// topicInsert is where River's producers listen for new jobs.
const topicInsert = "river_insert"

// driver is River's SQLite driver with another listener and another way to take jobs. Only this process serves the database,
// so a commit wakes the workers directly instead of through a table that is polled.
type driver struct {
	*riversqlite.Driver

	due  *signal
	take taker // nil: as River does
}

var _ riverdriver.Driver[*sql.Tx] = (*driver)(nil)

func newDriver(db *sql.DB) *driver {
	return &driver{Driver: riversqlite.New(db), due: newSignal()}
}

// GetExecutor returns River's own executor, which takes the jobs that the ledger chooses.
func (d *driver) GetExecutor() riverdriver.Executor {
	if d.take == nil {
		return d.Driver.GetExecutor()
	}
	return &taking{Executor: d.Driver.GetExecutor(), take: d.take}
}

// GetListener returns River's own listener, which waits for the signal instead of polling.
func (d *driver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &localListener{Listener: d.Driver.GetListener(params), due: d.due}
}

// SupportsListenNotify keeps River from writing notifications that nobody would read.
func (d *driver) SupportsListenNotify() bool { return false }

// localListener waits for the signals of this process.
type localListener struct {
	riverdriver.Listener

	due *signal
}

// WaitForNotification returns the next queue that was signaled.
func (l *localListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	queue, err := l.due.wait(ctx)
	if err != nil {
		return nil, err
	}
	return &riverdriver.Notification{Topic: topicInsert, Payload: `{"queue":"` + queue + `"}`}, nil
}

// signal tells one waiting goroutine which queues have jobs that are due. Signals for one queue that have not been received
// yet are one.
type signal struct {
	mu     sync.Mutex
	queues map[string]bool
	some   chan struct{}
}

func newSignal() *signal { return &signal{queues: map[string]bool{}, some: make(chan struct{}, 1)} }

// send says that the queue has jobs that are due.
func (s *signal) send(queue string) {
	s.mu.Lock()
	s.queues[queue] = true
	s.mu.Unlock()
	select {
	case s.some <- struct{}{}:
	default:
	}
}

func (s *signal) take() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue := range s.queues {
		delete(s.queues, queue)
		return queue, true
	}
	return "", false
}

// wait returns the next queue that was signaled, or the context's error.
func (s *signal) wait(ctx context.Context) (string, error) {
	for {
		if queue, found := s.take(); found {
			return queue, nil
		}
		select {
		case <-s.some:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
