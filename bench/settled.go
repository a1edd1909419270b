package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/testsite"
	"github.com/savepage/savepage/internal/truth"
)

// settleBudget is the timeout of each capture, in milliseconds: networkidle spends it on pages whose network is never idle.
const settleBudget = 20_000

// waited is what one way to wait gave on one page.
type waited struct {
	took   []time.Duration
	wrong  int // pictures that lack something
	failed int // captures without a picture
}

// settled takes every page of the truth suite in both ways, taking turns, and looks at the pictures.
func settled(ctx context.Context, s settings, site *testsite.Site) (err error) {
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	pool, err := browser.Start(ctx, browser.Config{Pages: 2, Warm: 2}, guard.New(guard.Config{Allow: allow}), log)
	if err != nil {
		return err
	}
	defer func() { err = first(err, pool.Close()) }()
	fmt.Printf("\n## settled against networkidle on the truth suite, ms, median of %d, taking turns\n\n", s.rounds+1)
	fmt.Println("| page | networkidle | settled | ratio | networkidle lacks | settled lacks |\n|---|---|---|---|---|---|")
	render := page.New(pool, page.Config{}, log)
	var ratios []float64
	var lacks [2]int
	for _, c := range truth.Cases(site) {
		if !compared(c) {
			continue
		}
		by := [2]waited{}
		for range s.rounds + 1 {
			for i, until := range []savepage.WaitUntil{savepage.WaitNetworkIdle, savepage.WaitSettled} {
				by[i].add(once(ctx, render, site, c, until))
				settleDown()
			}
		}
		idle, ours := quantile(by[0].took, 0.5), quantile(by[1].took, 0.5)
		ratios = append(ratios, ms(ours)/ms(idle))
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %s | %s |\n", c.Name, ms(idle), ms(ours), ms(ours)/ms(idle), by[0].says(), by[1].says())
		for i := range by {
			lacks[i] += min(1, by[i].wrong+by[i].failed)
		}
	}
	tellSettled(ratios, lacks)
	return nil
}

// compared leaves out what no way to wait changes, and pages of many seconds.
func compared(c truth.Case) bool {
	return c.Fails == "" && !c.Heavy && c.Same == 0 && c.Options.WaitUntil == "" && !strings.HasPrefix(c.Path, "/bands")
}

func once(ctx context.Context, render *page.Renderer, site *testsite.Site, c truth.Case, until savepage.WaitUntil) truth.Outcome {
	c.Options.WaitUntil, c.Options.Timeout = until, settleBudget
	return truth.Run(ctx, render, site, c)
}

func (w *waited) add(o truth.Outcome) {
	w.took = append(w.took, o.Took)
	switch {
	case o.Shot.Width == 0:
		w.failed++
	case len(o.Faults) > 0:
		w.wrong++
	}
}

func (w *waited) says() string {
	switch {
	case w.failed > 0:
		return fmt.Sprintf("no picture, %d times", w.failed)
	case w.wrong > 0:
		return fmt.Sprintf("something, %d times", w.wrong)
	default:
		return "nothing"
	}
}

func tellSettled(ratios []float64, lacks [2]int) {
	took := make([]time.Duration, len(ratios))
	for i, r := range ratios {
		took[i] = time.Duration(r * float64(time.Second))
	}
	fmt.Printf("\n%d pages: settled takes %.2f of the time of networkidle at the median, %.2f at the 9th decile. "+
		"networkidle lacks something on %d, settled on %d.\n",
		len(ratios), quantile(took, 0.5).Seconds(), quantile(took, 0.9).Seconds(), lacks[0], lacks[1])
}
