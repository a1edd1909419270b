package guard

import (
	"slices"
	"strings"
	"testing"
)

func TestParseAllow(t *testing.T) {
	rules, err := ParseAllow(" 127.0.0.0/8, 10.20.0.0/16:443 ,10.0.0.5/32:3000-3999,fd00::/8,fd00::/8:443,")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, rule := range rules {
		texts = append(texts, rule.String())
	}
	want := []string{"127.0.0.0/8", "10.20.0.0/16:443", "10.0.0.5/32:3000-3999", "fd00::/8", "fd00::/8:443"}
	if !slices.Equal(texts, want) {
		t.Errorf("got %v, want %v", texts, want)
	}
	if rules, err := ParseAllow(" "); err != nil || len(rules) != 0 {
		t.Errorf("empty: %v, %v", rules, err)
	}
}

func TestParseAllowNamesEveryMistake(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1":             "write 10.0.0.0/8",
		"127.0.0.1:3000":        "no prefix length",
		"localhost/8":           "not a network",
		"10.0.0.0/33":           "not a network",
		"10.1.2.3/8":            "write 10.0.0.0/8",
		"::ffff:10.0.0.0/104":   "write it as IPv4",
		"fe80::1%lo/128":        "not a network",
		"10.0.0.0/8:":           "write a port",
		"10.0.0.0/8:0":          "write a port",
		"10.0.0.0/8:65536":      "write a port",
		"10.0.0.0/8:+80":        "write a port",
		"10.0.0.0/8:4000-3000":  "write a port",
		"10.0.0.0/8:3000-":      "write a port",
		"10.0.0.0/8:22":         "never opened",
		"10.0.0.0/8:443:8443":   "write a port",
		"10.0.0.0/8 11.0.0.0/8": "not a network",
	} {
		_, err := ParseAllow("127.0.0.0/8," + text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := ParseAllow("first, 10.0.0.0/8, second")
	if err == nil || !strings.Contains(err.Error(), "first") || !strings.Contains(err.Error(), "second") {
		t.Errorf("two mistakes: %v", err)
	}
}

func FuzzParseAllow(f *testing.F) {
	for _, seed := range []string{"127.0.0.0/8", "10.0.0.5/32:3000-3999,fd00::/8:443", "::/0", "1.2.3.4", "/:-,", "10.0.0.0/8:99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := ParseAllow(s)
		if err != nil {
			return
		}
		for _, rule := range rules {
			again, err := ParseAllow(rule.String())
			if err != nil || len(again) != 1 || again[0] != rule {
				t.Errorf("%q: %v becomes %v, %v", s, rule, again, err)
			}
			if rule.First > rule.Last || rule.Prefix != rule.Prefix.Masked() {
				t.Errorf("%q: impossible rule %v", s, rule)
			}
		}
	})
}
