package page_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// floor is the least a picture can cost: navigate, load, shoot.
func floor(ctx context.Context, url string) error {
	tab, err := shared.pool.Take(ctx)
	if err != nil {
		return err
	}
	defer tab.Close()
	s := tab.Session()
	loaded := make(chan struct{}, 1)
	s.Listen(func(method string, _ json.RawMessage) {
		if method == "Page.loadEventFired" {
			select {
			case loaded <- struct{}{}:
			default:
			}
		}
	})
	s.Send("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false})
	if _, err := cdp.Call(ctx, s, cdpage.Navigate, cdpage.NavigateParams{URL: url}); err != nil {
		return err
	}
	select {
	case <-loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	fast := true
	_, err = cdp.Call(ctx, s, cdpage.CaptureScreenshot, cdpage.CaptureScreenshotParams{Format: "png", OptimizeForSpeed: &fast})
	return err
}

// warm waits until the pool has its warm tabs, as it has at low load.
func warm(b *testing.B) {
	b.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for s := shared.pool.Stats(); s.Warm < 2 || s.InUse > 0; s = shared.pool.Stats() {
		<-tick.C
	}
}

// BenchmarkRender measures Render against the floor, one after the other. Read the ratio: both see the same machine.
func BenchmarkRender(b *testing.B) {
	for _, path := range []string{"/blank?color=teal", "/a", "/b", "/c", "/d"} {
		b.Run(path, func(b *testing.B) {
			var floors, renders []time.Duration
			for b.Loop() {
				warm(b)
				began := time.Now()
				if err := floor(b.Context(), shared.url(path)); err != nil {
					b.Fatal(err)
				}
				floors = append(floors, time.Since(began))
				warm(b)
				began = time.Now()
				if _, err := shared.Render(b.Context(), savepage.Options{URL: shared.url(path)}); err != nil {
					b.Fatal(err)
				}
				renders = append(renders, time.Since(began))
			}
			slices.Sort(floors)
			slices.Sort(renders)
			f, r := floors[len(floors)/2], renders[len(renders)/2]
			b.ReportMetric(float64(f.Microseconds())/1000, "floor-ms")
			b.ReportMetric(float64(r.Microseconds())/1000, "render-ms")
			b.ReportMetric(float64(r)/float64(f), "ratio")
		})
	}
}
