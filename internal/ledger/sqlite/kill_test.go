package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// Environment of the child: the folder it serves and the account it accepts for.
const (
	envDir     = "SAVEPAGE_TEST_CHILD_DIR"
	envAccount = "SAVEPAGE_TEST_CHILD_ACCOUNT"
)

func childWanted() bool { return os.Getenv(envDir) != "" }

// child accepts and works until it is killed. It writes the id of each accepted capture or batch in a line of its own.
func child() {
	ctx := context.Background()
	l, err := sqlite.At(os.Getenv(envDir)).Open(ctx, ledger.Config{Workers: 4}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _ = l.Work(ctx, ledger.Handlers{Render: churn(l), Deliver: fussy}) }()
	nth := 0
	for range time.Tick(2 * time.Millisecond) {
		nth++
		id, err := acceptNth(ctx, l, nth)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(id)
	}
}

// acceptNth accepts a capture, or a batch of three every fifth time.
func acceptNth(ctx context.Context, l ledger.Store, nth int) (string, error) {
	account, now := os.Getenv(envAccount), time.Now()
	if nth%5 > 0 {
		a, err := l.Accept(ctx, benchSubmission(account, now))
		return a.Capture.ID, err
	}
	b := capture.BatchSubmission{Batch: savepage.Batch{
		ID: capture.NewID("bat_", now), Account: account, CallbackURL: "http://batch.test", CreatedAt: now,
	}}
	for range 3 {
		one := benchSubmission(account, now)
		one.Capture.BatchID = b.Batch.ID
		b.Captures = append(b.Captures, one)
	}
	a, err := l.AcceptBatch(ctx, b)
	return a.Batch.ID, err
}

// churn takes a moment for a capture, sometimes gives it back, and owes one delivery.
func churn(l ledger.Store) func(context.Context, capture.Claim) error {
	return func(ctx context.Context, c capture.Claim) error {
		select {
		case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if rand.IntN(5) == 0 {
			return l.Release(ctx, c, capture.Back{Wait: time.Duration(rand.IntN(50)) * time.Millisecond, Free: rand.IntN(2) == 0})
		}
		now := time.Now()
		return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: now, Deliveries: []savepage.Delivery{{
			ID: capture.NewID("msg_", now), CaptureID: c.Capture.ID, Account: c.Capture.Account, URL: "http://a.test",
			State: savepage.Pending, CreatedAt: now, Body: []byte("{}"),
		}}})
	}
}

// fussy is a receiver that refuses one attempt in four.
func fussy(context.Context, savepage.Delivery, []string) savepage.Verdict {
	a := savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200}
	if rand.IntN(4) == 0 {
		return savepage.Verdict{State: savepage.Pending, NextAt: time.Now().Add(50 * time.Millisecond), Attempt: a}
	}
	return savepage.Verdict{State: savepage.Delivered, Attempt: a}
}

// TestKill ends the process with SIGKILL at random moments and counts afterwards.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := sqlite.NewFolder(t)
	keys, err := sqlite.At(dir).OpenKeys(t.Context(), ledger.Vault{}, clock.System())
	check(t, err)
	issued, err := keys.Create(t.Context(), "", savepage.KeyTerms{})
	check(t, err)
	check(t, keys.Close())
	var ids []string
	for range 4 {
		ids = append(ids, runAndKill(t, dir, issued.Account, 0, time.Duration(rand.IntN(1200))*time.Millisecond)...)
		ids = append(ids, runAndKill(t, dir, issued.Account, 20+rand.IntN(20), 0)...)
	}

	batches := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.HasPrefix(id, "cap_") })
	ids = slices.DeleteFunc(ids, func(id string) bool { return strings.HasPrefix(id, "bat_") })
	l := open(t, dir, ledger.Config{Workers: 8})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- l.Work(working, ledger.Handlers{Render: churn(l), Deliver: fussy}) }()
	for _, id := range ids {
		c, err := l.Await(ctx, id)
		if err != nil {
			t.Fatalf("capture %s was accepted and has not ended: %v", id, err)
		}
		if c.State != savepage.Success {
			t.Errorf("capture %s is %s", id, c.State)
		}
	}
	for _, id := range batches {
		ids = append(ids, endOfBatch(ctx, t, l, issued.Account, id)...)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for pending := 1; pending > 0 && ctx.Err() == nil; <-tick.C {
		pending, err = l.PendingDeliveries(ctx)
		check(t, err)
	}
	for _, id := range ids {
		list, err := l.Deliveries(ctx, issued.Account, id)
		check(t, err)
		if len(list) != 1 || list[0].State != savepage.Delivered || len(list[0].Attempts) == 0 {
			t.Errorf("deliveries of %s: %+v", id, list)
		}
	}
	for _, id := range batches {
		list, err := l.BatchDeliveries(t.Context(), issued.Account, id)
		check(t, err)
		if len(list) != 1 || list[0].State != savepage.Delivered {
			t.Errorf("deliveries of %s: %+v", id, list)
		}
	}
	stop()
	check(t, <-done)
	countsAreRight(t, dir)
	t.Logf("%d captures and %d batches accepted and kept", len(ids), len(batches))
}

// endOfBatch waits for the end of a batch's three captures, and returns their ids.
func endOfBatch(ctx context.Context, t *testing.T, l ledger.Store, account, id string) (ids []string) {
	t.Helper()
	page, _, err := l.List(ctx, account, capture.Filter{BatchID: id, Limit: 10})
	check(t, err)
	for _, c := range page {
		if _, err := l.Await(ctx, c.ID); err != nil {
			t.Fatalf("capture %s of %s was accepted and has not ended: %v", c.ID, id, err)
		}
		ids = append(ids, c.ID)
	}
	b, err := l.Batch(ctx, account, id)
	check(t, err)
	if b.EndedAt.IsZero() || b.Counts != (savepage.Counts{Total: 3, Success: 3}) || len(ids) != 3 {
		t.Errorf("batch %+v of %d captures", b, len(ids))
	}
	return ids
}

// runAndKill runs a child until it has accepted so many, or, without a number, for so long. It returns what was accepted.
func runAndKill(t *testing.T, dir, account string, enough int, life time.Duration) (ids []string) {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), envDir+"="+dir, envAccount+"="+account)
	var faults strings.Builder
	program.Stderr = &faults
	out, err := program.StdoutPipe()
	check(t, err)
	check(t, program.Start())
	if enough == 0 {
		time.AfterFunc(life, func() { _ = program.Process.Kill() })
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line that was cut off is no acknowledgement
		}
		check(t, err)
		ids = append(ids, strings.TrimSuffix(line, "\n"))
		if len(ids) == enough {
			_ = program.Process.Kill()
		}
	}
	if err := program.Wait(); err == nil || program.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, faults.String())
	}
	return ids
}
