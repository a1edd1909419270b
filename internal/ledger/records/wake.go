package records

import (
	"context"
	"database/sql"
	"sync"

	"github.com/riverqueue/river/riverdriver"
)

// topicInsert is where River's producers listen for new jobs.
const topicInsert = "river_insert"

// driver is River's driver with another listener and another way to take jobs. Only this process serves the database, so a
// commit wakes the workers directly, instead of through a table that is polled or notifications of the database.
type driver struct {
	riverdriver.Driver[*sql.Tx]

	due  *signal
	take taker // nil: as River does
}

var _ riverdriver.Driver[*sql.Tx] = (*driver)(nil)

func newDriver(of riverdriver.Driver[*sql.Tx]) *driver { return &driver{Driver: of, due: newSignal()} }

// GetExecutor returns River's own executor, which takes the jobs that the ledger chooses.
func (d *driver) GetExecutor() riverdriver.Executor {
	if d.take == nil {
		return d.Driver.GetExecutor()
	}
	return &taking{Executor: d.Driver.GetExecutor(), take: d.take}
}

// GetListener returns a listener that waits for the signal.
func (d *driver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &localListener{schema: params.Schema, due: d.due}
}

// SupportsListener says that the workers are woken.
func (d *driver) SupportsListener() bool { return true }

// SupportsListenNotify keeps River from writing notifications that nobody would read.
func (d *driver) SupportsListenNotify() bool { return false }

// localListener waits for the signals of this process, which need no connection.
type localListener struct {
	schema string
	due    *signal
}

// Close has nothing to close.
func (l *localListener) Close(context.Context) error { return nil }

// Connect has nothing to connect to.
func (l *localListener) Connect(context.Context) error { return nil }

// Listen changes nothing: the signals of all queues come.
func (l *localListener) Listen(context.Context, string) error { return nil }

// Unlisten changes nothing.
func (l *localListener) Unlisten(context.Context, string) error { return nil }

// Ping always succeeds.
func (l *localListener) Ping(context.Context) error { return nil }

// Schema is River's.
func (l *localListener) Schema() string { return l.schema }

// SetAfterConnectExec is for River's own tests.
func (l *localListener) SetAfterConnectExec(string) {}

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
