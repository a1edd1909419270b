package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// victim is a way to end or freeze a process.
type victim struct {
	name   string
	kind   string // of the process
	signal syscall.Signal
	weight int
	frozen time.Duration // with SIGSTOP: until SIGCONT
}

// victims are what a campaign does.
func victims() []victim {
	const frozen = 20 * time.Second
	return []victim{
		{"service KILL", "service", syscall.SIGKILL, 12, 0},
		{"service TERM", "service", syscall.SIGTERM, 3, 0},
		{"browser KILL", "browser", syscall.SIGKILL, 5, 0},
		{"network KILL", "network", syscall.SIGKILL, 5, 0},
		{"gpu KILL", "gpu", syscall.SIGKILL, 4, 0},
		{"zygote KILL", "zygote", syscall.SIGKILL, 4, 0},
		{"renderer KILL", "renderer", syscall.SIGKILL, 6, 0},
		{"utility KILL", "utility", syscall.SIGKILL, 2, 0},
		{"browser STOP", "browser", syscall.SIGSTOP, 1, frozen},
		{"network STOP", "network", syscall.SIGSTOP, 1, frozen},
		{"gpu STOP", "gpu", syscall.SIGSTOP, 1, frozen},
		{"renderer STOP", "renderer", syscall.SIGSTOP, 1, frozen},
	}
}

// killer kills processes of a service.
type killer struct {
	*service

	list   []victim
	done   map[string]int
	worst  time.Duration // until it was ready again
	thaws  sync.WaitGroup
	absent int // victims of which there was none
}

// campaign kills while clients submit good pages, and then looks for what was lost, got stuck, failed or was not delivered.
func campaign(ctx context.Context, s settings, v *service, at *site) error {
	l := newLoad(v, at, goodPages(), false)
	working, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	clients.Go(func() { l.run(working, s.clients) })
	k := &killer{service: v, done: map[string]int{}}
	for _, one := range victims() {
		if strings.HasPrefix(one.name, s.victims) {
			k.list = append(k.list, one)
		}
	}
	began := time.Now()
	err := k.run(ctx, s, l)
	stop()
	clients.Wait()
	k.thaws.Wait()
	if err != nil {
		return err
	}
	fmt.Printf("%d kills in %s; all may now end\n", s.kills, time.Since(began).Round(time.Second))
	at.tame.Store(true)
	return l.audit(ctx, s.grace, k)
}

// run kills so that the kills are spread over the captures.
func (k *killer) run(ctx context.Context, s settings, l *load) error {
	for n := 1; n <= s.kills; n++ {
		// Half to one and a half of the pause.
		for again := true; again; again = l.count() < n*s.captures/s.kills {
			if !pause(ctx, s.pause/2+rand.N(s.pause)) { //nolint:gosec // it is not for secrets
				return ctx.Err()
			}
		}
		if err := k.kill(ctx, k.choose()); err != nil {
			return err
		}
		if n%10 == 0 {
			fmt.Printf("%4d kills, %5d captures accepted, %3d open\n", n, l.count(), l.opened())
		}
	}
	return nil
}

func (b *book) count() int {
	b.lock.Lock()
	defer b.lock.Unlock()
	return len(b.accepted)
}

func (b *book) opened() int {
	b.lock.Lock()
	defer b.lock.Unlock()
	return len(b.open)
}

// choose returns a victim by weight.
func (k *killer) choose() victim {
	total := 0
	for _, one := range k.list {
		total += one.weight
	}
	at := rand.IntN(total) //nolint:gosec // it is not for secrets
	for _, one := range k.list {
		if at -= one.weight; at < 0 {
			return one
		}
	}
	return k.list[0]
}

// kill signals a process of the kind. A service that ended is started again.
func (k *killer) kill(ctx context.Context, v victim) error {
	if v.kind == "service" {
		k.end(v.signal)
		k.done[v.name]++
		began := time.Now()
		err := k.start(ctx)
		k.worst = max(k.worst, time.Since(began))
		return err
	}
	all := slices.DeleteFunc(processes(k.pid()), func(p process) bool { return p.kind != v.kind })
	if len(all) == 0 {
		k.absent++
		return nil
	}
	pid := pick(all).pid
	if err := syscall.Kill(pid, v.signal); err != nil {
		return nil //nolint:nilerr // it has ended meanwhile
	}
	k.done[v.name]++
	if v.frozen > 0 {
		k.thaws.Go(func() {
			pause(ctx, v.frozen)
			_ = syscall.Kill(pid, syscall.SIGCONT) // it was replaced and is gone, if the service is right
		})
	}
	return nil
}

// audit waits for the end of everything and prints what went wrong.
func (l *load) audit(ctx context.Context, grace time.Duration, k *killer) error {
	limited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for limited.Err() == nil && l.opened() > 0 {
		l.lock.Lock()
		open := slices.Clone(l.open)
		l.lock.Unlock()
		for _, id := range open {
			if !l.look(limited, id) {
				pause(limited, 50*time.Millisecond)
			}
		}
	}
	missing := l.site.missing(l.owed())
	for limited.Err() == nil && len(missing) > 0 {
		pause(limited, time.Second)
		missing = l.site.missing(missing)
	}
	return l.report(k, missing)
}

// owed returns the captures and batches that owe an event. A deleted capture takes what it owes with it.
func (b *book) owed() []string {
	b.lock.Lock()
	defer b.lock.Unlock()
	list := slices.Clone(b.batches)
	for id, a := range b.accepted {
		if a.callback && !a.deleted && a.state != "canceled" {
			list = append(list, id)
		}
	}
	return list
}

func (b *book) report(k *killer, missing []string) error {
	b.lock.Lock()
	defer b.lock.Unlock()
	counts := map[string]int{}
	for id, a := range b.accepted {
		switch {
		case a.state == "gone" && a.deleted:
			counts["deleted"]++
		case a.state == "gone":
			counts["lost"]++
			fmt.Println("lost:", id)
		case a.state == "":
			counts["stuck"]++
			fmt.Println("stuck:", id)
		case a.state == "failed":
			counts["falsely failed"]++
			fmt.Println("falsely failed:", id, a.fault)
		default:
			counts[a.state]++
		}
	}
	for _, id := range missing {
		fmt.Println("event not delivered:", id)
	}
	for _, text := range b.mismatch {
		fmt.Println("wrong:", text)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, one := range k.list {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", one.name, k.done[one.name])
	}
	_, _ = fmt.Fprintf(table, "no such process\t%d\n", k.absent)
	_, _ = fmt.Fprintf(table, "longest start\t%s\n", k.worst.Round(10*time.Millisecond))
	_, _ = fmt.Fprintf(table, "captures accepted\t%d\nbatches\t%d\n", len(b.accepted), len(b.batches))
	for _, state := range []string{"success", "canceled", "deleted", "falsely failed", "lost", "stuck"} {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", state, counts[state])
	}
	_, _ = fmt.Fprintf(table, "events not delivered\t%d\nanswers that were wrong\t%d\nrefused\t%v\n", len(missing), len(b.mismatch), b.refused)
	if err := table.Flush(); err != nil {
		return err
	}
	if counts["falsely failed"]+counts["lost"]+counts["stuck"]+len(missing)+len(b.mismatch) > 0 {
		return errFailed
	}
	return nil
}
