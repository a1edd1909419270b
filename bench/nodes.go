package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Sizes of the measurement of nodes.
const (
	nodeShare   = 0.4 // of a core, for each node that renders, its browser included
	nodeClients = 8
	nodeCells   = 4 // times the time of a cell
)

// nodes measures how much more two nodes that render do than one, each with the same share of a core, and what a capture costs
// each part. The node that answers requests and sends callbacks has no limit.
func nodes(ctx context.Context, s settings, site string) (err error) {
	all, stop, err := engines(ctx)
	if err != nil {
		return err
	}
	defer func() { err = first(err, stop()) }()
	e := all[len(all)-1]
	fmt.Printf("\n## One and two nodes that render, PostgreSQL, %d clients, page a, each capture with a callback, %s each\n\n",
		nodeClients, nodeCells*s.cell)
	fmt.Println("| nodes | share of a core each | captures/s | CPU ms a capture: browsers | nodes | API and callbacks | database | commits " +
		"| WAL bytes | rows | database bytes | picture bytes |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
	rates := map[int][]float64{}
	for round := range s.rounds {
		order := []int{1, 2}
		if round%2 == 1 {
			order = []int{2, 1}
		}
		for _, count := range order {
			rate, err := e.renderedBy(ctx, s, site, count)
			if err != nil {
				return err
			}
			rates[count] = append(rates[count], rate)
		}
	}
	for i, one := range rates[1] {
		fmt.Printf("\nturn %d: two nodes do %.2f times what one does", i+1, rates[2][i]/one)
	}
	fmt.Println()
	return nil
}

// used is what was used at one moment.
type used struct {
	browsers, nodes, api time.Duration
	server               time.Duration // of the database
	commits, wal, rows   int64
	database, pictures   int64
}

func (e *engine) renderedBy(ctx context.Context, s settings, site string, count int) (float64, error) {
	u, err := e.fresh(ctx, s.binary)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(u.dir) }()
	u.roles = "api,deliver"
	front, err := startService(ctx, u)
	if err != nil {
		return 0, err
	}
	renderers, share, err := u.renderers(ctx, count)
	if err != nil {
		return 0, err
	}
	hook, err := newHook(ctx)
	if err != nil {
		return 0, err
	}
	defer hook.close()
	tables, err := u.tables()
	if err != nil {
		return 0, err
	}
	defer func() { _ = tables.Close() }()
	if _, err := closedLoop(ctx, front, site, hook, s.cell); err != nil { // until all is warm
		return 0, err
	}
	before, err := u.used(ctx, tables, front, renderers)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := closedLoop(ctx, front, site, hook, nodeCells*s.cell)
	if err != nil {
		return 0, err
	}
	rate := float64(n) / time.Since(began).Seconds()
	after, err := u.used(ctx, tables, front, renderers)
	if err != nil {
		return 0, err
	}
	each := func(d time.Duration) float64 { return ms(d) / float64(n) }
	fmt.Printf("| %d | %s | %.2f | %.0f | %.1f | %.1f | %.1f | %.1f | %d | %.1f | %d | %d |\n",
		count, share, rate, each(after.browsers-before.browsers), each(after.nodes-before.nodes), each(after.api-before.api),
		each(after.server-before.server), float64(after.commits-before.commits)/float64(n), (after.wal-before.wal)/n,
		float64(after.rows-before.rows)/float64(n), (after.database-before.database)/n, (after.pictures-before.pictures)/n)
	for _, one := range append(renderers, front) {
		if err := one.stop(); err != nil {
			return 0, err
		}
	}
	return rate, nil
}

// renderers starts nodes that render, each with its share of a core where the system lets us give it.
func (u setup) renderers(ctx context.Context, count int) (all []*service, share string, err error) {
	share = "not limited"
	for i := range count {
		one := u
		one.roles = "render"
		one.dir = filepath.Join(u.dir, fmt.Sprintf("node-%d", i))
		one.blobs = filepath.Join(u.dir, "data", "pictures")
		if err := os.Mkdir(one.dir, 0o755); err != nil {
			return all, share, err
		}
		if one.group, err = limited(fmt.Sprintf("savepage-bench-%d", i), nodeShare); err == nil {
			share = fmt.Sprint(nodeShare)
		}
		started, err := start(ctx, one, "")
		if err != nil {
			return all, share, err
		}
		all = append(all, started)
	}
	return all, share, nil
}

// limited makes a control group that has a share of a core, and returns its folder.
func limited(name string, share float64) (string, error) {
	const period = 100_000 // microseconds
	quota := strconv.Itoa(int(share * period))
	for root, set := range map[string]map[string]string{
		"/sys/fs/cgroup/cpu": {"cpu.cfs_period_us": strconv.Itoa(period), "cpu.cfs_quota_us": quota}, // version 1
		"/sys/fs/cgroup":     {"cpu.max": quota + " " + strconv.Itoa(period)},                        // version 2
	} {
		folder := filepath.Join(root, name)
		if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			continue
		}
		var errs []error
		for file, text := range set {
			if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
				errs = append(errs, err)
				continue
			}
			errs = append(errs, os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600))
		}
		if errors.Join(errs...) == nil {
			return folder, nil
		}
	}
	return "", errors.New("no share of a core can be given here")
}

// closedLoop has as many captures on their way as there are clients, each until its callback has come, and returns how many
// callbacks came. The hook counts those that were asked for, also in the loop before.
func closedLoop(ctx context.Context, s *service, site string, hook *hook, lasts time.Duration) (int64, error) {
	first := len(hook.arrivals())
	ends := time.After(lasts)
	for {
		for ; hook.asked < len(hook.arrivals())+nodeClients; hook.asked++ {
			if err := s.submit(ctx, map[string]any{"url": site + "/a", "callback_url": hook.url}); err != nil {
				return 0, err
			}
		}
		select {
		case <-hook.more:
		case <-ends:
			return int64(len(hook.arrivals()) - first), nil
		}
	}
}

// used reads what has been used so far.
func (u setup) used(ctx context.Context, tables *sql.DB, front *service, renderers []*service) (is used, err error) {
	for _, one := range renderers {
		whole, err := cpuOf(one.pid())
		if err != nil {
			return is, err
		}
		_, _, own, err := readStat(fmt.Sprintf("/proc/%d/stat", one.pid()))
		if err != nil {
			return is, err
		}
		is.nodes, is.browsers = is.nodes+own, is.browsers+whole-own
	}
	if is.api, err = cpuOf(front.pid()); err != nil {
		return is, err
	}
	if is.server, err = serverCPU(ctx, tables); err != nil {
		return is, err
	}
	if is.commits, is.wal, err = written(ctx, tables); err != nil {
		return is, err
	}
	const inserted = `SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables`
	if err := tables.QueryRowContext(ctx, inserted).Scan(&is.rows); err != nil {
		return is, err
	}
	if is.database, err = u.bytes(ctx, tables); err != nil {
		return is, err
	}
	err = filepath.WalkDir(filepath.Join(u.dir, "data", "pictures"), func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(name, "/.tmp/") {
			return nil //nolint:nilerr // it was removed meanwhile
		}
		if info, err := entry.Info(); err == nil {
			is.pictures += info.Size()
		}
		return nil
	})
	return is, err
}
