package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// Sizes of the measurement of records.
const (
	recordClients = 256 // captures that are on their way at once
	recordWorkers = 128 // of them that are rendered, by all nodes together
)

// records measures what a database can do for captures: each is accepted, taken, ended with a report and a callback, and the
// callback delivered, with nothing in between, no browser and no network. Each node is a ledger of its own, in this process.
func records(ctx context.Context, s settings) (err error) {
	all, stop, err := engines(ctx)
	if err != nil {
		return err
	}
	defer func() { err = first(err, stop()) }()
	fmt.Printf("\n## What records allow: captures that take no time, each with a callback, %d at once, %s each\n\n",
		recordClients, nodeCells*s.cell)
	fmt.Println("| database | nodes | captures/s | from accept to end ms: p50 | p99 | CPU ms a capture: nodes | database | commits " +
		"| WAL bytes | database bytes |\n|---|---|---|---|---|---|---|---|---|---|")
	for _, e := range all {
		for _, nodes := range []int{1, 2, 4} {
			if e.server == nil && nodes > 1 {
				continue
			}
			if err := e.recordedBy(ctx, s, nodes); err != nil {
				return err
			}
		}
	}
	return nil
}

// member is one of the nodes of a measurement.
type member struct {
	ledger.Store
	account string
	ended   chan error
}

func (e *engine) recordedBy(ctx context.Context, s settings, count int) error {
	u, err := e.fresh(ctx, "")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(u.dir) }()
	work, stop := context.WithCancel(ctx)
	defer stop()
	var members []*member
	for i := range count {
		one, err := u.join(ctx, work, i, count)
		if err != nil {
			return err
		}
		if i == 0 {
			issued, _, err := one.Bootstrap(ctx)
			if err != nil {
				return err
			}
			one.account = issued.Account
		} else {
			one.account = members[0].account
		}
		members = append(members, one)
	}
	tables, err := u.tables()
	if err != nil {
		return err
	}
	defer func() { _ = tables.Close() }()
	if _, _, err := recordFor(ctx, members, s.cell); err != nil { // until all is warm
		return err
	}
	before, err := u.spent(ctx, tables)
	if err != nil {
		return err
	}
	took, elapsed, err := recordFor(ctx, members, nodeCells*s.cell)
	if err != nil {
		return err
	}
	after, err := u.spent(ctx, tables)
	if err != nil {
		return err
	}
	n := int64(len(took))
	each := func(d time.Duration) float64 { return ms(d) / float64(n) }
	fmt.Printf("| %s | %d | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f | %d | %d |\n", e.name, count, float64(n)/elapsed.Seconds(),
		ms(quantile(took, 0.5)), ms(quantile(took, 0.99)), each(after.nodes-before.nodes), each(after.database-before.database),
		float64(after.commits-before.commits)/float64(n), (after.wal-before.wal)/n, (after.bytes-before.bytes)/n)
	stop()
	for _, one := range members {
		err = errors.Join(err, <-one.ended, one.Close())
	}
	return err
}

// join opens the ledger of a place once more, and has it render and deliver.
func (u setup) join(ctx, work context.Context, number, count int) (*member, error) {
	store, err := u.open(ctx, ledger.Config{
		Workers: recordWorkers / count, MaxPending: 10 * recordClients,
		Node: ledger.Node{Name: strconv.Itoa(number), Roles: []string{"api", "render", "deliver"}},
	})
	if err != nil {
		return nil, err
	}
	one := &member{Store: store, ended: make(chan error, 1)}
	go func() {
		one.ended <- store.Work(work, ledger.Handlers{Render: one.render, Deliver: delivered, Stored: ledger.StoredHandler{
			Owe:   func(savepage.Capture) ([]savepage.Delivery, error) { return nil, nil },
			Ended: func(context.Context, savepage.Capture) {},
		}})
	}()
	return one, nil
}

// render ends a capture as one of a small page ends.
func (m *member) render(ctx context.Context, c capture.Claim) error {
	now := time.Now()
	id := c.Capture.ID
	return m.Finish(context.WithoutCancel(ctx), c, capture.Outcome{
		State: savepage.Success, FinishedAt: now, Timing: savepage.Timing{QueueMS: 1, RenderMS: 300, TotalMS: 301},
		Picture: &savepage.Picture{
			Name: strings.TrimPrefix(id, "cap_") + ".png", Format: savepage.FormatPNG, Width: 1440, Height: 900, Size: 1 << 16,
		},
		Report: &savepage.Report{FinalURL: c.Capture.Options.URL, HTTPStatus: http.StatusOK},
		Deliveries: []savepage.Delivery{{
			ID: capture.NewID("msg_", now), CaptureID: id, Account: m.account, URL: "https://receiver.example/" + id[len(id)-2:],
			Body: make([]byte, bodySize), State: savepage.Pending, CreatedAt: now, NextAt: &now,
		}},
	})
}

// delivered takes every callback at once.
func delivered(context.Context, savepage.Delivery, []string) savepage.Verdict {
	return savepage.Verdict{State: savepage.Delivered, Attempt: savepage.Attempt{
		At: time.Now(), Outcome: savepage.AttemptDelivered, Status: http.StatusOK,
	}}
}

// recordFor has clients make captures one after the other, and returns how long each took.
func recordFor(ctx context.Context, members []*member, lasts time.Duration) ([]time.Duration, time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed atomic.Value
	var group sync.WaitGroup
	began := time.Now()
	for i := range recordClients {
		at := members[i%len(members)]
		group.Go(func() {
			var took []time.Duration
			for time.Since(began) < lasts && failed.Load() == nil {
				now := time.Now()
				c := savepage.Capture{
					ID: capture.NewID("cap_", now), Account: at.account, State: savepage.Queued, CreatedAt: now,
					Options: savepage.Options{URL: "https://example.com/a/page/with/an/address"},
				}
				_, err := at.Accept(ctx, capture.Submission{Capture: c})
				if err == nil {
					_, err = at.Await(ctx, c.ID)
				}
				if err != nil {
					failed.Store(err)
					return
				}
				took = append(took, time.Since(now))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	group.Wait()
	err, _ := failed.Load().(error)
	return all, time.Since(began), err
}

// spending is what nodes and database have used at one moment.
type spending struct {
	nodes, database     time.Duration
	commits, wal, bytes int64
}

func (u setup) spent(ctx context.Context, tables *sql.DB) (is spending, err error) {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return is, err
	}
	is.nodes = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if is.bytes, err = u.bytes(ctx, tables); err != nil || u.database == "" {
		return is, err
	}
	if is.commits, is.wal, err = written(ctx, tables); err != nil {
		return is, err
	}
	is.database, err = serverCPU(ctx, tables)
	return is, err
}

// written is how many transactions a PostgreSQL database has committed, those that only read included, and how many bytes its
// server has logged.
func written(ctx context.Context, tables *sql.DB) (commits, wal int64, err error) {
	err = tables.QueryRowContext(ctx, `SELECT xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&commits, &wal)
	return commits, wal, err
}

// serverCPU is the processor time that a PostgreSQL server on this machine has used.
func serverCPU(ctx context.Context, tables *sql.DB) (time.Duration, error) {
	var pid int
	if err := tables.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return 0, err
	}
	_, parent, _, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return cpuOf(parent)
}
