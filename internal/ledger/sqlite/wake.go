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

// driver is River's SQLite driver with another bell: the database is served by this process only, so a commit wakes the
// workers directly instead of through a table that is polled.
type driver struct {
	*riversqlite.Driver
	bell *bell
}

var _ riverdriver.Driver[*sql.Tx] = (*driver)(nil)

func newDriver(db *sql.DB) *driver {
	return &driver{Driver: riversqlite.New(db), bell: newBell()}
}

// GetListener hands River the bell.
func (d *driver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener { return d.bell }

// SupportsListenNotify keeps River from writing notifications that nobody would read.
func (d *driver) SupportsListenNotify() bool { return false }

// bell is a riverdriver.Listener that is rung within the process. Rings for one queue that River has not heard yet are one.
type bell struct {
	mu   sync.Mutex
	rung map[string]bool
	some chan struct{}
}

func newBell() *bell { return &bell{rung: map[string]bool{}, some: make(chan struct{}, 1)} }

// ring says that the queue has jobs that are due.
func (b *bell) ring(queue string) {
	b.mu.Lock()
	b.rung[queue] = true
	b.mu.Unlock()
	select {
	case b.some <- struct{}{}:
	default:
	}
}

func (b *bell) take() (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for queue := range b.rung {
		delete(b.rung, queue)
		return queue, true
	}
	return "", false
}

// WaitForNotification returns the next queue that was rung for.
func (b *bell) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		if queue, found := b.take(); found {
			return &riverdriver.Notification{Topic: topicInsert, Payload: `{"queue":"` + queue + `"}`}, nil
		}
		select {
		case <-b.some:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Close does nothing: there is no connection.
func (b *bell) Close(context.Context) error { return nil }

// Connect does nothing.
func (b *bell) Connect(context.Context) error { return nil }

// Listen does nothing: only one topic is ever rung.
func (b *bell) Listen(context.Context, string) error { return nil }

// Unlisten does nothing.
func (b *bell) Unlisten(context.Context, string) error { return nil }

// Ping does nothing.
func (b *bell) Ping(context.Context) error { return nil }

// Schema is empty: SQLite has one.
func (b *bell) Schema() string { return "" }

// SetAfterConnectExec does nothing: River's own tests use it.
func (b *bell) SetAfterConnectExec(string) {}
