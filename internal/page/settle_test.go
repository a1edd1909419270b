package page_test

import (
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

func TestSettledSeesWhatComesLate(t *testing.T) {
	t.Parallel()
	for path, at := range map[string][2]int{
		"/changes?n=4&ms=80":          {3*60 + 25, 425},
		"/changes?n=2&ms=90&by=fetch": {60 + 25, 425},
		"/slow-picture?ms=600":        {200, 150},
		"/shadow?ms=500":              {200, 150},
	} {
		shot := render(t, savepage.Options{URL: shared.url(path)})
		want := testsite.BoxColor()
		switch path {
		case "/slow-picture?ms=600":
			want = testsite.PictureColor(7)
		case "/shadow?ms=500":
			want = testsite.PictureColor(9)
			at = [2]int{208, 158}
		}
		if got := decode(t, shot).At(at[0], at[1]); !near(got, want, 0) || shot.Report.Partial {
			t.Errorf("%s: %v, want %v; %+v", path, got, want, shot.Report)
		}
	}
	shot := render(t, savepage.Options{URL: shared.url("/c?ms=700")})
	if shot.Report.Title != "Catalogue of 500" {
		t.Errorf("%+v", shot.Report)
	}
}

// The picture of a page with a slow web font shows that font.
func TestSettledWaitsForFonts(t *testing.T) {
	t.Parallel()
	quick := decode(t, render(t, savepage.Options{URL: shared.url("/fonts")}))
	slow := decode(t, render(t, savepage.Options{URL: shared.url("/fonts?ms=700")}))
	for y := range 200 {
		for x := range 1440 {
			if quick.At(x, y) != slow.At(x, y) {
				t.Fatalf("differs at %d,%d", x, y)
			}
		}
	}
	dark := 0
	for x := range 1440 {
		if r, _, _, _ := quick.At(x, 110).RGBA(); r < 0x8000 {
			dark++
		}
	}
	if dark < 50 {
		t.Errorf("%d dark pixels in a line of text", dark)
	}
}

func TestWaitUntil(t *testing.T) {
	t.Parallel()
	for _, w := range []savepage.WaitUntil{savepage.WaitLoad, savepage.WaitDOMContentLoaded, savepage.WaitNetworkIdle, savepage.WaitSettled} {
		r := render(t, savepage.Options{URL: shared.url("/a"), WaitUntil: w}).Report
		if r.Title != "The harbour wakes before the town" || r.FinalURL != shared.url("/a") {
			t.Errorf("%s: %+v", w, r)
		}
	}
	render(t, savepage.Options{URL: shared.url("/pending-picture"), WaitUntil: savepage.WaitDOMContentLoaded}) // load never comes
	shot := render(t, savepage.Options{URL: shared.url("/changes?n=2&ms=350"), WaitUntil: savepage.WaitNetworkIdle})
	if got := decode(t, shot).At(85, 425); near(got, testsite.BoxColor(), 0) {
		t.Log("networkidle has seen a change by timer that it need not see")
	}
}

func TestWaitForSelectorAndDelay(t *testing.T) {
	t.Parallel()
	shot := render(t, savepage.Options{URL: shared.url("/element?ms=800"), WaitForSelector: "#late"})
	if got := decode(t, shot).At(150, 540); !near(got, testsite.BoxColor(), 0) {
		t.Errorf("%v", got)
	}
	began := time.Now()
	shot = render(t, savepage.Options{URL: shared.url("/changes?n=2&ms=500"), Delay: 1200, WaitUntil: savepage.WaitLoad})
	if passed := time.Since(began); passed < 1200*time.Millisecond {
		t.Errorf("took %v", passed)
	}
	if got := decode(t, shot).At(85, 425); !near(got, testsite.BoxColor(), 0) || shot.Report.Title != "Arrived" {
		t.Errorf("%v %+v", got, shot.Report)
	}
}

func TestScriptRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/js-redirect?to=/bands%3Fheight=900", "/js-redirect?ms=50&to=/bands%3Fheight=900"} {
		for _, w := range []savepage.WaitUntil{savepage.WaitSettled, savepage.WaitNetworkIdle} {
			shot := render(t, savepage.Options{URL: shared.url(path), WaitUntil: w})
			if shot.Report.FinalURL != shared.url("/bands?height=900") {
				t.Errorf("%s %s: %+v", path, w, shot.Report)
			}
			bands(t, decode(t, shot), 1, 0)
		}
	}
}
