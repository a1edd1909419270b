package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// sameSpeed is the median ratio from which a build is not slower: less is within what differs between equal builds.
const sameSpeed = 0.97

// acceptClients is how many clients submit at once when accepts are compared.
const acceptClients = 64

// measure is one thing that is compared: what a build does in a while, and what the turns gave.
type measure struct {
	name   string
	take   func(ctx context.Context, s *service, while time.Duration) (load, error)
	totals [2]load   // of the old and of the new build
	ratios []float64 // new/old rate, one for each turn
	cpu    []float64 // new/old processor time for each thing done, one for each turn
}

// group is the measures that are taken on one service.
type group struct {
	still    string // a site: nothing is rendered
	measures []*measure
}

// compare measures two builds in turns and prints, for each measure, the ratios of their rates. It uses the programs'
// flags and HTTP only, so the builds may differ in everything else.
func compare(ctx context.Context, s settings, site string) error {
	groups := comparisons(s, site)
	for turn := range s.rounds {
		for _, g := range groups {
			fmt.Fprintf(os.Stderr, "bench: turn %d of %d, %d measures\n", turn+1, s.rounds, len(g.measures))
			if err := g.turn(ctx, s, turn); err != nil {
				return err
			}
		}
	}
	printComparison(s, groups)
	return nil
}

func comparisons(s settings, site string) []group {
	var groups []group
	if strings.Contains(s.only, "throughput") {
		captures := group{}
		for page := range strings.SplitSeq(s.pages, ",") {
			for _, clients := range []int{1, 4} {
				captures.measures = append(captures.measures, &measure{
					name: fmt.Sprintf("captures of %s, %d at once", page, clients),
					take: func(ctx context.Context, s *service, while time.Duration) (load, error) {
						did, _, err := contender{page, plain{s}}.work(ctx, clients, while, next(site, []string{page}))
						return did.load, err
					},
				})
			}
		}
		groups = append(groups, captures)
	}
	if strings.Contains(s.only, "callbacks") {
		groups = append(groups, group{measures: []*measure{{
			name: "one over the time from a capture's end to its callback",
			take: func(ctx context.Context, s *service, while time.Duration) (load, error) {
				return callbackFor(ctx, s, while, site+"/a")
			},
		}}})
	}
	if strings.Contains(s.only, "accepts") {
		groups = append(groups, group{still: site, measures: []*measure{
			{name: fmt.Sprintf("accepts, %d at once", acceptClients), take: acceptFor},
		}})
	}
	return groups
}

// plain is the service asked for a picture that is not in the answer, as every build knows it.
type plain struct{ *service }

func (p plain) capture(ctx context.Context, of job) (int, error) {
	return 0, p.captureWith(ctx, of.url, nil)
}

func acceptFor(ctx context.Context, s *service, while time.Duration) (load, error) {
	before, err := cpuOf(s.pid())
	if err != nil {
		return load{}, err
	}
	took, elapsed, err := submitAll(ctx, s, acceptClients, while)
	if err != nil {
		return load{}, err
	}
	after, err := cpuOf(s.pid())
	return loaded(len(took), elapsed, before, after), err
}

func (g group) start(ctx context.Context, u setup) (*service, error) {
	if g.still != "" {
		return startStill(ctx, u, g.still)
	}
	return startService(ctx, u)
}

// turn starts both builds, each with an empty data folder, takes every measure once and ends them.
func (g group) turn(ctx context.Context, s settings, turn int) (err error) {
	var both [2]*service
	for i, binary := range []string{s.base, s.binary} {
		if both[i], err = g.start(ctx, setup{binary: binary}); err != nil {
			return fmt.Errorf("%s: %w", binary, err)
		}
		defer func() { err = first(err, both[i].close()) }()
	}
	for _, m := range g.measures {
		if err := m.turn(ctx, both, turn, s.cell); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// warmUp is how long a build is used before it is measured.
const warmUp = 500 * time.Millisecond

// turn takes the measure of one build, of the other twice, and of the first again, each for half of the time: what the
// machine gains or loses meanwhile counts for both. The build that begins changes with the turn.
func (m *measure) turn(ctx context.Context, both [2]*service, turn int, cell time.Duration) error {
	for _, s := range both {
		if _, err := m.take(ctx, s, warmUp); err != nil {
			return err
		}
	}
	var sums [2]load
	one := turn % 2
	for _, which := range []int{one, 1 - one, 1 - one, one} {
		settleDown()
		did, err := m.take(ctx, both[which], cell/2)
		if err != nil {
			return err
		}
		sums[which].add(did)
	}
	for i := range sums {
		m.totals[i].add(sums[i])
	}
	m.ratios = append(m.ratios, sums[1].rate()/sums[0].rate())
	m.cpu = append(m.cpu, sums[1].cpuEach()/sums[0].cpuEach())
	return nil
}

// notSlower says whether the new build is as fast as the old one, as far as the turns tell.
func (m *measure) notSlower() bool {
	return median(m.ratios) >= sameSpeed || slices.Min(m.ratios) <= 1 && slices.Max(m.ratios) >= 1
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func printComparison(s settings, groups []group) {
	fmt.Printf("\n## New build against old, %d turns of %s each\n\n", s.rounds, s.cell)
	fmt.Println("| measure | old /s | new /s | new/old in each turn | median | spread | CPU, median | |\n|---|---|---|---|---|---|---|---|")
	var slower []string
	for _, g := range groups {
		for _, m := range g.measures {
			verdict := "not slower"
			if !m.notSlower() {
				verdict = "slower"
				slower = append(slower, m.name)
			}
			var turns []string
			for _, ratio := range m.ratios {
				turns = append(turns, fmt.Sprintf("%.3f", ratio))
			}
			fmt.Printf("| %s | %.2f | %.2f | %s | %.3f | %.3f–%.3f | %.3f | %s |\n", m.name, m.totals[0].rate(), m.totals[1].rate(),
				strings.Join(turns, " "), median(m.ratios), slices.Min(m.ratios), slices.Max(m.ratios), median(m.cpu), verdict)
		}
	}
	if len(slower) > 0 {
		fmt.Printf("\nVerdict: slower in %s\n", strings.Join(slower, "; "))
		return
	}
	fmt.Println("\nVerdict: not slower")
}
