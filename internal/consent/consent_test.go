package consent

import (
	"encoding/json"
	"strings"
	"testing"
)

type bundle struct {
	V int
	S []string
	R [][]json.RawMessage
}

func chosen(t *testing.T, url string, main bool) bundle {
	t.Helper()
	rules, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bundle
	if err := json.Unmarshal([]byte(rules.choose(url, main)), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestChoose(t *testing.T) {
	general, special := chosen(t, "https://www.example.com/", true), chosen(t, "https://www.dropbox.com/", true)
	frames := chosen(t, "https://www.example.com/", false)
	if len(general.R) < 150 || len(special.R) <= len(general.R) || len(frames.R) < 1 || len(frames.R) > 40 {
		t.Errorf("%d rules for every page, %d for one, %d for frames", len(general.R), len(special.R), len(frames.R))
	}
	for name, b := range map[string]bundle{"general": general, "special": special, "frames": frames} {
		if b.V != 1 || len(b.S) < 500 {
			t.Errorf("%s: version %d, %d texts", name, b.V, len(b.S))
		}
	}
}

// Every rule for some pages has an expression that can be read: else it would be left out.
func TestPatterns(t *testing.T) {
	rules, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.pages) < 500 || len(rules.pages)+len(rules.inside)+rules.from[1]-rules.from[0] < len(rules.all) {
		t.Errorf("%d and %d special rules and %d others of %d", len(rules.pages), len(rules.inside), rules.from[1]-rules.from[0], len(rules.all))
	}
}

func TestExpressions(t *testing.T) {
	if got := Answer(`a"b`, true); got != `autoconsentReceiveMessage({type:"evalResp",id:"a\"b",result:true})` {
		t.Error(got)
	}
	rules, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := rules.Begin("https://www.example.com/", true)
	if !strings.Contains(begin, `autoAction:"optOut"`) || !strings.Contains(begin, `heuristicMode:"reject"`) {
		t.Error("something may be accepted")
	}
	m, err := Read(`{"type":"eval","id":"1","code":"x","snippetId":"y"}`)
	if err != nil || m.Type != Eval || m.ID != "1" || m.Code != "x" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := Read("x"); err == nil {
		t.Error("x is a message")
	}
}

// A library that several tools are made with is not called after one of them.
func TestToolsOfALibraryAreNamedByIt(t *testing.T) {
	t.Parallel()
	rules, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{
		"Complianz opt-out": "Cookie Consent by Osano", "Complianz notice": "Cookie Consent by Osano", "Complianz banner": "Complianz banner",
		"Onetrust": "Onetrust", "osano": "osano",
	} {
		if got := rules.Tool(rule); got != want {
			t.Errorf("%s is named %s, want %s", rule, got, want)
		}
	}
}
