package savepage

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestStepsAreChecked(t *testing.T) {
	t.Parallel()
	for given, want := range map[string][]string{
		`[{"type":"click","selector":"#a"},{"type":"fill","selector":"#b"},{"type":"press","key":"Control+A"},{"type":"scroll","y":-300},
			{"type":"press","key":"+"},{"type":"delay","ms":100,"timeout":5},{"type":"wait_for_text","text":"x"}]`: nil,
		`[{"type":"tap"}]`: {"steps[0].type"},
		`[{"type":"click"},{"type":"wait_for_text"}]`:   {"steps[0].selector", "steps[1].text"},
		`[{"type":"hover","selector":"a","value":"x"}]`: {"steps[0].value"},
		`[{"type":"scroll"}]`:                           {"steps[0]"},
		`[{"type":"press","key":"Entre"}]`:              {"steps[0].key"},
		`[{"type":"press","key":"Hyper+a"}]`:            {"steps[0].key"},
		`[{"type":"delay"}]`:                            {"steps[0].ms"},
		`[{"type":"delay","ms":30000},{"type":"delay","ms":30000},{"type":"delay","ms":1}]`: {"steps[2].ms"},
	} {
		o := Options{URL: "http://a.test"}
		if err := json.Unmarshal([]byte(given), &o.Steps); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, field := range o.ValidateFields() {
			got = append(got, field.Location)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: named %v, want %v", given, got, want)
		}
	}
}

func TestStepsAreNamedWithoutValues(t *testing.T) {
	t.Parallel()
	for want, step := range map[string]Step{
		`fill "#password"`:        {Type: StepFill, Selector: "#password", Value: "s3cret"},
		`press "#q" "Enter"`:      {Type: StepPress, Selector: "#q", Key: "Enter"},
		`wait_for_text "a \"b\""`: {Type: StepText, Text: `a "b"`},
		`delay`:                   {Type: StepDelay, MS: 5},
	} {
		if got := step.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if long := (Step{Type: StepClick, Selector: strings.Repeat("ä", 500)}).String(); len([]rune(long)) > 100 {
		t.Errorf("%d characters", len([]rune(long)))
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		key  string
		held []string
	}{
		"enter": {"Enter", nil}, "Control+Shift+k": {"k", []string{"Control", "Shift"}}, "+": {"+", nil}, "shift++": {"+", []string{"Shift"}},
		"ä": {"ä", nil},
	} {
		if key, held, err := ParseKey(text); key != want.key || !slices.Equal(held, want.held) || err != nil {
			t.Errorf("%q: %q %v %v", text, key, held, err)
		}
	}
	for _, text := range []string{"", "Enterr", "a+b", "Control+"} {
		if key, _, err := ParseKey(text); err == nil {
			t.Errorf("%q: %q", text, key)
		}
	}
}

func TestTextsAsListAndAsText(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]Texts{`"a, b"`: {"a, b"}, ` ["a","b"]`: {"a", "b"}} {
		var got Texts
		if err := json.Unmarshal([]byte(given), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %v", given, got, err)
		}
	}
	var got Texts
	if err := json.Unmarshal([]byte(`[1]`), &got); err == nil {
		t.Error("a number is no text")
	}
}

func TestFailsOn(t *testing.T) {
	t.Parallel()
	for _, wall := range Walls()[1:] {
		if !(Options{FailOn: []Failure{FailOnWall}}).FailsOn(wall) || !(Options{FailOn: []Failure{Failure(wall)}}).FailsOn(wall) ||
			(Options{FailOn: []Failure{FailOn4xx, FailOnBlank}}).FailsOn(wall) || !slices.Contains(Failures(), Failure(wall)) {
			t.Errorf("%s", wall)
		}
	}
	if (Options{FailOn: Failures()}).FailsOn(WallNone) {
		t.Error("no wall is none")
	}
}
