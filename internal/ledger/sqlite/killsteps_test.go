package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// The steps of a delivery after which the process is killed, in their order.
const (
	stepOwed       = "owed"        // the commit that recorded the delivery
	stepTaken      = "taken"       // a worker has it
	stepSent       = "sent"        // the receiver has it and has not answered
	stepAnswered   = "answered"    // the receiver has answered, nothing is recorded
	stepRecorded   = "recorded"    // the commit that recorded a failed attempt
	stepOpened     = "opened"      // the commit that recorded an open breaker
	stepDead       = "dead"        // the commit that recorded the last attempt
	stepRedelivery = "redelivered" // the commit that made it pending again
)

// Environment of the child that delivers: the step, the capture and the receiver.
const (
	envStep     = "SAVEPAGE_TEST_CHILD_STEP"
	envCapture  = "SAVEPAGE_TEST_CHILD_CAPTURE"
	envReceiver = "SAVEPAGE_TEST_CHILD_RECEIVER"
)

// die ends the process as a power cut would.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	fmt.Fprintln(os.Stderr, "still alive:", err)
	select {}
}

// stepChild owes a delivery for a capture that the parent has accepted, delivers it, and kills itself after its step.
func stepChild() {
	ctx := context.Background()
	step := os.Getenv(envStep)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	l, err := sqlite.At(os.Getenv(envDir)).Open(ctx, ledger.Config{Workers: 1, ProbeWait: time.Hour}, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	render := func(ctx context.Context, c capture.Claim) error {
		o := capture.Outcome{State: savepage.Success, FinishedAt: time.Now()}
		for range 7 {
			o.Deliveries = append(o.Deliveries, savepage.Delivery{
				ID: capture.NewID("msg_", time.Now()), CaptureID: c.Capture.ID, Account: c.Capture.Account, URL: os.Getenv(envReceiver),
				State: savepage.Pending, CreatedAt: time.Now(), Body: []byte("{}"),
			})
		}
		err := l.Finish(ctx, c, o)
		if step == stepOwed {
			die()
		}
		return err
	}
	var attempts atomic.Int32
	first := sync.OnceFunc(func() { watchStep(ctx, l, step) })
	_ = l.Work(ctx, ledger.Handlers{Render: render, Deliver: func(ctx context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
		go first()
		if step == stepTaken {
			die()
		}
		if nth := attempts.Add(1); nth > lastAttempt(step) {
			select {} // the step is done but for the kill
		}
		return post(ctx, d, step)
	}})
}

// lastAttempt is how many attempts belong to a step: no later one may be recorded before the kill.
func lastAttempt(step string) int32 {
	switch step {
	case stepOwed:
		return 0
	case stepRecorded:
		return 1
	default:
		return 7 // one of each
	}
}

// post sends a delivery and fails: the child never sees it taken.
func post(ctx context.Context, d savepage.Delivery, step string) savepage.Verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, strings.NewReader(string(d.Body)))
	if err == nil {
		req.Header.Set(savepage.HeaderWebhookID, d.ID)
		req.Header.Set("Step", step)
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}
	if step == stepSent || step == stepAnswered {
		die() // the receiver holds back the answer of the first of them until the child is gone
	}
	a := savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptStatus, Status: 500}
	if step == stepDead || step == stepRedelivery {
		a.Status = http.StatusGone // which says nothing against the receiver
		return savepage.Verdict{State: savepage.Dead, Attempt: a}
	}
	return savepage.Verdict{State: savepage.Pending, NextAt: time.Now().Add(time.Second), Attempt: a}
}

// watchStep kills the process when the records say that a step is done.
func watchStep(ctx context.Context, l ledger.Store, step string) {
	for range time.Tick(time.Millisecond) {
		stats, err := l.DeliveryStats(ctx)
		list, err2 := l.Deliveries(ctx, os.Getenv(envAccount), os.Getenv(envCapture))
		if err != nil || err2 != nil {
			fmt.Fprintln(os.Stderr, err, err2)
			os.Exit(1)
		}
		attempts := 0
		for _, d := range list {
			attempts += len(d.Attempts)
		}
		switch {
		case step == stepRecorded && attempts > 0, step == stepOpened && stats.OpenReceivers > 0 && attempts >= 5, step == stepDead &&
			stats.Dead == 7:
			die()
		case step == stepRedelivery && stats.Dead == 7:
			if _, err := l.RedeliverEnded(ctx, os.Getenv(envAccount), allDead()); err == nil {
				die()
			}
		}
	}
}

// TestKillAtEveryStep kills the process with SIGKILL after each step of a delivery. Afterwards nothing is missing, nothing
// that was recorded is repeated, and what the receiver had is repeated under the same id only.
func TestKillAtEveryStep(t *testing.T) {
	for _, step := range []string{stepOwed, stepTaken, stepSent, stepAnswered, stepRecorded, stepOpened, stepDead, stepRedelivery} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			killAt(t, step)
		})
	}
}

func allDead() capture.Redelivery {
	return capture.Redelivery{States: []savepage.DeliveryState{savepage.Dead}}
}

func killAt(t *testing.T, step string) {
	t.Helper()
	dir := sqlite.NewFolder(t)
	got := receive(t)
	account, id := acceptOne(t, dir)
	before := got.killed(t, dir, account, id, step)

	l := open(t, dir, ledger.Config{ProbeWait: time.Hour})
	list, err := l.Deliveries(t.Context(), account, id)
	check(t, err)
	recorded := expectAfterKill(t, step, l, list)
	if step == stepDead {
		sent, err := l.RedeliverEnded(t.Context(), account, allDead())
		check(t, err)
		if sent.Count != 7 {
			t.Errorf("%d are sent again", sent.Count)
		}
	}
	if step == stepOpened { // its breaker lets one through when it is asked for by hand, which closes it
		_, err := l.Redeliver(t.Context(), account, list[6].ID)
		check(t, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Work(ctx, ledger.Handlers{Deliver: got.take}) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for pending := 1; pending > 0; <-tick.C {
		pending, err = l.PendingDeliveries(t.Context())
		check(t, err)
	}
	stop()
	check(t, <-done)
	list, err = l.Deliveries(t.Context(), account, id)
	check(t, err)
	attempts := 0
	for _, d := range list {
		attempts += len(d.Attempts)
		for i, a := range d.Attempts {
			if a.Number != i+1 {
				t.Errorf("attempt %d has the number %d", i+1, a.Number)
			}
		}
		if d.State != savepage.Delivered {
			t.Errorf("%s is %s", d.ID, d.State)
		}
	}
	if attempts != recorded+7 || got.taken != 7 {
		t.Errorf("%d attempts, %d recorded before; %d taken", attempts, recorded, got.taken)
	}
	for id := range before {
		if !got.ids[id] {
			t.Errorf("the receiver had %s, which was not sent again", id)
		}
	}
}

// expectAfterKill checks what is known after the kill, and returns how many attempts are.
func expectAfterKill(t *testing.T, step string, l ledger.Store, list []savepage.Delivery) (recorded int) {
	t.Helper()
	states := map[savepage.DeliveryState]int{}
	for _, d := range list {
		states[d.State]++
		recorded += len(d.Attempts)
	}
	want := map[savepage.DeliveryState]int{savepage.Pending: 7}
	if step == stepDead {
		want = map[savepage.DeliveryState]int{savepage.Dead: 7}
	}
	if len(list) != 7 || states[savepage.Pending] != want[savepage.Pending] || states[savepage.Dead] != want[savepage.Dead] {
		t.Errorf("deliveries %v", states)
	}
	least := map[string]int{stepRecorded: 1, stepOpened: 5, stepDead: 7, stepRedelivery: 7}[step]
	if recorded < least || (least == 0 && recorded != 0) {
		t.Errorf("%d attempts are recorded", recorded)
	}
	return recorded
}

// acceptOne makes an account and a capture in a new folder.
func acceptOne(t *testing.T, dir string) (account, id string) {
	t.Helper()
	l, err := sqlite.At(dir).Open(t.Context(), ledger.Config{}, logger(t))
	check(t, err)
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	a, err := l.Accept(t.Context(), benchSubmission(issued.Account, time.Now()))
	check(t, err)
	check(t, l.Close())
	return issued.Account, a.Capture.ID
}

// taker is a receiver: of the child over HTTP, of the parent in the process.
type taker struct {
	*httptest.Server
	mu    sync.Mutex
	seen  map[string]bool // by the child's attempts
	ids   map[string]bool // that the parent delivered
	taken int
	gone  chan struct{} // the child is
}

func receive(t *testing.T) *taker {
	t.Helper()
	r := &taker{seen: map[string]bool{}, ids: map[string]bool{}, gone: make(chan struct{})}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP answers the child. With the step sent it asks for the kill and does not answer before.
func (r *taker) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.seen[req.Header.Get(savepage.HeaderWebhookID)] = true
	r.mu.Unlock()
	if req.Header.Get("Step") == stepSent {
		<-r.gone
	}
	w.WriteHeader(http.StatusInternalServerError)
}

func (r *taker) take(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[d.ID] = true
	r.taken++
	return savepage.Verdict{
		State:   savepage.Delivered,
		Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200},
	}
}

// killed runs the child until it is dead, and returns what it has sent.
func (r *taker) killed(t *testing.T, dir, account, id, step string) map[string]bool {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), envDir+"="+dir, envAccount+"="+account, envStep+"="+step, envCapture+"="+id, envReceiver+"="+r.URL)
	var faults strings.Builder
	program.Stderr = &faults
	check(t, program.Start())
	if step == stepSent {
		r.killWhenSent(t, program)
	}
	err := program.Wait()
	close(r.gone)
	if err == nil || program.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, faults.String())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.seen)
}

// killWhenSent kills a child while the receiver has its request and has not answered.
func (r *taker) killWhenSent(t *testing.T, program *exec.Cmd) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := 0; sent == 0; <-tick.C {
		r.mu.Lock()
		sent = len(r.seen)
		r.mu.Unlock()
	}
	check(t, program.Process.Kill())
}
