package records

import (
	"context"
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

// The tests of this file hold what this package has copied of River to River itself, so that a newer River cannot differ
// unnoticed.

func migrated(t *testing.T) Writer {
	t.Helper()
	return newPlace(t).Write
}

// TestLiveIsTheConditionOfRiversIndex compares the copied text with the index that River's migrations make.
func TestLiveIsTheConditionOfRiversIndex(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	var made string
	const query = `SELECT sql FROM sqlite_master WHERE type = 'index' AND name = 'river_job_unique_idx'`
	if err := db.QueryRowContext(t.Context(), query).Scan(&made); err != nil {
		t.Fatal(err)
	}
	of, condition, _ := strings.Cut(made, "WHERE")
	if !strings.Contains(of, "UNIQUE") || !strings.Contains(of, "(unique_key)") {
		t.Errorf("the index is not the one of the unique key: %s", made)
	}
	if want, got := strings.Join(strings.Fields(condition), " "), strings.Join(strings.Fields(Live), " "); want != got {
		t.Errorf("Live differs from River's index.\nRiver: %s\n live: %s", want, got)
	}
}

// liveStates are the states of liveBits.
var liveStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// TestBitsAndTimesAreRivers has River itself insert a unique job and reads how it writes states and times.
func TestBitsAndTimesAreRivers(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	client, err := river.NewClient[*sql.Tx](newDriver(riversqlite.New(db.DB)), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2040, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("east", 3600))
	_, err = client.Insert(t.Context(), captureJob{ID: "x"},
		&river.InsertOpts{ScheduledAt: at, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: liveStates}})
	if err != nil {
		t.Fatal(err)
	}
	var (
		bits            int
		scheduled, kind string
	)
	const query = `SELECT unique_states, CAST(scheduled_at AS TEXT), kind FROM river_job`
	if err := db.QueryRowContext(t.Context(), query).Scan(&bits, &scheduled, &kind); err != nil {
		t.Fatal(err)
	}
	if bits != liveBits {
		t.Errorf("liveBits is %b, River writes %b", liveBits, bits)
	}
	if want := RiverTime(at); scheduled != want {
		t.Errorf("riverTime gives %s, River writes %s", want, scheduled)
	}
}

// TestStatesAreRivers holds the states that stand in statements of this package to River's names.
func TestStatesAreRivers(t *testing.T) {
	t.Parallel()
	want := []rivertype.JobState{"available", "pending", "retryable", "running", "scheduled"}
	if !slices.Equal(want, liveStates) {
		t.Errorf("River's states are %v", liveStates)
	}
}

// TestUniqueKeyIsEnforced has two live jobs ask for one capture's key, by this package's inserter.
func TestUniqueKeyIsEnforced(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	d := newDriver(riversqlite.New(db.DB))
	client, err := inserter(d, &placing{clock: clock.System(), heads: &ledger.Heads{}, tell: &news{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	count := func(id string) (jobs, others int) {
		t.Helper()
		err := db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := client.InsertManyFastTx(t.Context(), tx, []river.InsertManyParams{{Args: captureJob{ID: id, Account: "acc"}}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		const query = `SELECT count(*) FILTER (WHERE unique_key = CAST(? AS BLOB) AND ` + Live + `), count(*) FROM river_job`
		if err := db.QueryRowContext(t.Context(), query, id).Scan(&jobs, &others); err != nil {
			t.Fatal(err)
		}
		return jobs, others - jobs
	}
	for range 2 {
		if jobs, others := count("a"); jobs != 1 || others != 0 {
			t.Fatalf("%d live jobs of a and %d others, want 1 and 0", jobs, others)
		}
	}
	if jobs, others := count("b"); jobs != 1 || others != 1 {
		t.Fatalf("%d live jobs of b and %d others, want 1 and 1", jobs, others)
	}
}

// overheard notes the topics that River listens to.
type overheard struct {
	riverdriver.Listener

	mu     *sync.Mutex
	topics *[]string
}

// Listen notes the topic.
func (o overheard) Listen(ctx context.Context, topic string) error {
	o.mu.Lock()
	*o.topics = append(*o.topics, topic)
	o.mu.Unlock()
	return o.Listener.Listen(ctx, topic)
}

type overhearing struct {
	*driver

	mu     sync.Mutex
	topics []string
}

// GetListener returns the driver's own, overheard.
func (o *overhearing) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return overheard{Listener: o.driver.GetListener(params), mu: &o.mu, topics: &o.topics}
}

// TestRiverListensForTheSignal starts a client that would poll once an hour: only the signal can have started the job.
func TestRiverListensForTheSignal(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	d := &overhearing{driver: newDriver(riversqlite.New(db.DB))}
	started := make(chan struct{}, 1)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[captureJob]) error {
		started <- struct{}{}
		return nil
	}))
	client, err := river.NewClient[*sql.Tx](d, &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers, FetchCooldown: fetchCooldown, FetchPollInterval: time.Hour,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer func() { cancel(); <-client.Stopped() }()
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	// Inserted beside River, which would wake its own workers.
	const insert = `INSERT INTO river_job (args, kind, max_attempts, queue, state)
		VALUES (jsonb('{"id":"x"}'), 'capture', 25, ?, 'available')`
	if _, err := db.ExecContext(ctx, insert, river.QueueDefault); err != nil {
		t.Fatal(err)
	}
	d.due.send(river.QueueDefault)
	select {
	case <-started:
	case <-time.After(5 * time.Minute):
		t.Error("the signal started no job")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.topics, topicInsert) {
		t.Errorf("River listens to %v, not to %s", d.topics, topicInsert)
	}
}
