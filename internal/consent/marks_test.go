package consent

import (
	"encoding/json"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// between is what stands between two texts in another.
func between(t *testing.T, in, from, to string) string {
	t.Helper()
	_, rest, begun := strings.Cut(in, from)
	text, _, ended := strings.Cut(rest, to)
	if !begun || !ended {
		t.Fatalf("no %q with %q after it", from, to)
	}
	return text
}

// A tool that autoconsent knows by code, or what it is known by, is not to be forgotten with another version.
func TestCodedToolsAreKnown(t *testing.T) {
	tools := strings.FieldsFunc(between(t, autoconsent, "var dynamicCMPs = [", "]"),
		func(c rune) bool { return strings.ContainsRune(", \n", c) })
	slices.Sort(tools)
	if known := slices.Sorted(maps.Keys(coded())); !slices.Equal(tools, known) {
		t.Errorf("autoconsent knows %q by code, we %q", tools, known)
	}
	for _, part := range []string{
		"EVAL_COOKIEBOT_1: () => !!window.Cookiebot,", `window.__cmp?.("getCMPData")`, `this.elementExists("#cmpbox")`,
		`this.elementExists("#_evidon_banner")`,
		`this.elementExists("#onetrust-banner-sdk") || this.elementVisible("#onetrust-pc-sdk", "any")`,
		`url.searchParams.has("message_id") || url.searchParams.has("requestUUID") || url.searchParams.has("consentUUID")`,
	} {
		if !strings.Contains(autoconsent, part) {
			t.Errorf("autoconsent no longer has %s", part)
		}
	}
}

// examples are short texts that an expression matches: one for each of its alternatives.
func examples(e *syntax.Regexp) []string {
	switch e.Op {
	case syntax.OpLiteral:
		return []string{string(e.Rune)}
	case syntax.OpCharClass:
		return []string{string(e.Rune[0])}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"-"}
	case syntax.OpCapture, syntax.OpPlus:
		return examples(e.Sub[0])
	case syntax.OpRepeat:
		if e.Min > 0 {
			return examples(e.Sub[0])
		}
		return []string{""}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range e.Sub {
			all = append(all, examples(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range e.Sub {
			var longer []string
			for _, one := range all {
				for _, more := range examples(sub) {
					longer = append(longer, one+more)
				}
			}
			all = longer
		}
		return all
	default:
		return []string{""}
	}
}

func examplesOf(t *testing.T, expression string) []string {
	t.Helper()
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return examples(parsed)
}

// Whatever autoconsent takes for a banner by its text has one of our words.
func TestWordsAreInEveryBanner(t *testing.T) {
	words := regexp.MustCompile("(?i)" + between(t, look, "const WORDS = /", "/i;"))
	patterns := regexp.MustCompile(`(?m)^ *([/"].*?)(?:/gi|")?,?$`).FindAllStringSubmatch(between(t, autoconsent, "var DETECT_PATTERNS = [",
		"\n  ];"), -1)
	if len(patterns) < 100 {
		t.Fatalf("%d patterns", len(patterns))
	}
	for _, p := range patterns {
		if strings.HasPrefix(p[1], "//") {
			continue
		}
		for _, text := range examplesOf(t, "(?i)"+p[1][1:]) {
			if !words.MatchString(text) {
				t.Errorf("%s matches %q, which has none of our words", p[1], text)
			}
		}
	}
	for _, text := range examplesOf(t, between(t, sweep, "const SAYS = /", "/i;")) {
		if !words.MatchString(text) {
			t.Errorf("%q is a word of a banner and not of the sweep", text)
		}
	}
}

func TestMarks(t *testing.T) {
	texts := []json.RawMessage{[]byte(`"#a"`), []byte(`["#host",".inner"]`), []byte(`"xpath///b"`), []byte(`"aria/c"`)}
	for detect, want := range map[string][]string{
		`[[{"e":0}],[]]`: {"#a"},
		`[[{"v":1}],[]]`: {"#host"},
		`[[{"e":2}],[]]`: {"xpath///b"},
		`[[{"eval":"X"},{"exists":["#d",".e"]}],[]]`:                                {"#d"},
		`[[{"any":[{"e":0},{"e":2}]}],[]]`:                                          {"#a", "xpath///b"},
		`[[{"any":[{"e":0},{"eval":"X"}]}],[{"v":1}]]`:                              {"#host"},
		`[[{"e":0,"negated":true}],[{"check":"none","v":0},{"check":"any","v":2}]]`: {"xpath///b"},
		`[[{"eval":"X"}],[{"eval":"Y"}]]`:                                           nil,
		`[[{"e":3}],[]]`:                                                            nil,
	} {
		rule := `[1,"name",2,"",22,[],` + strings.TrimPrefix(strings.TrimSuffix(detect, "]"), "[") + `,[],[],{}]`
		got, err := marksOf(texts, []json.RawMessage{[]byte(rule)})
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %q, %v", detect, got, err)
		}
	}
	if _, err := marksOf(texts, []json.RawMessage{[]byte(`[1]`)}); err == nil {
		t.Error("[1] is a rule")
	}
}

func TestMeant(t *testing.T) {
	rules, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{
		"https://www.dropbox.com/":                                   true,
		"https://www.example.com/":                                   false,
		"https://www.example.com/?to=https://www.dropbox.com/":       false,
		"https://cdn.example.com/index.html?message_id=1":            true,
		"https://cdn.example.com/us_pm/index.html?a=b&consentUUID=x": true,
		"https://cdn.example.com/index.html?a=message_id":            false,
		"https://ccpa-pm.sp-prod.net/":                               true,
	} {
		if got := rules.Meant(url, true); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
	// The texts that are looked for first leave out no address.
	for _, one := range slices.Concat(rules.pages, rules.inside) {
		for _, url := range examplesOf(t, one.match.String()) {
			if one.match.MatchString(url) && !one.matches(url) {
				t.Errorf("%s is meant by %s", url, one.match)
			}
		}
		if len(one.parts) == 0 {
			t.Errorf("%s has no text to look for", one.match)
		}
	}
}
