package main

import (
	"context"
	"fmt"
	"time"
)

// variant is a capture with some options.
type variant struct {
	name    string
	page    string
	options map[string]any
}

func variants() []variant {
	return []variant{
		{"b, nothing", "b", nil},
		{"b, block_ads and block_trackers", "b", map[string]any{"block_ads": true, "block_trackers": true}},
		{"b, and block_chats", "b", map[string]any{"block_ads": true, "block_trackers": true, "block_chats": true}},
		{"b, block_cookie_banners", "b", map[string]any{"block_cookie_banners": true}},
		{"a, nothing", "a", nil},
		{"a, block_ads and block_trackers", "a", map[string]any{"block_ads": true, "block_trackers": true}},
		{"a, block_cookie_banners", "a", map[string]any{"block_cookie_banners": true}},
		{"c, nothing", "c", nil},
		{"c, block_ads and block_trackers", "c", map[string]any{"block_ads": true, "block_trackers": true}},
		{"c, block_cookie_banners", "c", map[string]any{"block_cookie_banners": true}},
	}
}

// unwanted measures what it costs to leave out advertisements and banners of pages that have none. The site is one that
// EasyList does not except from general hiding, as it does 127.0.0.1.
func unwanted(ctx context.Context, s settings, site string) (err error) {
	ours, err := startService(ctx, setup{binary: s.binary})
	if err != nil {
		return err
	}
	defer func() { err = first(err, ours.close()) }()
	all := variants()
	took, used := make([][]time.Duration, len(all)), make([]time.Duration, len(all))
	for range samples + 1 {
		for i, v := range all {
			before, err := cpuOf(ours.pid())
			if err != nil {
				return err
			}
			began := time.Now()
			if err := ours.captureWith(ctx, site+"/"+v.page, v.options); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			took[i] = append(took[i], time.Since(began))
			settleDown() // the page that is made in its place counts
			after, err := cpuOf(ours.pid())
			if err != nil {
				return err
			}
			used[i] += after - before
		}
	}
	fmt.Printf("\n## Pages without anything unwanted, ms, median of %d, taking turns\n\n", samples)
	fmt.Println("| page and options | ms | more | ratio | CPU ms | ratio |\n|---|---|---|---|---|---|")
	base, cpu := 0.0, 0.0
	for i, v := range all {
		median, spent := ms(quantile(took[i][1:], 0.5)), ms(used[i])/(samples+1)
		if v.options == nil {
			base, cpu = median, spent
		}
		fmt.Printf("| %s | %.1f | %.1f | %.2f | %.0f | %.2f |\n", v.name, median, median-base, median/base, spent, spent/cpu)
	}
	return nil
}
