package page_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image/color"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/testsite"
)

func printPDF(t *testing.T, o savepage.Options) capture.Shot {
	t.Helper()
	o.Format = savepage.FormatPDF
	shot := render(t, o)
	if !bytes.HasPrefix(shot.Bytes, []byte("%PDF-")) {
		t.Fatalf("%.20q is no pdf", shot.Bytes)
	}
	return shot
}

// drawings is everything that the pages of a pdf draw: its streams, unpacked.
func drawings(t *testing.T, shot capture.Shot) string {
	t.Helper()
	var all strings.Builder
	for _, part := range bytes.Split(shot.Bytes, []byte("stream\n"))[1:] {
		unpacked, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(unpacked) // ends with what follows the stream
		all.Write(text)
	}
	return all.String()
}

// fills reports whether something of the colour is drawn.
func fills(drawn string, c color.RGBA) bool {
	channel := func(v uint8) string { // as Chromium writes it: .7333, 0, 1
		switch v {
		case 0:
			return "0"
		case 255:
			return "1"
		default:
			return strings.TrimRight(strings.TrimPrefix(fmt.Sprintf("%.4f", float64(v)/255), "0"), "0")
		}
	}
	return strings.Contains(drawn, channel(c.R)+" "+channel(c.G)+" "+channel(c.B)+" rg")
}

func TestPDF(t *testing.T) {
	t.Parallel()
	background := false
	for name, c := range map[string]struct {
		o             savepage.Options
		path          string
		width, height int
		pages         int
		has, hasNot   []int // bands
	}{
		"plain":         {savepage.Options{}, "/paper", 595, 842, 3, []int{0, 1, 2, 98}, []int{99}},
		"one page":      {savepage.Options{PDFPages: "2"}, "/paper", 595, 842, 1, []int{1}, []int{0, 2, 98}},
		"some pages":    {savepage.Options{PDFPages: "1, 3-"}, "/paper?pages=12", 595, 842, 11, []int{0, 2, 11}, []int{1}},
		"landscape":     {savepage.Options{PDFPaper: "letter", PDFLandscape: true}, "/paper", 792, 612, 3, []int{0}, nil},
		"no background": {savepage.Options{PDFBackground: &background}, "/paper", 595, 842, 3, nil, []int{0, 1, 2, 98}},
		"small paper":   {savepage.Options{PDFPaper: "a6", PDFMargin: "5 10pt"}, "/paper", 298, 420, 3, []int{0, 2}, nil},
		"larger":        {savepage.Options{PDFScale: 2, PDFPaper: "a6", PDFMargin: "0"}, "/paper", 298, 420, 6, []int{0, 2}, nil},
		"fullpage":      {savepage.Options{Fullpage: true}, "/paper?pages=30", 595, 842, 30, []int{0, 29}, nil},
		"as on screen":  {savepage.Options{Media: savepage.MediaScreen}, "/paper", 595, 842, 3, []int{0, 99}, []int{98}},
		"title":         {savepage.Options{}, "/paper?title=/Type/Pages/Count+999", 595, 842, 3, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.URL = shared.url(c.path)
			shot := printPDF(t, c.o)
			if abs(shot.Width-c.width) > 1 || abs(shot.Height-c.height) > 1 || shot.Report.Pages != c.pages || shot.Report.Blank ||
				shot.Report.Partial {
				t.Errorf("%d x %d, %+v", shot.Width, shot.Height, shot.Report)
			}
			drawn := drawings(t, shot)
			for _, i := range c.has {
				if !fills(drawn, testsite.BandColor(i)) {
					t.Errorf("band %d is missing", i)
				}
			}
			for _, i := range c.hasNot {
				if fills(drawn, testsite.BandColor(i)) {
					t.Errorf("band %d is there", i)
				}
			}
		})
	}
}

func TestPDFWithoutSuchAPage(t *testing.T) {
	t.Parallel()
	_, err := shared.Render(t.Context(), savepage.Options{URL: shared.url("/paper"), Format: savepage.FormatPDF, PDFPages: "4-"})
	if code(err) != savepage.CodeInvalidRequest || !strings.Contains(err.Error(), "4-") {
		t.Error(err)
	}
}

// A pdf has the lazy pictures, and more bytes than one read of the stream.
func TestPDFOfALongPage(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := printPDF(t, savepage.Options{URL: w.url("/d"), Width: narrow, Timeout: 120_000})
	for i := range testsite.LazyPictures {
		if path := fmt.Sprintf("/picture/320x240-%d.png", i+1); len(w.site.Seen(path)) == 0 {
			t.Errorf("%s was not loaded", path)
		}
	}
	if len(shot.Bytes) < 1<<20 || shot.Report.Pages < 20 {
		t.Errorf("%d bytes, %d pages", len(shot.Bytes), shot.Report.Pages)
	}
}

// A pdf has what scrolling reveals, also where the page hides it again, and every row of a list.
func TestPDFOfWhatScrollingReveals(t *testing.T) {
	t.Parallel()
	for path, bands := range map[string]int{
		"/reveal-kinds": 10, "/scrub": 8, "/timelines": 5, "/smooth?by=fixed": 7, "/feed-late": 40, "/window-list": 120,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			shot := printPDF(t, savepage.Options{URL: shared.url(path)})
			drawn := drawings(t, shot)
			for i := range bands {
				if !fills(drawn, testsite.BandColor(i)) {
					t.Errorf("band %d is missing", i)
				}
			}
			if shot.Report.Truncated || shot.Report.Partial {
				t.Errorf("%+v", shot.Report)
			}
		})
	}
}

// A large pdf is in a file, as large pictures are.
func TestLargePDFIsInAFile(t *testing.T) {
	t.Parallel()
	o := savepage.Options{URL: shared.url("/paper?pages=40"), Format: savepage.FormatPDF}
	shot, err := page.New(shared.pool, page.Config{Hold: 5000, Spool: t.TempDir()}, slog.New(slog.DiscardHandler)).Render(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer shot.Close()
	data, err := io.ReadAll(shot.Reader())
	if err != nil || shot.Large == nil || !bytes.HasPrefix(data, []byte("%PDF-")) || shot.Report.Pages != 40 {
		t.Errorf("%d bytes, %+v, %v", len(data), shot.Report, err)
	}
}
