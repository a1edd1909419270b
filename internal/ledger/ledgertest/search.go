package ledgertest

import (
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/ledger"
)

// searchOf walks all pages of a list and returns the ids, and how many pages there were.
func searchOf(t *scene, b *bench, f capture.Filter) (ids []string, pages int) {
	t.Helper()
	for {
		page, next, err := b.List(t.Context(), b.account, f)
		must(t, err)
		pages++
		for _, c := range page {
			ids = append(ids, c.ID)
		}
		if f.Cursor = next; next == "" {
			return ids, pages
		}
	}
}

// testSearch looks for a part of the URL among more captures than are looked at at once: none is missed, and the last page says
// that it is the last. All are counted without them.
func testSearch(t *scene) {
	b := setUp(t, ledger.Config{})
	begin := whole(time.Now().Add(-time.Hour))
	add := func(url string, key string) string {
		sub := b.submission()
		sub.Capture.CreatedAt, sub.Capture.Options.URL, sub.Capture.KeyID = begin, url, key
		begin = begin.Add(time.Second)
		a, err := b.Accept(t.Context(), sub)
		must(t, err)
		return a.Capture.ID
	}
	oldest := add("https://shop.test/Pricing_1%", "sp_12345678")
	middle := add("https://shop.test/pricingX1%", "")
	equal(t, "sp_12345678", b.get(t, oldest).KeyID)
	equal(t, "", b.get(t, middle).KeyID)
	for range capture.ScannedAtOnce / 1000 {
		b.acceptBatch(t, 1000)
	}
	begin = whole(time.Now().Add(time.Hour))
	newest := add("https://shop.test/?PRICING", "")

	found := func(want []string, wantPages int, f capture.Filter) {
		t.Helper()
		ids, pages := searchOf(t, b, f)
		equal(t, want, ids)
		equal(t, wantPages, pages)
	}
	found([]string{newest, middle, oldest}, 2, capture.Filter{Limit: 50, URLContains: "pricing"})
	found([]string{newest, middle, oldest}, 3, capture.Filter{Limit: 1, URLContains: "PRICING"})
	found([]string{oldest}, 2, capture.Filter{Limit: 50, URLContains: "pricing_1%"})
	found([]string{newest}, 1, capture.Filter{Limit: 50, URLContains: "pricing", CreatedAfter: begin.Add(-time.Minute)})
	found(nil, 2, capture.Filter{Limit: 50, URLContains: `\\`})
	found(nil, 1, capture.Filter{Limit: 50, URLContains: "pricing", States: []savepage.State{savepage.Failed}})
	mine := b.acceptBatch(t, 3)
	found([]string{mine.CaptureIDs[1]}, 1, capture.Filter{Limit: 50, BatchID: mine.Batch.ID, URLContains: mine.CaptureIDs[1]})

	volume, err := b.Volume(t.Context())
	must(t, err)
	if volume.Captures != capture.ScannedAtOnce+6 || volume.Bytes < 1<<20 {
		t.Errorf("%+v", volume)
	}
	for want, f := range map[int]capture.Filter{
		capture.ScannedAtOnce + 6: {Limit: 1, Cursor: ledger.CursorAt(begin, "cap_x").String()},
		3:                         {BatchID: mine.Batch.ID},
		0:                         {States: []savepage.State{savepage.Failed}},
		1:                         {URL: "https://shop.test/pricingX1%"},
	} {
		n, err := b.Count(t.Context(), b.account, f)
		must(t, err)
		if n != want {
			t.Errorf("counted %d, want %d: %+v", n, want, f)
		}
	}
}
