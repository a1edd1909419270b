package api_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

func fieldsOf(t *testing.T, err error) map[string]string {
	t.Helper()
	var fault *savepage.Error
	if !errors.As(err, &fault) || fault.Code != savepage.CodeInvalidRequest {
		t.Fatalf("error %v", err)
	}
	found := map[string]string{}
	for _, f := range fault.Fields {
		if _, twice := found[f.Location]; twice {
			t.Errorf("%s is named twice", f.Location)
		}
		found[f.Location] = f.Message
	}
	return found
}

func TestEveryCarrierGivesTheSameOptions(t *testing.T) {
	body := `{"url":"https://example.com/a?b=c&d","width":800,"height":600,"scale":1.5,"fullpage":true,"max_height":5000,
		"selector":"#main > p","cache_ttl":60,"animations":"allow","time":"virtual","on_timeout":"capture","format":"jpg","quality":55,
		"block_ads":true,"block_trackers":true,"block_cookie_banners":true,"thumb_width":200,"wait_until":"load","wait_for_selector":".x",
		"delay":1500,"timeout":20000,"headers":{"X-A":"1","X-B":"b"},"cookies":[{"name":"a","value":"1","path":"/p"}],
		"user_agent":"UA/1","accept_language":"de","callback_url":"http://hook.test/x",
		"callback_headers":{"Authorization":"Bearer r"},"callback_secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","async":false,
		"metadata":{"n": 1, "s":"x"}}`
	values := url.Values{
		"url": {"https://example.com/a?b=c&d"}, "width": {"800"}, "height": {"600"}, "scale": {"1.5"}, "fullpage": {"True"},
		"max_height": {"5000"}, "selector": {"#main > p"}, "cache_ttl": {"60"}, "animations": {"allow"}, "time": {"virtual"},
		"on_timeout": {"capture"}, "format": {"jpg"}, "quality": {"55"}, "thumb_width": {"200"},
		"block_ads": {"true"}, "block_trackers": {"1"}, "block_cookie_banners": {"True"},
		"wait_until": {"load"}, "wait_for_selector": {".x"}, "delay": {"1500"}, "timeout": {"20000"},
		"headers": {`{"X-A":"1","X-B":"b"}`}, "cookies": {`[{"name":"a","value":"1","path":"/p"}]`}, "user_agent": {"UA/1"},
		"accept_language": {"de"}, "callback_url": {"http://hook.test/x"}, "async": {"0"},
		"callback_headers": {`{"Authorization":"Bearer r"}`}, "callback_secret": {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		"metadata": {`{"n": 1, "s":"x"}`},
	}
	want := savepage.Options{
		URL: "https://example.com/a?b=c&d", Width: 800, Height: 600, Scale: 1.5, Fullpage: true, MaxHeight: 5000,
		Selector: "#main > p", CacheTTL: 60, Animations: "allow", Time: "virtual", OnTimeout: "capture", Format: "jpeg", Quality: 55,
		PNGEffort: "fast",
		BlockAds:  true, BlockTrackers: true, BlockCookieBanners: true, ThumbWidth: 200, WaitUntil: "load", WaitForSelector: ".x",
		Delay: 1500, Timeout: 20000, Headers: savepage.Headers{"X-A": "1", "X-B": "b"},
		Cookies:   savepage.Cookies{{Name: "a", Value: "1", Path: "/p"}},
		UserAgent: "UA/1", AcceptLanguage: "de", CallbackURL: "http://hook.test/x",
		CallbackHeaders: savepage.Headers{"Authorization": "Bearer r"}, CallbackSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		Metadata: json.RawMessage(`{"n": 1, "s":"x"}`),
	}
	d := api.NewDecoder()
	fromJSON, err := d.JSON([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fromJSON); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	fromValues, err := api.DecodeOptions(values)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fromValues); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// What is wrong with a secret or a header is said without it.
func TestSecretsAreNotGivenBack(t *testing.T) {
	const hidden = "hidden-6f9a"
	d := api.NewDecoder()
	for _, body := range []string{
		`{"url":"http://e.test","callback_url":"http://h.test","callback_secret":"` + hidden + `"}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_secret":"` + strings.Repeat(hidden, 20) + `"}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_secret":["` + hidden + `"]}`,
		`{"url":"http://e.test","callback_secret":"` + hidden + `"}`,
		`{"url":"http://e.test","callback_secrt":"whsec_` + hidden + `"}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_headers":"` + hidden + `"}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_headers":{"Host":"` + hidden + `"}}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_headers":{"X-A":"` + hidden + `\n"}}`,
		`{"url":"http://e.test","callback_url":"http://h.test","callback_headers":{"X-A":["` + hidden + `"]}}`,
		`{"url":"http://e.test","callback_headers":{"X-A":"` + hidden + `"}}`,
	} {
		_, err := d.JSON([]byte(body))
		for at, message := range fieldsOf(t, err) {
			if !strings.Contains(at, "callback_sec") && !strings.Contains(at, "callback_headers") || strings.Contains(message, hidden) {
				t.Errorf("%s: %s %s", body, at, message)
			}
		}
		fault, _ := errors.AsType[*savepage.Error](err)
		if shown, err := json.Marshal(fault.Fields); err != nil || strings.Contains(string(shown), hidden) ||
			strings.Contains(fault.Message, hidden) {
			t.Errorf("%s: shown %s, %v", body, shown, err)
		}
	}
	twice := url.Values{
		"url": {"http://e.test"}, "callback_secret": {hidden, hidden}, "callback_headers": {hidden, hidden},
		"cookies": {hidden, hidden},
	}
	_, err := d.Values("query", twice)
	fault, _ := errors.AsType[*savepage.Error](err)
	if shown, _ := json.Marshal(fault); strings.Contains(string(shown), hidden) || len(fault.Fields) < 3 {
		t.Errorf("shown %s", shown)
	}
	if shown, _ := json.Marshal(fault.Fields); strings.Contains(string(shown), hidden) {
		t.Errorf("shown %s", shown)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	got, err := api.NewDecoder().JSON([]byte(`{"url":"http://e.test","width":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := savepage.Defaults()
	want.URL, want.Timeout = "http://e.test", 0 // which depends on the account
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A clip is four numbers, as an object or a text, in every carrier; each wrong one is named.
func TestClip(t *testing.T) {
	d := api.NewDecoder()
	want := &savepage.Clip{X: 1, Y: 2, Width: 300, Height: 400}
	inJSON := func(clip string) (savepage.Options, error) {
		return d.JSON([]byte(`{"url":"http://e.test","clip":` + clip + `}`))
	}
	inQuery := func(clip string) (savepage.Options, error) {
		return d.Values("query", map[string][]string{"url": {"http://e.test"}, "clip": {clip}})
	}
	const object = `{"x":1,"y":2,"width":300,"height":400}`
	for name, given := range map[string]func() (savepage.Options, error){
		"object":            func() (savepage.Options, error) { return inJSON(object) },
		"text":              func() (savepage.Options, error) { return inJSON(`"1, 2,300,400"`) },
		"query":             func() (savepage.Options, error) { return inQuery("1,2,300,400") },
		"object in a query": func() (savepage.Options, error) { return inQuery(object) },
	} {
		o, err := given()
		if err != nil || !reflect.DeepEqual(o.Clip, want) {
			t.Errorf("%s: %+v, %v", name, o.Clip, err)
		}
	}
	for given, where := range map[string]string{
		`{"x":-1,"y":2,"width":300,"height":400}`: "clip.x",
		`{"x":1,"y":2,"width":0,"height":400}`:    "clip.width",
		`{"x":1,"y":2,"width":3,"height":200001}`: "clip.height",
		`{"x":1,"y":2,"width":3}`:                 "clip",
		`{"x":1.5,"y":2,"width":3,"height":4}`:    "clip",
		`{"x":1,"y":2,"w":3,"height":4}`:          "clip",
		`"1,2,3"`:                                 "clip",
		`"a,2,3,4"`:                               "clip",
		`"0,0,20001,5"`:                           "clip.width", `7`: "clip", `{"x":1e30,"y":2,"width":3,"height":4}`: "clip",
	} {
		_, err := inJSON(given)
		if fields := fieldsOf(t, err); fields["body."+where] == "" {
			t.Errorf("%s: %v", given, fields)
		}
	}
	for _, given := range []string{"", "1,2,3,4,5", "1;2;3;4", "{"} {
		if _, err := inQuery(given); fieldsOf(t, err)["query.clip"] == "" {
			t.Errorf("%q: %v", given, err)
		}
	}
	for with, name := range map[string]string{`"fullpage":true`: "fullpage", `"selector":"p"`: "selector"} {
		_, err := d.JSON([]byte(`{"url":"http://e.test",` + with + `,"clip":` + object + `}`))
		if got := fieldsOf(t, err)["body.clip"]; !strings.Contains(got, name) {
			t.Errorf("with %s: %q", name, got)
		}
	}
}

func TestPDFBackgroundIsOnUnlessSaid(t *testing.T) {
	d := api.NewDecoder()
	for given, want := range map[string]string{
		`{}`: "unset", `{"pdf_background":true}`: "true", `{"pdf_background":false}`: "false",
		`{"pdf_background":null}`: "unset",
	} {
		members := strings.TrimPrefix(strings.Replace(given, "{}", `{"async":false}`, 1), "{")
		o, err := d.JSON([]byte(`{"url":"http://e.test","format":"pdf",` + members))
		if err != nil {
			t.Fatal(err)
		}
		got := "unset"
		if o.PDFBackground != nil {
			got = strconv.FormatBool(*o.PDFBackground)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	o, err := d.Values("query", map[string][]string{"url": {"http://e.test"}, "format": {"pdf"}, "pdf_background": {"0"}})
	if err != nil || o.PDFBackground == nil || *o.PDFBackground {
		t.Errorf("%v, %v", o.PDFBackground, err)
	}
	_, err = d.JSON([]byte(`{"url":"http://e.test","pdf_background":false,"pdf_paper":"a4","format":"png"}`))
	if fields := fieldsOf(t, err); len(fields) != 2 || fields["body.pdf_background"] == "" || fields["body.pdf_paper"] == "" {
		t.Errorf("%v", fields)
	}
}

func TestCookiesAndMetadataAsText(t *testing.T) {
	for _, body := range []string{
		`{"url":"http://e.test","cookies":"a=1; b=2","metadata":"order 7"}`,
		"url=http://e.test&cookies=a%3D1;+b=2&metadata=order+7",
	} {
		d := api.NewDecoder()
		var o savepage.Options
		var err error
		if strings.HasPrefix(body, "{") {
			o, err = d.JSON([]byte(body))
		} else {
			values, _ := url.ParseQuery(strings.ReplaceAll(body, ";", "%3B"))
			o, err = d.Values("query", values)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := savepage.Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
		if !reflect.DeepEqual(o.Cookies, want) || string(o.Metadata) != `"order 7"` {
			t.Errorf("%s: %+v %s", body, o.Cookies, o.Metadata)
		}
	}
}

// Every number just inside its range passes, and just outside is named with the range, in every carrier.
func TestRangesOfEveryNumber(t *testing.T) {
	d := api.NewDecoder()
	seen := 0
	for _, f := range api.OptionFields() {
		if f.Kind != api.KindInteger && f.Kind != api.KindNumber {
			continue
		}
		seen++
		var low, high float64
		words := strings.Fields(f.Range)
		low, _ = strconv.ParseFloat(words[1], 64)
		high, _ = strconv.ParseFloat(words[3], 64)
		for number, valid := range map[float64]bool{low: true, high: true, low - 0.25: false, low - 1: false, high + 1: false} {
			text := strconv.FormatFloat(number, 'f', -1, 64)
			more := ""
			values := map[string][]string{"url": {"http://e.test"}, "timeout": {"60000"}}
			switch f.Name {
			case "delay":
				more = `"timeout":60000,`
			case "pdf_scale":
				more, values["format"] = `"format":"pdf",`, []string{"pdf"}
			}
			values[f.Name] = []string{text}
			_, jsonErr := d.JSON([]byte(`{"url":"http://e.test",` + more + `"` + f.Name + `":` + text + `}`))
			_, queryErr := d.Values("query", values)
			for carrier, err := range map[string]error{"body": jsonErr, "query": queryErr} {
				if valid {
					if err != nil {
						t.Errorf("%s %s=%s: %v", carrier, f.Name, text, err)
					}
					continue
				}
				if got := fieldsOf(t, err)[carrier+"."+f.Name]; !strings.HasSuffix(got, f.Range) {
					t.Errorf("%s %s=%s: %q", carrier, f.Name, text, got)
				}
			}
		}
	}
	if seen < 8 {
		t.Fatalf("only %d numbers", seen)
	}
}

func TestWrongFieldsAreAllNamed(t *testing.T) {
	body := `{"width":100,"height":"900","scale":9,"format":"gif","quality":0,"fullpage":"yes","full_page":true,"widht":5,
		"headers":{"X-A":1},"cookies":7,"metadata":[1],"delay":1.5,"zzzzzzzz":1,"url":"ftp://x","user_agent":"a\nb"}`
	_, err := api.NewDecoder().JSON([]byte(body))
	want := map[string]string{
		"body.width":       "must be from 320 to 3840",
		"body.height":      "must be a whole number from 240 to 2160",
		"body.scale":       "must be from 0.5 to 3",
		"body.format":      "must be one of png, jpeg, jpg, webp, pdf",
		"body.quality":     "must be from 1 to 100",
		"body.fullpage":    "must be true or false",
		"body.full_page":   `unknown option; did you mean "fullpage"?`,
		"body.widht":       `unknown option; did you mean "width"?`,
		"body.zzzzzzzz":    "unknown option",
		"body.headers.X-A": "must be a string",
		"body.cookies":     `must be a list of {"name","value","domain","path"} or a string like "a=1; b=2"`,
		"body.metadata":    "must be a string or a flat object of strings, numbers and booleans",
		"body.delay":       "must be a whole number from 0 to 30000",
		"body.url":         "must be an http or https URL",
		"body.user_agent":  "must be printable ASCII",
	}
	if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestWrongTextsAreAllNamed(t *testing.T) {
	_, err := api.NewDecoder().Values("query", map[string][]string{
		"width": {"wide"}, "scale": {"NaN"}, "fullpage": {"yes"}, "format": {""}, "headers": {"X-A: 1"},
		"delay": {"1", "2"}, "webhook_url": {"http://x.test"}, "cookies": {"novalue"},
	})
	want := map[string]string{
		"query.width":       "must be a whole number from 320 to 3840",
		"query.scale":       "must be a number from 0.5 to 3",
		"query.fullpage":    "must be true or false",
		"query.format":      "must be one of png, jpeg, jpg, webp, pdf",
		"query.headers":     "must be an object with string values",
		"query.delay":       "must be given only once",
		"query.webhook_url": `unknown option; did you mean "callback_url"?`,
		"query.cookies":     `must be a list of {"name","value","domain","path"} or a string like "a=1; b=2"`,
		"query.url":         "is required; give an http or https URL, or html",
	}
	if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestRulesOfSeveralOptions(t *testing.T) {
	for body, want := range map[string]map[string]string{
		`{}`:                                 {"body.url": "is required; give an http or https URL, or html"},
		`{"url":"http://e.test","html":"x"}`: {"body.html": "must not be given together with url"},
		`{"url":"http://e.test","transparent":true,"format":"jpg"}`: {
			"body.transparent": "needs format png or webp",
		},
		`{"url":"http://e.test","delay":2000,"timeout":1000}`: {"body.delay": "must be shorter than timeout"},
		`{"url":"http://e.test","delay":30000,"timeout":5}`:   {"body.timeout": "must be from 1000 to 300000"},
		`{"html":5}`: {"body.html": "must be a string"},
		`{"url":"http://e.test","headers":{"Host":"x"}}`: {
			"body.headers.Host": "is set by the browser and cannot be given",
		},
		`{"url":"example.com/x"}`: {"body.url": `must be an http or https URL; did you mean "https://example.com/x"?`},
		`{"url":"http://"}`:       {"body.url": "must be an http or https URL"},
	} {
		_, err := api.NewDecoder().JSON([]byte(body))
		if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestJSONIsReadStrictly(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"empty":         {"  ", "is empty"},
		"list":          {"[1]", "must be a JSON object"},
		"broken":        {"{\"url\":\n  nope}", "is not valid JSON at line 2, column"},
		"cut":           {`{"url":"x`, "it ends early"},
		"trailing":      {`{"url":"http://e.test"} x`, "contains text after the JSON object, at line 1"},
		"two":           {`{"url":"http://e.test"}{}`, "contains text after"},
		"twice":         {`{"width":1,"width":2}`, `contains "width" twice`},
		"twice inside":  {`{"headers":{"a":"1","a":"2"}}`, `contains "a" twice`},
		"NaN":           {`{"width":NaN}`, "is not valid JSON"},
		"huge number":   {`{"width":1e999}`, "a number is out of range"},
		"deep":          {`{"metadata":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, "nests deeper than"},
		"deep objects":  {strings.Repeat(`{"a":`, 10000), "nests deeper than"},
		"not UTF-8":     {"{\"url\":\"\xff\"}", "is not UTF-8"},
		"comma":         {`{"width":1,}`, "is not valid JSON"},
		"control chars": {"{\"url\":\"a\nb\"}", "is not valid JSON"},
	} {
		_, err := api.NewDecoder().JSON([]byte(c.body))
		var fault *savepage.Error
		if !errors.As(err, &fault) || fault.Code != savepage.CodeInvalidRequest || !strings.Contains(fault.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is shown of a hostile request stays small, and secrets are not given back.
func TestErrorsAreBounded(t *testing.T) {
	var many strings.Builder
	many.WriteString(`{"url":"` + strings.Repeat("x", 100_000) + `","` + strings.Repeat("n", 100_000) + `":1`)
	for i := range 20_000 {
		many.WriteString(`,"u` + strconv.Itoa(i) + `":1`)
	}
	many.WriteString(`,"headers":{"a":1`)
	for i := range 20_000 {
		many.WriteString(`,"h` + strconv.Itoa(i) + `":1`)
	}
	many.WriteString(`}}`)
	_, err := api.NewDecoder().JSON([]byte(many.String()))
	var fault *savepage.Error
	if !errors.As(err, &fault) {
		t.Fatal(err)
	}
	text, _ := json.Marshal(fault.Fields)
	if len(fault.Fields) > 100 || len(text) > 50_000 || len(fault.Message) > 2_000 {
		t.Errorf("%d fields, %d bytes, message of %d", len(fault.Fields), len(text), len(fault.Message))
	}
	_, err = api.NewDecoder().JSON([]byte(`{"` + strings.Repeat("n", 1000) + `":1}`))
	if errors.As(err, &fault); len(fault.Fields[0].Location) > 120 {
		t.Errorf("a location of %d bytes", len(fault.Fields[0].Location))
	}
	_, err = api.NewDecoder().JSON([]byte(`{"cookies":"hunter2","headers":{"Authorization":["hunter2"]}}`))
	errors.As(err, &fault)
	if text, _ := json.Marshal(fault.Fields); strings.Contains(string(text), "hunter2") || len(fault.Fields) != 3 {
		t.Errorf("%s", text)
	}
}

func TestSuggestions(t *testing.T) {
	d := api.NewDecoder()
	for given, want := range map[string]string{
		"fullPage": "fullpage", "full_page": "fullpage", "viewport_width": "width", "device_scale_factor": "scale",
		"webhook_url": "callback_url", "Width": "width", "user-agent": "user_agent", "selctor": "selector",
		"wait_for_selectr": "wait_for_selector", "viewport_height": "height", "cookie": "cookies", "omit_background": "transparent",
	} {
		_, err := d.Values("", map[string][]string{"url": {"http://e.test"}, given: {"1"}})
		if got := fieldsOf(t, err)[given]; got != `unknown option; did you mean "`+want+`"?` {
			t.Errorf("%s: %q", given, got)
		}
	}
}

// Every option has what flags and the reference need.
func TestOptionFieldsAreComplete(t *testing.T) {
	fields := api.OptionFields()
	if len(fields) != reflect.TypeFor[savepage.Options]().NumField() {
		t.Fatalf("%d fields", len(fields))
	}
	for _, f := range fields {
		if f.Name == "" || f.Kind == "" || f.Doc == "" {
			t.Errorf("%+v", f)
		}
	}
	if f := fields[4]; f.Name != "width" || f.Kind != api.KindInteger || f.Range != "from 320 to 3840" || f.Default != "1440" {
		t.Errorf("%+v", f)
	}
}

// checkDecoded holds for whatever went in: options that keep every rule, or an error that names a field or the body.
func checkDecoded(t *testing.T, o savepage.Options, err error) {
	t.Helper()
	if err != nil {
		var fault *savepage.Error
		if !errors.As(err, &fault) || fault.Code != savepage.CodeInvalidRequest || fault.Message == "" {
			t.Fatalf("error %v", err)
		}
		if !strings.HasPrefix(fault.Message, "the body ") && len(fault.Fields) == 0 {
			t.Fatalf("nothing is named: %v", err)
		}
		for _, f := range fault.Fields {
			if f.Location == "" || f.Message == "" {
				t.Fatalf("field %+v", f)
			}
		}
		return
	}
	if wrong := o.ValidateFields(); len(wrong) > 0 || o.Width < 320 || o.Width > 3840 || o.Scale < 0.5 || o.Scale > 3 && o.Device == "" ||
		o.Quality < 1 || o.Timeout != 0 && o.Timeout < 1000 {
		t.Fatalf("passed: %+v %v", o, wrong)
	}
	if _, err := json.Marshal(o); err != nil {
		t.Fatal(err)
	}
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"url":"http://e.test","width":320}`, `{"cookies":"a=1","metadata":{"a":1}}`, `{"headers":{"X":"y"},"html":"<p>"}`,
		`{"cookies":[{"name":"a","value":"b","Name":"c"}]}`, `{"url":null,"scale":1e308}`, `[`, `{"a":{"a":[1,{}]}}`, `{"width":320.5}`,
	} {
		f.Add([]byte(seed))
	}
	d := api.NewDecoder()
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := d.JSON(body)
		checkDecoded(t, o, err)
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"url=http://e.test&width=320", "cookies=[{}]&metadata={&headers={}", "delay=-0&scale=0x1p-2&fullpage=TRUE", "url=a&url=b&=c",
	} {
		f.Add(seed)
	}
	d := api.NewDecoder()
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		o, err := d.Values("query", values)
		checkDecoded(t, o, err)
	})
}
