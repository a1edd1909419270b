package truth_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"go.uber.org/goleak"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page"
	"github.com/savepage/savepage/internal/testsite"
	"github.com/savepage/savepage/internal/truth"
)

var (
	table = flag.Bool("table", false, "print every page, what is checked, the result and the time")
	every = flag.Bool("every", false, "render every page in every view")
	keep  = flag.String("keep", "", "folder for the pictures")
	only  = flag.String("only", "", "render the cases with this in their name or path")
	same  = flag.Int("same", 0, "take every frozen picture so many times more: each has the same bytes, or its report says what moves")
)

// suite are the cases that are asked for.
func suite() []truth.Case {
	cases := truth.Cases(shared.site)
	if *every {
		cases = truth.All(shared.site)
	}
	return slices.DeleteFunc(cases, func(c truth.Case) bool { return !strings.Contains(c.Name+" "+c.Path, *only) })
}

// atOnce is how many pages are rendered at once. Many of them wait.
const atOnce = 3

var shared struct {
	site *testsite.Site
	*page.Renderer

	mu       sync.Mutex
	outcomes []truth.Outcome
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err == nil {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		return 0, err
	}
	site, err := testsite.Start()
	if err != nil {
		return 0, err
	}
	defer site.Close()
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		return 0, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	pool, err := browser.Start(context.Background(), browser.Config{Pages: atOnce, Warm: 2}, guard.New(guard.Config{Allow: allow}), log)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	shared.site, shared.Renderer = site, page.New(pool, page.Config{}, log)
	code := m.Run()
	if *table {
		printTable(os.Stdout)
	}
	return code, nil
}

// TestTruth renders every page of the suite and looks at its picture.
func TestTruth(t *testing.T) {
	for _, c := range suite() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if *same > 0 && c.Fails == "" && !c.Heavy && c.Options.Animations == "" && c.Options.Format != savepage.FormatPDF {
				c.Same = *same
			}
			out := truth.Run(t.Context(), shared.Renderer, shared.site, c)
			shared.mu.Lock()
			shared.outcomes = append(shared.outcomes, out)
			shared.mu.Unlock()
			for _, fault := range out.Faults {
				t.Error(fault)
			}
			if *keep != "" {
				save(t, out)
			}
		})
	}
}

// A name is used once, and every case asks for something.
func TestCasesAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range truth.All(shared.site) {
		if seen[c.Name] || c.Name == "" || c.Says() == "" {
			t.Errorf("%q is used twice, or says nothing: %q", c.Name, c.Says())
		}
		seen[c.Name] = true
	}
}

// What the built pages take from packages is there, and every one of them is looked at.
func TestPackages(t *testing.T) {
	shown := map[string]bool{}
	for _, c := range truth.All(shared.site) {
		path, _, _ := strings.Cut(c.Path, "?")
		shown[path] = true
	}
	files := regexp.MustCompile(`(?:src|href)="(/(?:npm|bundle)/[^"]+)"`)
	for _, name := range testsite.Built() {
		if !shown["/built/"+name] {
			t.Errorf("no case shows the page %s", name)
		}
		_, document := get(t, "/built/"+name)
		for _, found := range files.FindAllStringSubmatch(document, -1) {
			if status, said := get(t, found[1]); status != http.StatusOK {
				t.Errorf("%s has %s: %d, %.300s", name, found[1], status, said)
			}
		}
	}
}

// get asks the site for a path.
func get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(shared.site.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// save writes the picture and the report of a case into the folder.
func save(t *testing.T, out truth.Outcome) {
	t.Helper()
	if err := os.MkdirAll(*keep, 0o750); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(*keep, strings.NewReplacer(" ", "-", "/", "-").Replace(out.Case.Name))
	format := cmp.Or(string(out.Case.Options.Format), "png")
	if err := os.WriteFile(file+"."+format, out.Shot.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".txt", fmt.Appendf(nil, "%+v\n", out.Shot.Report), 0o600); err != nil {
		t.Fatal(err)
	}
}

// printTable prints the outcomes in the order of the suite.
func printTable(to *os.File) {
	order := map[string]int{}
	for i, c := range suite() {
		order[c.Name] = i
	}
	slices.SortFunc(shared.outcomes, func(a, b truth.Outcome) int { return order[a.Case.Name] - order[b.Case.Name] })
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nPAGE\tRESULT\tTIME\tCHECK")
	wrong := 0
	for _, out := range shared.outcomes {
		result := "true"
		if len(out.Faults) > 0 {
			result = "FALSE"
			wrong++
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\n", out.Case.Name, result, out.Took.Round(time.Millisecond), out.Case.Says())
	}
	fmt.Fprintf(w, "%d pages, %d not true\n", len(shared.outcomes), wrong)
	_ = w.Flush()
}
