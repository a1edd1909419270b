package savepage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDefaultsMatchTheTags(t *testing.T) {
	defaults := reflect.ValueOf(Defaults())
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		want, tagged := field.Tag.Lookup("default")
		if !tagged || field.Type.Kind() == reflect.Pointer { // nil is the default
			continue
		}
		got, err := json.Marshal(defaults.Field(i).Interface())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Trim(string(got), `"`) != want {
			t.Errorf("%s: Defaults has %s, the tag says %s", field.Name, got, want)
		}
	}
}

func TestEveryOptionIsDocumented(t *testing.T) {
	var options, texts []string
	for field := range reflect.TypeFor[Options]().Fields() {
		name, omitempty := strings.CutSuffix(field.Tag.Get("json"), ",omitempty")
		if options = append(options, name); !omitempty {
			t.Errorf("%s needs a json name with omitempty", field.Name)
		}
	}
	for _, group := range OptionGroups() {
		for _, option := range group.Options {
			texts = append(texts, option.Name)
			if !strings.HasSuffix(option.Text, ".") || !strings.HasPrefix(OptionDoc(option.Name), option.Text) {
				t.Errorf("%s is described by %q and %q", option.Name, option.Text, OptionDoc(option.Name))
			}
		}
	}
	if !slices.Equal(options, texts) {
		t.Errorf("the texts name\n%v, the options are\n%v", texts, options)
	}
	if OptionDoc("widht") != "" || !strings.HasSuffix(OptionDoc("transparent"), " Formats: png, webp.") {
		t.Errorf("%q and %q", OptionDoc("widht"), OptionDoc("transparent"))
	}
}

func TestCookiesAsListAndAsText(t *testing.T) {
	want := Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "x=y"}}
	for _, in := range []string{`[{"name":"a","value":"1"},{"name":"b","value":"x=y"}]`, `"a=1; b=x=y"`, `" a = 1 ;b=x=y; "`} {
		var got Cookies
		if err := json.Unmarshal([]byte(in), &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for _, in := range []string{`"novalue"`, `[{"name":"a","valu":"1"}]`, `7`} {
		var got Cookies
		if err := json.Unmarshal([]byte(in), &got); err == nil {
			t.Errorf("%s: accepted as %v", in, got)
		}
	}
}

func TestCrossNamesTheField(t *testing.T) {
	page := Options{URL: "http://a.test"}
	cases := map[string]struct {
		change func(o *Options)
		wrong  []string
	}{
		"right":              {func(*Options) {}, nil},
		"nothing to capture": {func(o *Options) { o.URL = "" }, []string{"url"}},
		"two pages":          {func(o *Options) { o.HTML = "<p>" }, []string{"html"}},
		"transparent jpeg":   {func(o *Options) { o.Transparent, o.Format = true, FormatJPEG }, []string{"transparent"}},
		"clip":               {func(o *Options) { o.Clip = &Clip{1, 2, 3, 4} }, nil},
		"clip and fullpage":  {func(o *Options) { o.Clip, o.Fullpage = &Clip{1, 2, 3, 4}, true }, []string{"clip"}},
		"clip of nothing":    {func(o *Options) { o.Clip = &Clip{-1, 200001, 0, 4} }, []string{"clip.x", "clip.y", "clip.width"}},
		"delay cut short":    {func(o *Options) { o.Delay, o.Timeout, o.OnTimeout = 5000, 5000, OnTimeoutCapture }, nil},
		"transparent webp":   {func(o *Options) { o.Transparent, o.Format = true, FormatWebP }, nil},
		"background":         {func(o *Options) { o.Background, o.Format = "#f80", FormatJPEG }, nil},
		"no colour":          {func(o *Options) { o.Background = "red" }, []string{"background"}},
		"five digits":        {func(o *Options) { o.Background = "#12345" }, []string{"background"}},
		"clear jpeg":         {func(o *Options) { o.Background, o.Format = "#ff000080", FormatJPEG }, []string{"background"}},
		"clear background":   {func(o *Options) { o.Background = "ff000080" }, nil},
		"two backgrounds":    {func(o *Options) { o.Background, o.Transparent = "#fff", true }, []string{"background"}},
		"effort of a webp":   {func(o *Options) { o.PNGEffort, o.Format = PNGBest, FormatWebP }, []string{"png_effort"}},
		"usual effort":       {func(o *Options) { o.PNGEffort, o.Format = PNGFast, FormatWebP }, nil},
		"fit of a width":     {func(o *Options) { o.ThumbFit, o.ThumbWidth = FitCover, 100 }, []string{"thumb_fit"}},
		"fit":                {func(o *Options) { o.ThumbFit, o.ThumbWidth, o.ThumbHeight = FitFill, 100, 100 }, nil},
		"delay too long":     {func(o *Options) { o.Delay, o.Timeout = 5000, 5000 }, []string{"delay"}},
		"header injection":   {func(o *Options) { o.Headers = Headers{"X-A": "a\r\nB: c"} }, []string{"headers.X-A"}},
		"header name":        {func(o *Options) { o.Headers = Headers{"X A": "a"} }, []string{"headers.X A"}},
		"owned header":       {func(o *Options) { o.Headers = Headers{"Content-Length": "1"} }, []string{"headers.Content-Length"}},
		"proxy header":       {func(o *Options) { o.Headers = Headers{"Proxy-Foo": "1"} }, []string{"headers.Proxy-Foo"}},
		"callback header": {func(o *Options) {
			o.CallbackURL, o.CallbackHeaders = "http://b.test", Headers{"Authorization": "Bearer x", "X-Tenant": "7"}
		}, nil},
		"callback header injection": {func(o *Options) {
			o.CallbackURL, o.CallbackHeaders = "http://b.test", Headers{"X-A": "a\r\nB: c"}
		}, []string{"callback_headers.X-A"}},
		"callback header name": {func(o *Options) {
			o.CallbackURL, o.CallbackHeaders = "http://b.test", Headers{"X:A": "a"}
		}, []string{"callback_headers.X:A"}},
		"callback header too long": {func(o *Options) {
			o.CallbackURL, o.CallbackHeaders = "http://b.test", Headers{"X-A": strings.Repeat("x", MaxCallbackHeaderBytes+1)}
		}, []string{"callback_headers.X-A"}},
		"too many callback headers": {func(o *Options) {
			o.CallbackURL, o.CallbackHeaders = "http://b.test", Headers{}
			for i := range MaxCallbackHeaders + 1 {
				o.CallbackHeaders[fmt.Sprintf("X-%d", i)] = "a"
			}
		}, []string{"callback_headers"}},
		"callback headers for nothing": {func(o *Options) { o.CallbackHeaders = Headers{"X-A": "a"} }, []string{"callback_headers"}},
		"callback secret":              {func(o *Options) { o.CallbackURL, o.CallbackSecret = "http://b.test", secret }, nil},
		"callback secret for nothing":  {func(o *Options) { o.CallbackSecret = secret }, []string{"callback_secret"}},
		"callback secret too short": {
			func(o *Options) { o.CallbackURL, o.CallbackSecret = "http://b.test", "whsec_c2hvcnQ=" },
			[]string{"callback_secret"},
		},
		"files": {func(o *Options) {
			o.URL, o.HTML, o.BaseURL, o.Assets = "", "<p>", "http://a.test/b/", []Asset{{Name: "img/a b.png"}, {Name: "style.css"}}
		}, nil},
		"files without a document":    {func(o *Options) { o.Assets = []Asset{{Name: "a.css"}} }, []string{"assets"}},
		"base_url without a document": {func(o *Options) { o.BaseURL = "http://b.test" }, []string{"base_url"}},
		"a file outside":              {withFiles(Asset{Name: "../a"}), []string{"assets[0].name"}},
		"a file at the root":          {withFiles(Asset{Name: "/a"}), []string{"assets[0].name"}},
		"a file with a query":         {withFiles(Asset{Name: "a?b"}), []string{"assets[0].name"}},
		"a file of another scheme":    {withFiles(Asset{Name: "http:a"}), []string{"assets[0].name"}},
		"a file twice":                {withFiles(Asset{Name: "a"}, Asset{Name: "a"}), []string{"assets[1].name"}},
		"files too large":             {withFiles(Asset{Name: "a", Data: make([]byte, MaxAssetBytes+1)}), []string{"assets"}},
		"callback format":             {func(o *Options) { o.CallbackURL, o.CallbackFormat = "http://b.test", CallbackFile }, nil},
		"callback format for nothing": {func(o *Options) { o.CallbackFormat = CallbackFile }, []string{"callback_format"}},
		"callback method for nothing": {func(o *Options) { o.CallbackMethod = "PUT" }, []string{"callback_method"}},
		"callback on for nothing":     {func(o *Options) { o.CallbackOn = []string{"failed"} }, []string{"callback_on"}},
		"callback error for nothing":  {func(o *Options) { o.CallbackErrorURL = "http://b.test" }, []string{"callback_error_url"}},
		"callback filename of an event": {
			func(o *Options) { o.CallbackURL, o.CallbackFilename = "http://b.test", "a" }, []string{"callback_filename"},
		},
		"callback filename with a path": {func(o *Options) {
			o.CallbackURL, o.CallbackFormat, o.CallbackFilename = "http://b.test", CallbackFile, "../a"
		}, []string{"callback_filename"}},
		"cookie name":  {func(o *Options) { o.Cookies = Cookies{{Name: "a b", Value: "1"}} }, []string{"cookies[0].name"}},
		"cookie value": {func(o *Options) { o.Cookies = Cookies{{Name: "a", Value: "1;b"}} }, []string{"cookies[0].value"}},
		"cookie path": {
			func(o *Options) { o.Cookies = Cookies{{Name: "a", Value: "1", Path: "x"}} },
			[]string{"cookies[0].path"},
		},
		"metadata text":  {func(o *Options) { o.Metadata = []byte(`"order 7"`) }, nil},
		"metadata map":   {func(o *Options) { o.Metadata = []byte(`{"a":1,"b":true}`) }, nil},
		"metadata deep":  {func(o *Options) { o.Metadata = []byte(`{"a":{}}`) }, []string{"metadata.a"}},
		"metadata list":  {func(o *Options) { o.Metadata = []byte(`[1]`) }, []string{"metadata"}},
		"metadata large": {func(o *Options) { o.Metadata = []byte(`"` + strings.Repeat("x", 1024) + `"`) }, []string{"metadata"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := page
			c.change(&o)
			var named []string
			for _, field := range o.ValidateFields() {
				named = append(named, field.Location)
			}
			if !slices.Equal(named, c.wrong) {
				t.Errorf("named %v, want %v", named, c.wrong)
			}
		})
	}
}

func TestPDFOptions(t *testing.T) {
	off := false
	for name, c := range map[string]struct {
		change func(o *Options)
		wrong  []string
	}{
		"plain": {func(*Options) {}, nil},
		"all": {func(o *Options) {
			o.PDFPaper, o.PDFLandscape, o.PDFMargin, o.PDFBackground, o.PDFPages, o.PDFScale = "a3", true, "1in 20px", &off, "1-3, 5,8-", 0.5
		}, nil},
		"more": {func(o *Options) {
			o.PDFWidth, o.PDFHeight, o.PDFHeader, o.PDFPageNumbers, o.PDFOutline, o.PDFCSSPageSize = "100", "5in", "<p>", true, &off, true
		}, nil},
		"two papers":          {func(o *Options) { o.PDFPaper, o.PDFWidth = "a4", "100mm" }, []string{"pdf_width"}},
		"turned":              {func(o *Options) { o.PDFHeight, o.PDFLandscape = "100mm", true }, []string{"pdf_height"}},
		"no length":           {func(o *Options) { o.PDFWidth = "wide" }, []string{"pdf_width"}},
		"too wide":            {func(o *Options) { o.PDFWidth = "201in" }, []string{"pdf_width"}},
		"too low":             {func(o *Options) { o.PDFHeight, o.PDFMargin = "20mm", "0" }, []string{"pdf_height"}},
		"two footers":         {func(o *Options) { o.PDFFooter, o.PDFPageNumbers = "x", true }, []string{"pdf_page_numbers"}},
		"a long page":         {func(o *Options) { o.PDFSinglePage, o.PDFPaper, o.PDFLandscape = true, "a4", true }, nil},
		"a long page, turned": {func(o *Options) { o.PDFSinglePage, o.PDFLandscape = true, true }, []string{"pdf_single_page"}},
		"some of one page":    {func(o *Options) { o.PDFSinglePage, o.PDFPages = true, "2" }, []string{"pdf_single_page"}},
		"a height of its own": {func(o *Options) { o.PDFSinglePage, o.PDFHeight = true, "100mm" }, []string{"pdf_single_page"}},
		"header of a png": {
			func(o *Options) { o.Format, o.PDFHeader, o.PDFOutline = FormatPNG, "x", &off }, []string{"pdf_header", "pdf_outline"},
		},
		"fullpage": {func(o *Options) { o.Fullpage = true }, nil},
		"no pdf": {func(o *Options) { o.Format, o.PDFPaper, o.PDFLandscape, o.PDFPages = FormatPNG, "a4", true, "1" }, []string{
			"pdf_paper",
			"pdf_landscape", "pdf_pages",
		}},
		"options of pictures": {func(o *Options) {
			o.Selector, o.Transparent, o.ThumbWidth, o.Quality, o.MaxHeight = "p", true, 100, 50, 500
			o.ThumbHeight, o.PNGEffort = 100, PNGBest
		}, []string{"selector", "max_height", "transparent", "thumb_width", "thumb_height", "quality", "png_effort"}},
		"background":         {func(o *Options) { o.Background = "#fff" }, []string{"background"}},
		"clip":               {func(o *Options) { o.Clip = &Clip{0, 0, 10, 10} }, []string{"clip"}},
		"margin":             {func(o *Options) { o.PDFMargin = "1cm 2cm 3cm" }, []string{"pdf_margin"}},
		"unit":               {func(o *Options) { o.PDFMargin = "1em" }, []string{"pdf_margin"}},
		"negative":           {func(o *Options) { o.PDFMargin = "-1mm" }, []string{"pdf_margin"}},
		"no paper left":      {func(o *Options) { o.PDFMargin, o.PDFPaper = "50mm", "a6" }, []string{"pdf_margin"}},
		"landscape has less": {func(o *Options) { o.PDFMargin, o.PDFPaper, o.PDFLandscape = "50mm 5mm", "a6", true }, []string{"pdf_margin"}},
		"page 0":             {func(o *Options) { o.PDFPages = "0-2" }, []string{"pdf_pages"}},
		"backwards":          {func(o *Options) { o.PDFPages = "3-2" }, []string{"pdf_pages"}},
		"no pages":           {func(o *Options) { o.PDFPages = "-3" }, []string{"pdf_pages"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{URL: "http://a.test", Format: FormatPDF}
			c.change(&o)
			var named []string
			for _, field := range o.WithDefaults().ValidateFields() {
				named = append(named, field.Location)
			}
			if !slices.Equal(named, c.wrong) {
				t.Errorf("named %v, want %v", named, c.wrong)
			}
		})
	}
	if FormatPDF.MediaType() != "application/pdf" || FormatJPG.MediaType() != "image/jpeg" {
		t.Error("media types")
	}
	got, err := ParseMargins("10mm 1in 72pt 96px")
	if want := (Margins{72 / 2.54, 72, 72, 72}); err != nil || math.Abs(got.Top-want.Top) > 1e-9 || got.Right != want.Right ||
		got.Bottom != want.Bottom || got.Left != want.Left {
		t.Errorf("%+v, %v", got, err)
	}
	for paper, width := range map[Paper]float64{"": 595, "a4": 595, "letter": 612, "a0": 2384, "a6": 298, "tabloid": 792} {
		if w, h := paper.Size(); math.Abs(w-width) > 0.5 || h < w {
			t.Errorf("%q is %v x %v", paper, w, h)
		}
	}
}

func TestCodesAreOneTable(t *testing.T) {
	seen := map[Code]bool{}
	for _, row := range Codes() {
		if seen[row.Code] {
			t.Errorf("%s stands twice", row.Code)
		}
		seen[row.Code] = true
		if row.Status < 400 || row.Manual == "" {
			t.Errorf("%s has status %d and text %q", row.Code, row.Status, row.Manual)
		}
	}
}

// Whichever of the two comes first, the other is refused.
func TestCallbackHeaderTwice(t *testing.T) {
	wrong := Options{URL: "http://a.test", CallbackURL: "http://b.test", CallbackHeaders: Headers{"X-A": "a", "x-a": "b"}}.ValidateFields()
	if len(wrong) != 1 || !strings.EqualFold(wrong[0].Location, "callback_headers.x-a") {
		t.Errorf("%v", wrong)
	}
}

func TestCallbackHeadersThatAreOurs(t *testing.T) {
	for _, name := range []string{
		"Host", "host", "Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect", "Proxy-Authorization", "Cookie",
		"Content-Length", "Content-Type", "content-encoding", "User-Agent", "X-Signature", "x-signature-previous",
		"Webhook-Id", "webhook-signature", "Webhook-Timestamp", "webhook-anything", "Idempotency-Key", "Accept-Encoding",
	} {
		wrong := Options{URL: "http://a.test", CallbackURL: "http://b.test", CallbackHeaders: Headers{name: "hidden"}}.ValidateFields()
		if len(wrong) != 1 || wrong[0].Location != "callback_headers."+name || wrong[0].Value == "hidden" {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

func TestCheckSecret(t *testing.T) {
	of := func(n int) string { return SecretPrefix + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, right := range []string{secret, of(24), of(32), of(64)} {
		if err := CheckSecret(right); err != nil {
			t.Errorf("%s: %v", right, err)
		}
	}
	for _, wrong := range []string{
		"", "whsec_", "hidden", of(23), of(65), strings.TrimPrefix(of(32), SecretPrefix), strings.TrimRight(of(32), "="),
		"whsec_" + strings.Repeat("hid-den_", 6), of(32) + " ", of(32)[:20] + "\n" + of(32)[20:],
	} {
		if err := CheckSecret(wrong); !errors.Is(err, ErrSecret) || strings.Contains(err.Error(), "hid") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// withFiles has a document with files instead of a URL.
func withFiles(assets ...Asset) func(*Options) {
	return func(o *Options) { o.URL, o.HTML, o.Assets = "", "<p>", assets }
}
