package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/savepage/savepage/internal/ledger/pgtest"
)

// How writers tell others what they have committed.
const (
	tellNobody = "no word"
	tellRow    = "a row, read every 25 ms"
	tellNotify = "NOTIFY"
)

// readEvery is how often a node reads the rows.
const readEvery = 25 * time.Millisecond

// notices compares ways to tell other nodes of a commit: what they cost the writers, and how late the word comes. Each of the
// readers has a session of its own, as a node has.
func notices(ctx context.Context, s settings) (err error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = first(err, server.Stop()) }()
	fmt.Printf("\n## Words of commits to three other nodes, PostgreSQL, every commit durable\n\n")
	fmt.Println("| writers | told by | commits/s | word late by, ms: p50 | p99 |\n|---|---|---|---|---|")
	for _, writers := range []int{1, 8, 32} {
		for round := range s.rounds {
			for _, way := range []string{tellNobody, tellRow, tellNotify} {
				name := fmt.Sprintf("notices_%d_%d_%d", writers, round, len(way))
				if err := server.Create(ctx, name, ""); err != nil {
					return err
				}
				if err := told(ctx, server.Address(name), way, writers, s.cell); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// words are when each commit was made, by its number, and how late others heard of it.
type words struct {
	made sync.Map
	mu   sync.Mutex
	late []time.Duration
}

func (w *words) heard(number int64) {
	if at, known := w.made.Load(number); known {
		w.mu.Lock()
		w.late = append(w.late, time.Since(at.(time.Time))) //nolint:forcetypeassert // nothing else is in it
		w.mu.Unlock()
	}
}

func told(ctx context.Context, address, way string, writers int, lasts time.Duration) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(writers)
	db.SetMaxIdleConns(writers)
	const tables = `CREATE TABLE work (id bigserial PRIMARY KEY, body text); CREATE TABLE notices (id bigserial PRIMARY KEY, work bigint)`
	if _, err := db.ExecContext(ctx, tables); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	var w words
	var group sync.WaitGroup
	for range 3 {
		switch way {
		case tellRow:
			group.Go(func() { w.read(limited, address) })
		case tellNotify:
			group.Go(func() { w.listen(limited, address) })
		}
	}
	var commits atomic.Int64
	began := time.Now()
	for range writers {
		group.Go(func() {
			for limited.Err() == nil {
				if w.commit(limited, db, way) == nil {
					commits.Add(1)
				}
			}
		})
	}
	group.Wait()
	rate := float64(commits.Load()) / time.Since(began).Seconds()
	if len(w.late) == 0 {
		fmt.Printf("| %d | %s | %.0f | | |\n", writers, way, rate)
		return ctx.Err()
	}
	fmt.Printf("| %d | %s | %.0f | %.1f | %.1f |\n", writers, way, rate, ms(quantile(w.late, 0.5)), ms(quantile(w.late, 0.99)))
	return ctx.Err()
}

// commit writes one row, and what tells of it.
func (w *words) commit(ctx context.Context, db *sql.DB, way string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after the commit
	var id int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO work (body) VALUES (repeat('x', 1000)) RETURNING id`).Scan(&id); err != nil {
		return err
	}
	switch way {
	case tellRow:
		_, err = tx.ExecContext(ctx, `INSERT INTO notices (work) VALUES ($1)`, id)
	case tellNotify:
		_, err = tx.ExecContext(ctx, `SELECT pg_notify('work', $1::bigint::text)`, id)
	}
	if err != nil {
		return err
	}
	w.made.Store(id, time.Now())
	return tx.Commit()
}

// read asks for new rows again and again.
func (w *words) read(ctx context.Context, address string) {
	session, err := pgx.Connect(ctx, address)
	if err != nil {
		return
	}
	defer func() { _ = session.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for last := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rows, err := session.Query(ctx, `SELECT id, work FROM notices WHERE id > $1 ORDER BY id`, last)
		if err != nil {
			return
		}
		for rows.Next() {
			var number int64
			if rows.Scan(&last, &number) == nil {
				w.heard(number)
			}
		}
		rows.Close()
	}
}

// listen waits for notifications.
func (w *words) listen(ctx context.Context, address string) {
	session, err := pgx.Connect(ctx, address)
	if err != nil {
		return
	}
	defer func() { _ = session.Close(context.WithoutCancel(ctx)) }()
	if _, err := session.Exec(ctx, `LISTEN work`); err != nil {
		return
	}
	for {
		n, err := session.WaitForNotification(ctx)
		if err != nil {
			return
		}
		var number int64
		if _, err := fmt.Sscan(n.Payload, &number); err == nil {
			w.heard(number)
		}
	}
}
