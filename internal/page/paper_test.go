package page_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// readBy has a program that knows nothing of this one read a pdf. scripts/install-test-tools installs them.
func readBy(t *testing.T, shot capture.Shot, program string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(file, shot.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, arg := range args {
		if arg == "FILE" {
			args[i] = file
		}
	}
	out, err := exec.CommandContext(t.Context(), program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}

// textOf is the text of each page, as it stands there.
func textOf(t *testing.T, shot capture.Shot) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(readBy(t, shot, "pdftotext", "-layout", "FILE", "-"), "\f"), "\f")
}

const chapters = `<!doctype html><title>Harbour report</title><style>section { break-after: page }</style>
<h1>Harbour</h1><section><h2>Ships &amp; boats</h2><p>One</section><section><h2>Quays</h2><h3>North quay</h3><p>Two</section>
<section><h2>Grüße</h2><p>Three</section>`

func TestPDFOutline(t *testing.T) {
	t.Parallel()
	type entry struct {
		Title string
		Kids  []entry
	}
	outline := func(o savepage.Options) []entry {
		o.HTML = chapters
		var read struct{ Outlines []entry }
		text := readBy(t, printPDF(t, o), "qpdf", "--json=1", "--json-key=outlines", "FILE")
		if err := json.Unmarshal([]byte(text), &read); err != nil {
			t.Fatal(err)
		}
		return read.Outlines
	}
	var titles []string
	var walk func(depth int, all []entry)
	walk = func(depth int, all []entry) {
		for _, e := range all {
			titles = append(titles, strings.Repeat("-", depth)+e.Title)
			walk(depth+1, e.Kids)
		}
	}
	walk(0, outline(savepage.Options{}))
	if got, want := strings.Join(titles, "|"), "Harbour|-Ships & boats|-Quays|--North quay|-Grüße"; got != want {
		t.Errorf("the outline is %s, want %s", got, want)
	}
	off := false
	if got := outline(savepage.Options{PDFOutline: &off}); len(got) != 0 {
		t.Errorf("an outline that nobody wants: %v", got)
	}
}

func TestPDFHeaderAndFooter(t *testing.T) {
	t.Parallel()
	shot := printPDF(t, savepage.Options{
		HTML: chapters, PDFHeader: `Company <b>secret</b>: <span class="title"></span>`,
		PDFFooter: `Page <span class="pageNumber"></span> of <span class="totalPages"></span>`,
	})
	for i, text := range textOf(t, shot) {
		if !strings.Contains(text, "Company secret: Harbour report") || !strings.Contains(text, "Page "+strconv.Itoa(i+1)+" of 3") {
			t.Errorf("page %d: %q", i+1, text)
		}
	}
	numbered := textOf(t, printPDF(t, savepage.Options{HTML: chapters, PDFPageNumbers: true}))
	for i, text := range numbered {
		if !strings.Contains(strings.ReplaceAll(text, " ", ""), strconv.Itoa(i+1)+"/3") || strings.Contains(text, "Harbour report") {
			t.Errorf("numbered page %d: %q", i+1, text)
		}
	}
	if shot.Report.Pages != 3 || len(numbered) != 3 {
		t.Errorf("%d and %d pages", shot.Report.Pages, len(numbered))
	}
	if plain := textOf(t, printPDF(t, savepage.Options{HTML: chapters})); strings.Contains(plain[0], "/") {
		t.Errorf("without the options: %q", plain[0])
	}
}

// A header has text and pictures of its own. What would load something or run is refused before it is printed: the browser did
// not survive it. What the page calls itself is text.
func TestPDFHeaderLoadsNothing(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	picture := base64.StdEncoding.EncodeToString(render(t, savepage.Options{HTML: "logo", Width: 320, Height: 240}).Bytes)
	shot := printPDF(t, savepage.Options{
		HTML:      `<title>&lt;img src="` + w.url("/picture/20x20-1.png") + `">&lt;script></title>` + chapters,
		PDFHeader: `<img width=20 src="data:image/png;base64,` + picture + `"> plain <span class="title"></span>`,
	})
	if text := textOf(t, shot)[0]; !strings.Contains(text, "plain <img src=") {
		t.Errorf("%q", text)
	}
	if images := readBy(t, shot, "pdfimages", "-list", "FILE"); !strings.Contains(images, " 320 ") {
		t.Errorf("the picture is missing: %s", images)
	}
	for _, given := range []string{
		`<img src="` + w.url("/picture/20x20-1.png") + `">`, `<iframe src="` + w.url("/a") + `"></iframe>`, `<script>1</script>`,
		`<p style="background:url(` + w.url("/a") + `)">`,
	} {
		_, err := shared.Render(t.Context(), savepage.Options{HTML: chapters, Format: savepage.FormatPDF, PDFFooter: given})
		if code(err) != savepage.CodeInvalidRequest || !strings.Contains(err.Error(), "pdf_footer") {
			t.Errorf("%s: %v", given, err)
		}
	}
	for _, path := range []string{"/picture/20x20-1.png", "/a"} {
		if seen := w.site.Seen(path); len(seen) != 0 {
			t.Errorf("%s was asked for: %v", path, seen)
		}
	}
}

// lastLine is how far below the last line of text its page ends, in points.
func lastLine(t *testing.T, shot capture.Shot) float64 {
	t.Helper()
	most := 0.0
	boxes := readBy(t, shot, "pdftotext", "-bbox", "FILE", "-")
	for _, found := range regexp.MustCompile(`yMax="([0-9.]+)">`).FindAllStringSubmatch(boxes, -1) {
		y, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, y)
	}
	return float64(shot.Height) - most
}

// Everything is on one page that ends where the content does, whatever the height of the window has to say.
func TestPDFSinglePage(t *testing.T) {
	t.Parallel()
	rows := `<div style="height:3000px">Top</div><p style="margin:0">Last line</p>`
	filled := `<style>html,body{height:100%}</style><div style="min-height:100%">` + rows + `</div>`
	heroes := strings.Repeat(`<section style="min-height:100vh;padding:20px">Hero</section>`, 3) + rows
	for name, c := range map[string]struct {
		o     savepage.Options
		html  string
		width int
		end   float64 // points below the last line, at most
	}{
		"rows":          {savepage.Options{}, rows, 1080 + 57, 45},
		"chapters":      {savepage.Options{}, chapters, 1080 + 57, 60},
		"as on paper":   {savepage.Options{PDFPaper: "a4"}, rows, 595, 45},
		"no margins":    {savepage.Options{PDFMargin: "0", Width: 800}, rows, 600, 20},
		"smaller":       {savepage.Options{PDFScale: 0.5, PDFMargin: "0", Width: 800}, rows, 300, 20},
		"own width":     {savepage.Options{PDFWidth: "100mm", PDFMargin: "0"}, rows, 283, 20},
		"a hero":        {savepage.Options{}, `<div style="height:100vh">Hero</div>` + rows, 1080 + 57, 45},
		"full height":   {savepage.Options{}, filled, 1080 + 57, 45},
		"some heroes":   {savepage.Options{}, heroes, 1080 + 57, 45},
		"short":         {savepage.Options{}, `<p>Last line`, 1080 + 57, 60},
		"page numbers":  {savepage.Options{PDFPageNumbers: true}, rows, 1080 + 57, 45},
		"a strict page": {savepage.Options{}, `<meta http-equiv=Content-Security-Policy content="default-src 'none'">` + rows, 1080 + 57, 45},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.PDFSinglePage, c.o.HTML = true, "<!doctype html><body style='margin:0'>"+c.html
			shot := printPDF(t, c.o)
			if shot.Report.Pages != 1 || abs(shot.Width-c.width) > 1 || !strings.Contains(textOf(t, shot)[0], "Last line") && name != "chapters" {
				t.Errorf("%d pages of %d x %d: %q", shot.Report.Pages, shot.Width, shot.Height, textOf(t, shot))
			}
			if below := lastLine(t, shot); below > c.end {
				t.Errorf("%v points are empty below the last line of %d", below, shot.Height)
			}
		})
	}
}

// What is longer than the longest paper goes on further pages, and nothing is lost.
func TestPDFSinglePageOfALongPage(t *testing.T) {
	t.Parallel()
	shot := printPDF(t, savepage.Options{PDFSinglePage: true, HTML: `<div style="height:30000px">Top</div><p>Last line`})
	texts := textOf(t, shot)
	if shot.Report.Pages != 2 || shot.Height != savepage.MaxPaper || !strings.Contains(texts[1], "Last line") {
		t.Errorf("%d pages, %d points: %q", shot.Report.Pages, shot.Height, texts)
	}
}

func TestPDFSizes(t *testing.T) {
	t.Parallel()
	own := `<style>@page { size: 100mm 50mm }</style>` + chapters
	for name, c := range map[string]struct {
		o             savepage.Options
		html          string
		width, height int
	}{
		"ledger":       {savepage.Options{PDFPaper: "ledger"}, chapters, 1224, 792},
		"own":          {savepage.Options{PDFWidth: "4in", PDFHeight: "600px"}, chapters, 288, 450},
		"own height":   {savepage.Options{PDFHeight: "5in"}, chapters, 595, 360},
		"css":          {savepage.Options{PDFCSSPageSize: true}, own, 283, 142},
		"css, not":     {savepage.Options{}, own, 842, 595}, // but turned as it is
		"css, of none": {savepage.Options{PDFCSSPageSize: true, PDFPaper: "a6"}, chapters, 298, 420},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.HTML = c.html
			if shot := printPDF(t, c.o); abs(shot.Width-c.width) > 1 || abs(shot.Height-c.height) > 1 {
				t.Errorf("%d x %d", shot.Width, shot.Height)
			}
		})
	}
}
