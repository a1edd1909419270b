package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/savepage/savepage/internal/ledger/postgres"
)

// fault is one kind of what happens to a cluster.
type fault struct {
	name   string
	weight int
	least  time.Duration // how long it lasts
	most   time.Duration
	shared bool // only where nodes share a database and a bucket
	// begin lets it happen to a node, and returns what ends it. An error says that it was not possible just now.
	begin func(ctx context.Context, c *chaos, n *node, draw *rand.Rand) (end func(), err error)
}

// errAbsent says that there is nobody whom the fault could meet.
var errAbsent = errors.New("there is none")

func faults() []fault {
	const s = time.Second
	return []fault{
		{"node killed", 6, 0, 8 * s, false, ending(syscall.SIGKILL)},
		{"node stopped in order", 2, 0, 4 * s, false, ending(syscall.SIGTERM)},
		{"node frozen", 2, 3 * s, 30 * s, false, freezing},
		{"browser killed", 3, 0, 0, false, killing("browser")},
		{"network process killed", 3, 0, 0, false, killing("network")},
		{"gpu process killed", 2, 0, 0, false, killing("gpu")},
		{"renderer killed", 3, 0, 0, false, killing("renderer")},
		{"receivers fail", 2, 3 * s, 15 * s, false, func(_ context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			c.site.ill.Store(true)
			return func() { c.site.ill.Store(false) }, nil
		}},
		{"receivers hang", 2, 3 * s, 15 * s, false, func(_ context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			c.site.silent.Store(true)
			return func() { c.site.silent.Store(false) }, nil
		}},
		{"clock steps", 3, 3 * s, 20 * s, false, stepping},
		{"disk full", 2, 3 * s, 10 * s, false, filling},
		{"PostgreSQL restarted", 2, 0, 4 * s, true, crashing},
		{"backends killed", 4, 0, 0, true, func(ctx context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			return nil, c.terminate(ctx)
		}},
		{"pool killed", 2, 0, 0, true, func(_ context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			return nil, c.pooler.Kill()
		}},
		{"pool exhausted", 2, 5 * s, 12 * s, true, hogging},
		{"transaction idle", 2, 5 * s, 20 * s, true, idling},
		{"bucket answers 500", 3, 3 * s, 15 * s, true, func(_ context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			return c.refusing(), nil
		}},
		{"bucket silent", 2, 3 * s, 20 * s, true, func(_ context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
			err := c.bucket.Signal(syscall.SIGSTOP)
			return func() { _ = c.bucket.Signal(syscall.SIGCONT) }, err
		}},
		{"network cut", 4, 5 * s, 30 * s, true, func(_ context.Context, _ *chaos, n *node, _ *rand.Rand) (func(), error) {
			n.records.cut.close()
			n.pictures.cut.close()
			return func() { n.records.cut.open(); n.pictures.cut.open() }, nil
		}},
	}
}

type beginning = func(ctx context.Context, c *chaos, n *node, draw *rand.Rand) (func(), error)

func ending(signal syscall.Signal) beginning {
	return func(_ context.Context, _ *chaos, n *node, _ *rand.Rand) (func(), error) {
		n.kill(signal)
		return n.down.open, nil
	}
}

func freezing(_ context.Context, _ *chaos, n *node, _ *rand.Rand) (func(), error) {
	pid := n.pid()
	return func() { _ = syscall.Kill(pid, syscall.SIGCONT) }, syscall.Kill(pid, syscall.SIGSTOP)
}

func killing(kind string) beginning {
	return func(_ context.Context, _ *chaos, n *node, draw *rand.Rand) (func(), error) {
		all := slices.DeleteFunc(processes(n.pid()), func(p process) bool { return p.kind != kind })
		if len(all) == 0 {
			return nil, errAbsent
		}
		return nil, syscall.Kill(all[draw.IntN(len(all))].pid, syscall.SIGKILL)
	}
}

// stepping sets a node's date forward or back, by seconds or by hours, and then right again.
func stepping(_ context.Context, _ *chaos, n *node, draw *rand.Rand) (func(), error) {
	by := time.Duration(1+draw.Int64N(10)) * []time.Duration{time.Second, time.Minute, time.Hour}[draw.IntN(3)]
	if draw.IntN(2) == 0 {
		by = -by
	}
	pid := n.pid()
	return func() { _ = n.step(pid, -by) }, n.step(pid, by) // one that was started again has the machine's date
}

// step has the process of a node step its clock.
func (n *node) step(pid int, by time.Duration) error {
	if err := os.WriteFile(n.stepFile(), []byte(by.String()), 0o600); err != nil {
		return err
	}
	if pid != n.pid() {
		return errAbsent
	}
	return syscall.Kill(pid, syscall.SIGUSR1)
}

// filling takes all space of the node's disk.
func filling(_ context.Context, _ *chaos, n *node, _ *rand.Rand) (func(), error) {
	if !n.small {
		return nil, errAbsent // nobody's own disk may be filled
	}
	name := filepath.Join(n.data(), "ballast")
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	for err = error(nil); err == nil; {
		_, err = file.Write(make([]byte, 1<<20))
	}
	_ = file.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		return nil, err
	}
	return func() { _ = os.Remove(name) }, nil
}

func crashing(ctx context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
	ctx = context.WithoutCancel(ctx)
	err := c.server.Crash(ctx)
	return func() {
		if err := c.server.Serve(ctx); err != nil {
			fmt.Println("PostgreSQL does not start:", err)
		}
	}, err // it is started again in any case
}

// terminate ends half of the sessions of the database.
func (c *chaos) terminate(ctx context.Context) error {
	_, err := c.admin.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 2 = (random() < 0.5)::int`)
	return err
}

// hogging takes every connection of the server and ends the sessions of the nodes.
func hogging(ctx context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
	if err := c.terminate(ctx); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			db, err := postgres.At(c.pooler.Address(databaseName)).Connect(ctx)
			if err != nil {
				return // the pool has no more
			}
			<-ctx.Done()
			_ = db.Close()
		})
	}
	return func() { stop(); group.Wait() }, nil
}

// idling holds the turn to write in a transaction that does nothing.
func idling(ctx context.Context, c *chaos, _ *node, _ *rand.Rand) (func(), error) {
	session, err := c.admin.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := session.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return func() { _ = session.Close() }, err
	}
	_, err = tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0; SELECT nodes FROM writer FOR UPDATE`)
	return func() { _, _ = tx.Rollback(), session.Close() }, err
}

// refusing has every request to the bucket answered with 500.
func (c *chaos) refusing() (end func()) {
	answer := "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	for _, n := range c.nodes {
		n.pictures.refuse.Store(&answer)
		n.pictures.dropAll()
	}
	return func() {
		for _, n := range c.nodes {
			n.pictures.refuse.Store(nil)
		}
	}
}
