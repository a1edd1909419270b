package page_test

import (
	"os"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// wallPage is a page of testdata/walls.html.
type wallPage struct{ want, name, html string }

// wallPages are pages and what stands in their place, by what such pages have in common.
func wallPages(t *testing.T) []wallPage {
	t.Helper()
	file, err := os.ReadFile("testdata/walls.html")
	if err != nil {
		t.Fatal(err)
	}
	const text = "<p>The harbour master counted the boats twice, wrote the number down, and went home by the long way, past the " +
		"light and the two cranes that had not moved since spring. Nobody had asked for the number.</p>"
	fill := strings.NewReplacer("{{text}}", text, "{{article}}", strings.Repeat(text, 8),
		"{{links}}", strings.Repeat(`<a href="/x">More of this</a> `, 40), "{{some links}}", strings.Repeat(`<a href="/x">More</a> `, 20),
		"{{form}}", "<form><label>E-mail <input type=email></label><label>Password <input type=password></label><button>Go on</button></form>",
		"{{veil}}", "position:fixed;inset:0;background:rgba(0,0,0,.6);z-index:9",
		"{{panel}}", "position:absolute;left:25%;top:25%;width:50%;height:50%;background:#fff")
	var pages []wallPage
	for part := range strings.SplitSeq(string(file), "<!-- ") {
		head, html, found := strings.Cut(part, " -->\n")
		if !found {
			continue
		}
		want, name, _ := strings.Cut(head, ": ")
		pages = append(pages, wallPage{want, want + ": " + name, "<!doctype html>" + fill.Replace(html)})
	}
	if len(pages) < 30 {
		t.Fatalf("only %d pages were found", len(pages))
	}
	return pages
}

func TestWall(t *testing.T) {
	t.Parallel()
	for _, one := range wallPages(t) {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			r := render(t, savepage.Options{HTML: one.html, WaitUntil: savepage.WaitDOMContentLoaded}).Report
			if string(r.Wall) != one.want || (one.want == "none") != (len(r.WallSigns) == 0) {
				t.Errorf("the wall is %s %q", r.Wall, r.WallSigns)
			}
		})
	}
}

// The status says more than the page.
func TestWallByStatus(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]savepage.Wall{
		"/status/404": "error_page", "/a?status=500": "error_page", "/a?status=403": "error_page", "/a": "none", "/status/503": "error_page",
	} {
		if r := render(t, savepage.Options{URL: shared.url(path)}).Report; r.Wall != want {
			t.Errorf("%s: the wall is %s %q, want %s", path, r.Wall, r.WallSigns, want)
		}
	}
}

func TestFailOnWall(t *testing.T) {
	t.Parallel()
	login := wallPages(t)[0].html
	for _, one := range []struct {
		on   savepage.Failure
		want savepage.Code
	}{{"wall", savepage.CodeWall}, {"login", savepage.CodeWall}, {"captcha", ""}, {"4xx", ""}} {
		_, err := shared.Render(t.Context(), patient(savepage.Options{HTML: login, FailOn: []savepage.Failure{one.on}}))
		if code(err) != one.want || one.want != "" && !strings.Contains(err.Error(), "login: little text, and a form with a password") {
			t.Errorf("%s: %v", one.on, err)
		}
	}
}
