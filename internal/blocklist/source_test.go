package blocklist

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// many is a list of our own with enough rules to be taken.
func many(first string) string {
	return first + "\n" + strings.Repeat("||more.test^\n", 300)
}

func TestSource(t *testing.T) {
	folder, log := t.TempDir(), new(bytes.Buffer)
	s := NewSource(folder, slog.New(slog.NewTextHandler(log, nil)))
	s.again = 0
	path := filepath.Join(folder, "chats.txt")
	age := time.Now().Add(-time.Hour)
	put := func(text string) {
		age = age.Add(time.Second) // the clock of a file system is coarse
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, age, age); err != nil {
			t.Fatal(err)
		}
	}
	blocked := func(url string) bool {
		l, err := s.Lists()
		if err != nil {
			t.Fatal(err)
		}
		return ask(l.Filter(Wanted{Chats: true}), url).Blocked
	}
	embedded, first, second := "https://widget.intercom.io/x", "https://first.test/", "https://second.test/"
	if !blocked(embedded) || blocked(first) {
		t.Error("without a file the embedded list is not used")
	}
	put(many("||first.test^"))
	if blocked(embedded) || !blocked(first) || !strings.Contains(log.String(), "filter list taken") {
		t.Errorf("the file is not used: %s", log)
	}
	put(many("||second.test^"))
	if blocked(first) || !blocked(second) {
		t.Error("the changed file is not used")
	}
	for _, bad := range []string{"<html>Not Found</html>", "", "||first.test^\n", many("||first.test^") + "\xff"} {
		log.Reset()
		put(bad)
		if blocked(first) || !blocked(second) || strings.Count(log.String(), "filter list not taken") != 1 {
			t.Errorf("%.20q took the place of a good list: %s", bad, log)
		}
		if blocked(second); strings.Count(log.String(), "filter list not taken") != 1 {
			t.Errorf("%.20q is complained of again and again", bad)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !blocked(second) {
		t.Error("a list is lost with its file")
	}
}

// Captures do not wait for the folder each time.
func TestSourceLooksNowAndThen(t *testing.T) {
	folder := t.TempDir()
	s := NewSource(folder, slog.New(slog.DiscardHandler))
	s.again = time.Hour
	l, err := s.Lists()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "chats.txt"), []byte(many("||first.test^")), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Lists(); err != nil || again != l {
		t.Errorf("looked at once: %v", err)
	}
}

func TestUnpackBroken(t *testing.T) {
	for _, broken := range [][]byte{nil, []byte("||a.test^\n"), easylist[:1000]} {
		if _, err := unpack(broken); err == nil {
			t.Errorf("%.10q was unpacked", broken)
		}
	}
}

// The selectors that are left out can match only where another one does.
func TestCookieSelectors(t *testing.T) {
	all := CookieSelectors()
	for _, one := range []string{"#onetrust-consent-sdk", "html.sp-message-open body", ".gdpr-consent"} {
		if !slices.Contains(all, one) {
			t.Errorf("%s is not among them", one)
		}
	}
	if len(all) < 100 || slices.ContainsFunc(all, func(one string) bool {
		return strings.ContainsAny(one, "{}*") &&
			!strings.Contains(one, "*=")
	}) {
		t.Errorf("%d: %q", len(all), all)
	}
	for _, has := range regexp.MustCompile(`html:has\(([^)]*)\)`).FindAllStringSubmatch(CookieCSS(), -1) {
		for _, one := range split(has[1]) {
			if !slices.Contains(all, one) {
				t.Errorf("%s is looked for in html, and not among them", one)
			}
		}
	}
}
