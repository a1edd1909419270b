package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// BenchmarkAccept measures durable accepts: rate and latency, with so many callers at once.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchAccept(b, callers) })
	}
}

// unlimited is a ledger without limits of what waits.
func unlimited() ledger.Config {
	limits := savepage.DefaultLimits()
	limits.Pending, limits.PendingBytes = 0, 0
	return ledger.Config{Workers: 16, MaxPending: 1 << 30, Limits: limits}
}

func benchAccept(b *testing.B, callers int) {
	b.Helper()
	l, account := benchLedger(b, unlimited())
	var (
		next  atomic.Int64
		group sync.WaitGroup
		took  = make([]time.Duration, b.N)
	)
	b.ResetTimer()
	for range callers {
		group.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				start := time.Now()
				if _, err := l.Accept(b.Context(), benchSubmission(account, start)); err != nil {
					b.Error(err)
				}
				took[n-1] = time.Since(start)
			}
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
	b.ReportMetric(milliseconds(took[b.N/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[b.N*99/100]), "p99-ms")
	b.ReportMetric(milliseconds(took[b.N-1]), "max-ms")
}

// BenchmarkStart measures from the answer of Accept to the call of the handler, with idle workers.
func BenchmarkStart(b *testing.B) {
	l, account := benchLedger(b, ledger.Config{Workers: 2})
	started := make(chan time.Time)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		done <- l.Work(ctx, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
			started <- time.Now()
			return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
		}})
	}()
	var took []time.Duration
	pause := time.NewTicker(17 * time.Millisecond)
	defer pause.Stop()
	for b.Loop() {
		<-pause.C
		if _, err := l.Accept(b.Context(), benchSubmission(account, time.Now())); err != nil {
			b.Fatal(err)
		}
		accepted := time.Now()
		took = append(took, (<-started).Sub(accepted))
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(milliseconds(took[len(took)-1]), "max-ms")
}

func benchLedger(b *testing.B, cfg ledger.Config) (ledger.Store, string) {
	b.Helper()
	l := open(b, sqlite.NewFolder(b), cfg)
	issued, _, err := l.Bootstrap(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return l, issued.Account
}

func benchSubmission(account string, now time.Time) capture.Submission {
	o := savepage.Options{URL: "https://example.com/some/page", CallbackURL: "https://example.org/hook"}.WithDefaults()
	return capture.Submission{Capture: savepage.Capture{
		ID: capture.NewID("cap_", now), Account: account, State: savepage.Queued, Options: o, CreatedAt: now,
	}, OptionsHash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkWork measures captures from start to end, with handlers that do nothing and a backlog.
func BenchmarkWork(b *testing.B) {
	l, account := benchLedger(b, unlimited())
	var group sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		group.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if _, err := l.Accept(b.Context(), benchSubmission(account, time.Now())); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var ended atomic.Int64
	b.ResetTimer()
	err := l.Work(ctx, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		err := l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now()})
		if ended.Add(1) == int64(b.N) {
			cancel()
		}
		return err
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "captures/s")
}
