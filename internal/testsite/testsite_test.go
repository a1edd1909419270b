package testsite

import (
	"bytes"
	"encoding/json"
	"image"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) *Site {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// Every page is a whole document: a template that fails stops in its middle.
func TestPagesAreWhole(t *testing.T) {
	s := start(t)
	files, err := fs.Glob(pages, "pages/*.html")
	if err != nil || len(Built()) == 0 {
		t.Fatal(Built(), err)
	}
	names := make([]string, 0, len(files)+len(Built()))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".html"))
	}
	for _, name := range Built() {
		names = append(names, "built/"+name)
	}
	for _, name := range names {
		status, body := get(t, s.URL+"/"+name)
		text := strings.TrimSpace(string(body))
		if name != "parts" && (status != http.StatusOK || !strings.HasSuffix(text, ">") || !strings.HasPrefix(text, "<!doctype html>")) {
			t.Errorf("%s: %d, ends with %q", name, status, text[max(0, len(text)-60):])
		}
	}
}

func TestMarketingPageWeight(t *testing.T) {
	s := start(t)
	total := 0
	for _, path := range []string{"/b", "/font.ttf"} {
		_, body := get(t, s.URL+path)
		total += len(body)
	}
	for i := range 30 {
		_, body := get(t, s.URL+"/picture/640x420-"+string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10))+".jpg")
		total += len(body)
	}
	if total < 1_200_000 || total > 1_800_000 {
		t.Errorf("%d bytes, want about 1.5 MB", total)
	}
}

func TestPictureHasItsColour(t *testing.T) {
	s := start(t)
	_, body := get(t, s.Other+"/picture/320x240-12.png")
	img, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.At(160, 120); got != PictureColor(12) {
		t.Errorf("%v, want %v", got, PictureColor(12))
	}
	if got := img.At(20, 20); got == PictureColor(12) {
		t.Error("no surroundings")
	}
}

func TestBandsDiffer(t *testing.T) {
	seen := map[any]int{}
	for i := range 4096 {
		if k, ok := seen[BandColor(i)]; ok {
			t.Fatalf("bands %d and %d are the same", k, i)
		}
		seen[BandColor(i)] = i
	}
}

func TestSeen(t *testing.T) {
	s := start(t)
	get(t, s.URL+"/a?x=1")
	get(t, s.Other+"/a")
	if got := s.Seen("/a"); len(got) != 2 || got[0].Path != "/a?x=1" || "http://"+got[1].Host != s.Other {
		t.Errorf("%v", got)
	}
	s.Forget()
	if got := s.Seen("/a"); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A request that never ends does not keep the site from closing.
func TestCloseEndsHanging(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/hang", nil)
	transport := &http.Transport{DisableKeepAlives: true}
	go func() {
		_, err := transport.RoundTrip(req)
		ended <- err
	}()
	for len(s.Seen("/hang")) == 0 {
		select {
		case err := <-ended:
			t.Fatalf("ended early: %v", err)
		default:
		}
	}
	s.Close()
	if err := <-ended; err == nil {
		t.Error("an answer")
	}
}

// The packages of pages have licences that anyone may use, and the lock file names no registry.
func TestLibraries(t *testing.T) {
	var lock struct {
		Packages map[string]struct{ Version, License, Resolved, Integrity string }
	}
	if err := json.Unmarshal(lockFile, &lock); err != nil {
		t.Fatal(err)
	}
	free := regexp.MustCompile(`^(\(?MIT.*|ISC|0?BSD.*|Apache-2.0|Unlicense|Python-2.0|CC0-1.0)$`)
	if len(lock.Packages) < 50 {
		t.Errorf("only %d packages", len(lock.Packages))
	}
	for name, one := range lock.Packages {
		if name != "" && (!free.MatchString(one.License) && name != "node_modules/xmlhttprequest-ssl" || one.Integrity == "") ||
			one.Resolved != "" {
			t.Errorf("%s: licence %q, resolved %q, integrity %q", name, one.License, one.Resolved, one.Integrity)
		}
	}
}
