package doors

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// decoded are the options of an order, as the API reads them.
func decoded(t *testing.T, o *order) savepage.Options {
	t.Helper()
	if err := o.fault(); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(o.options)
	if err != nil {
		t.Fatal(err)
	}
	options, err := api.NewDecoder().JSON(body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return options
}

func values(t *testing.T, query string) map[string][]string {
	t.Helper()
	given, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return given
}

// Units, names and defaults of ScreenshotOne.
func TestTakeOptions(t *testing.T) {
	o := decoded(t, readTake(values(t, "url=http://a.test"), 0))
	if o.Width != 1280 || o.Height != 1024 || o.Format != savepage.FormatJPEG || o.Timeout != 60_000 ||
		!slices.Equal(o.FailOn, []savepage.Failure{"4xx", "5xx"}) || o.CacheTTL != 0 {
		t.Errorf("defaults: %+v", o)
	}
	o = decoded(t, readTake(values(t, "url=http://a.test&delay=1.5&timeout=20&ignore_host_errors=true&cache=true&format=pdf&"+
		"pdf_margin_top=1cm&"+
		"wait_until=load&wait_until=networkidle2&cookies=a%3D1%3B+Path%3D/x%3B+Secure&headers=X-A%3A+b&block_requests=ads.test&"+
		"geolocation_latitude=1.5&geolocation_longitude=2&hover=%23a&dark_mode=false&block_resources=document"), 0))
	if o.Delay != 1500 || o.Timeout != 20_000 || o.FailOn != nil || o.CacheTTL != 14_400 || o.PDFMargin != "1cm 0 0 0" ||
		o.WaitUntil != savepage.WaitNetworkIdle || o.Headers["X-A"] != "b" || o.Geolocation.Longitude != 2 || o.Steps[0].Selector != "#a" ||
		o.ColorScheme != savepage.ColorSchemeLight || o.BlockResources[0] != savepage.ResourceFrame ||
		!slices.Equal(o.Cookies, savepage.Cookies{{Name: "a", Value: "1", Path: "/x"}}) ||
		!slices.Equal(o.BlockURLs, []string{"*://ads.test/*", "*://*.ads.test/*"}) {
		t.Errorf("%+v", o)
	}
	o = decoded(t, readTake(values(t, "url=http://a.test&viewport_device=iphone_15&viewport_landscape=true"), 5000))
	if o.Timeout != 5000 || o.Device != "iPhone 15 landscape" {
		t.Errorf("%+v", o)
	}
}

// What would be another picture is refused, all of it at once, and a switch that is off is not.
func TestRefusedNames(t *testing.T) {
	const query = "url=http://a.test&proxy=http://p.test&markdown=x&full_page_slices=false&viewport_mobile=true&delay=soon&new=1"
	o := readTake(values(t, query), 0)
	var named []string
	for _, field := range o.wrong {
		named = append(named, field.Location)
	}
	if !slices.Equal(named, []string{"delay", "markdown", "proxy", "viewport_mobile"}) || !slices.Equal(o.ignored, []string{"new"}) {
		t.Errorf("refused %v, ignored %v", named, o.ignored)
	}
}

func TestUrlboxOptions(t *testing.T) {
	o := decoded(t, readUrlbox(values(t, "url=a.test&retina=true&hide_selector=.a,+.b&bg_color=ff0000&block_images=true&fail_on_4xx=true&"+
		"header=X-A%3Db&wait_until=mostrequestsfinished&scroll_to=300&press_escape=true&delay=1500")))
	if o.URL != "http://a.test" || o.Scale != 2 || o.CacheTTL != 2_592_000 || !slices.Equal(o.Hide, []string{".a", ".b"}) ||
		o.Background != "#ff0000" || o.BlockResources[0] != "image" || o.FailOn[0] != "4xx" || o.Headers["X-A"] != "b" ||
		o.WaitUntil != savepage.WaitNetworkIdle || o.Steps[0].Key != "Escape" || o.Steps[1].Y != 300 || o.Delay != 1500 || o.Width != 1280 {
		t.Errorf("%+v", o)
	}
	if o := decoded(t, readUrlbox(values(t, "html=x&force=true&format=pdf&pdf_margin_left=10&pdf_page_size=A5"))); o.CacheTTL != 0 ||
		o.PDFMargin != "0 0 0 10px" || o.PDFPaper != "a5" {
		t.Errorf("%+v", o)
	}
}

func TestGotenbergOptions(t *testing.T) {
	f := form{values: values(t, "landscape=true&paperWidth=6pc&paperHeight=148mm&marginTop=0&failOnHttpStatusCodes=[404]&"+
		`emulatedMediaFeatures={"prefers-color-scheme":"dark"}&waitDelay=1.5s&skipNetworkIdleEvent=false`)}
	f.files = []savepage.Asset{
		{Name: "index.html", Data: []byte("<p>x")}, {Name: "header.html", Data: []byte("<p>h")}, {Name: "a.css", Data: []byte("p{}")},
	}
	o := decoded(t, readForm(f, true))
	if o.PDFWidth != "148mm" || o.PDFHeight != "1.00000in" || o.PDFMargin != "0in 0.39in 0.39in 0.39in" || *o.PDFBackground || *o.PDFOutline ||
		!slices.Equal(o.FailOn, []savepage.Failure{"4xx"}) || o.ColorScheme != "dark" || o.Delay != 1500 || o.PDFHeader != "<p>h" ||
		len(o.Assets) != 1 || string(o.Assets[0].Data) != "p{}" || o.HTML != "<p>x" || o.WaitUntil != savepage.WaitNetworkIdle {
		t.Errorf("%+v", o)
	}
	f = form{values: values(t, "url=http://a.test")}
	if o := decoded(t, readForm(f, false)); o.Width != 800 || o.Height != 600 || !o.Fullpage || o.Format != "png" || o.Quality != 100 {
		t.Errorf("defaults: %+v", o)
	}
}

func TestBrowserlessOptions(t *testing.T) {
	given, err := chromeValues([]byte(`{"url":"http://a.test","options":{"type":"jpeg","clip":{"x":1,"y":2,"width":3,"height":4}},
		"gotoOptions":{"waitUntil":["load","networkidle0"],"timeout":5000},"cookies":[{"name":"a","value":"1","domain":"a.test"}],
		"authenticate":{"username":"u","password":"p"},"waitForSelector":{"selector":"#x","hidden":true},"setExtraHTTPHeaders":{"X-A":"b"},
		"addStyleTag":[{"content":"p{}"},{"content":"b{}"}],"bestAttempt":true,"viewport":{"width":400,"height":300}}`))
	if err != nil {
		t.Fatal(err)
	}
	o := decoded(t, readChrome(given, false))
	if o.Format != "jpeg" || *o.Clip != (savepage.Clip{X: 1, Y: 2, Width: 3, Height: 4}) || o.WaitUntil != savepage.WaitNetworkIdle ||
		o.Timeout != 5000 || o.Cookies[0].Domain != "a.test" || o.Authorization != "Basic dTpw" || o.Steps[0].Type != savepage.StepGone ||
		o.Headers["X-A"] != "b" || o.CSS != "p{}\nb{}" || o.OnTimeout != savepage.OnTimeoutCapture || o.Width != 400 || o.Fullpage {
		t.Errorf("%+v", o)
	}
}

// Every option that ScreenshotOne's client can send has a row.
func TestTakeKnowsItsClient(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "savepage", "clients-*", "node_modules/screenshotone-api-sdk/dist/main.js"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%v; scripts/install-test-tools installs the client", err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	source, _, _ := strings.Cut(string(text), "class AnimateOptions")
	known := takeNames()
	all := regexp.MustCompile(`\.put\("([a-z_0-9]+)"`).FindAllStringSubmatch(source, -1)
	for _, one := range all {
		if _, there := known[one[1]]; !there {
			t.Errorf("%s has no row", one[1])
		}
	}
	if len(all) < 100 {
		t.Errorf("the client has %d options", len(all))
	}
}

// Every peer has a guide with an example, all of its names in the tables of what becomes of them, and the errors that its clients see.
func TestGuides(t *testing.T) {
	all := Guides()
	if len(all) != len(Peers())+1 || !strings.HasPrefix(all["moving.md"], "# Moving") {
		t.Errorf("%d guides", len(all))
	}
	for _, peer := range Peers() {
		text := all["moving-"+strings.ToLower(peer.Name)+".md"]
		parts := map[string]string{}
		for _, one := range strings.Split(text, "\n## ")[1:] {
			title, body, _ := strings.Cut(one, "\n")
			parts[title] = body
		}
		tables := map[Fate]string{
			Taken: parts["What becomes of each option"], Ignored: parts["What is ignored"], Refused: parts["What is refused"],
		}
		for _, row := range peer.Rows {
			for fate, table := range tables {
				if strings.Contains(table, "\n| `"+row.Name+"` | ") != (fate == row.Fate) {
					t.Errorf("%s: %s is %s, and in the table of what is %s or not there", peer.Name, row.Name, row.Fate, fate)
				}
			}
		}
		if !strings.Contains(parts["Example"], "```js\n") || !strings.Contains(parts["Errors"], "[errors.md](errors.md)") ||
			!strings.Contains(strings.ToLower(parts["Webhooks"]), "sign") || strings.Contains(text, "{{") {
			t.Errorf("the guide of %s lacks something:\n%s", peer.Name, text)
		}
	}
}

func TestSignatures(t *testing.T) {
	query, signature, found := unsigned("a=1&signature=abc&b=%20", "signature")
	if query != "a=1&b=%20" || signature != "abc" || !found {
		t.Errorf("%q, %q", query, signature)
	}
	with, without := savepage.Principal{}, savepage.Principal{}
	with.Account.APISecret = "secret"
	right := "95ad3b7dcb67f01c96967dc9f5b3d2ef0e3b2a2d0d7f4f3f4f6b3b1e0d8f0d3e"
	for name, err := range map[string]error{
		"a wrong one":                   checkSignature(with, right, query, true),
		"none":                          checkSignature(with, "", query, false),
		"one that cannot be checked":    checkSignature(without, right, query, true),
		"what is no hexadecimal number": checkSignature(with, "zz", query, true),
	} {
		if err == nil {
			t.Errorf("%s passed", name)
		}
	}
	if err := checkSignature(without, "", query, false); err != nil {
		t.Error(err)
	}
}
