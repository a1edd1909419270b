package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// Steps are the same in JSON and as a text of JSON; one text alone stands for a list of texts.
func TestStepsInEveryCarrier(t *testing.T) {
	t.Parallel()
	want := savepage.Options{
		URL: "http://e.test", RequireText: savepage.Texts{"a, b"}, FailOnText: savepage.Texts{"c", "d"},
		FailOn: []savepage.Failure{"wall", "4xx"},
		Steps: []savepage.Step{
			{Type: "fill", Selector: "#q", Value: `"x"`}, {Type: "press", Key: "Enter"}, {Type: "scroll", Y: 300, Timeout: 50},
		},
	}.WithDefaults()
	want.Timeout = 0 // the account's limit may shorten it
	const steps = `[{"type":"fill","selector":"#q","value":"\"x\""},{"type":"press","key":"Enter"},{"type":"scroll","y":300,"timeout":50}]`
	d := api.NewDecoder()
	body, err := d.JSON([]byte(`{"url":"http://e.test","require_text":"a, b","fail_on_text":["c","d"],"fail_on":["wall","4xx"],` +
		`"steps":` + steps + `}`))
	if diff := cmp.Diff(want, body); err != nil || diff != "" {
		t.Errorf("JSON: %v %s", err, diff)
	}
	for _, texts := range []url.Values{
		{"require_text": {"a, b"}, "fail_on_text": {"c", "d"}}, {"require_text": {`["a, b"]`}, "fail_on_text": {`["c","d"]`}},
	} {
		texts["url"], texts["fail_on"], texts["steps"] = []string{"http://e.test"}, []string{"wall,4xx"}, []string{steps}
		got, err := d.Values("query", texts)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %v %s", texts, err, diff)
		}
	}
	// In the rows of a batch they are common to all, or replaced.
	common, err := api.NewCommon(map[string][]string{
		"require_text": {"a, b"}, "fail_on_text": {"c", "d"}, "fail_on": {"wall,4xx"}, "steps": {`[{"type":"press","key":"x"}]`},
	})
	if err != nil {
		t.Fatal(err)
	}
	row, err := common.Row(`{"url":"http://e.test","steps":` + steps + `}`)
	if diff := cmp.Diff(want, row); err != nil || diff != "" {
		t.Errorf("a row: %v %s", err, diff)
	}
	if row, err := common.Row("http://e.test"); err != nil || len(row.Steps) != 1 || row.Steps[0].Key != "x" {
		t.Errorf("a row with the common steps: %v %+v", err, row.Steps)
	}
}

func TestWrongStepsAreNamed(t *testing.T) {
	t.Parallel()
	d := api.NewDecoder()
	const noValue = "invalid character 'c' looking for beginning of value"
	const noKey = "invalid character '\\'' looking for beginning of object key string"
	const list = `must be a list of steps such as [{"type":"click","selector":"#open"}], at most 50`
	for given, want := range map[string]map[string]string{
		`"click"`:                            {"body.steps": list + "; the text is not valid JSON at character 1: " + noValue},
		`{"type":"click"}`:                   {"body.steps": list},
		`["#a"]`:                             {"body.steps[0]": `must be an object such as {"type":"click","selector":"#open"}`},
		`[{"selector":"#a"}]`:                {"body.steps[0]": "must have a type, which is one of " + stepTypes()},
		`[{"type":"tap"}]`:                   {"body.steps[0].type": "must be one of " + stepTypes()},
		`[{"type":"click","selecter":"#a"}]`: {"body.steps[0].selecter": `unknown member of a step; did you mean "selector"?`},
		`[{"type":"scroll","y":1.5}]`:        {"body.steps[0].y": "must be a whole number from -100000 to 100000"},
		`[{"type":"delay","ms":30001}]`:      {"body.steps[0].ms": "must be from 0 to 30000"},
		`[{"type":"click"},{"type":"press","key":"Entre"}]`: {
			"body.steps[0].selector": "is required for a step of type click",
			"body.steps[1].key": "must be one character or one of " + strings.Join(savepage.Keys(), ", ") +
				", such as Enter, a or Control+A",
		},
		`[` + strings.Repeat(`{"type":"press","key":"a"},`, 50) + `{"type":"press","key":"a"}]`: {"body.steps": list},
	} {
		_, err := d.JSON([]byte(`{"url":"http://e.test","steps":` + given + `}`))
		if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%.60s: %s", given, diff)
		}
	}
	for given, want := range map[string]string{
		`[{"type":"click"`: list + "; the text is not valid JSON: it ends early",
		`[{'type'}]`:       list + "; the text is not valid JSON at character 3: " + noKey,
		``:                 list + "; the text is not valid JSON: it ends early",
	} {
		_, err := d.Values("query", url.Values{"url": {"http://e.test"}, "steps": {given}})
		if diff := cmp.Diff(map[string]string{"query.steps": want}, fieldsOf(t, err)); diff != "" {
			t.Errorf("%s: %s", given, diff)
		}
	}
	// What is written into a field may be a secret.
	_, err := d.JSON([]byte(`{"url":"http://e.test","steps":[{"type":"fill","selector":"#p","value":["s3cret"]},` +
		`{"type":"hover","selector":"a","value":"s3cret"}]}`))
	if got := fieldsOf(t, err); len(got) == 0 || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}

func stepTypes() string {
	var types []string
	for _, one := range savepage.StepTypes() {
		types = append(types, string(one))
	}
	return strings.Join(types, ", ")
}
