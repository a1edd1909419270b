package savepage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// WaitUntil is when a page counts as ready.
type WaitUntil string

// The moments a capture can wait for.
const (
	WaitSettled          WaitUntil = "settled"
	WaitLoad             WaitUntil = "load"
	WaitDOMContentLoaded WaitUntil = "domcontentloaded"
	WaitNetworkIdle      WaitUntil = "networkidle"
)

// OnTimeout is what a render does at its timeout.
type OnTimeout string

// The values of on_timeout.
const (
	OnTimeoutFail    OnTimeout = "fail"
	OnTimeoutCapture OnTimeout = "capture"
)

// Clock is the clock by which a page waits.
type Clock string

// The clocks.
const (
	TimeReal    Clock = "real"
	TimeVirtual Clock = "virtual"
)

// Animations is how moving parts of the page are captured.
type Animations string

// The values of animations.
const (
	AnimationsFreeze Animations = "freeze"
	AnimationsAllow  Animations = "allow"
)

// Sizes that the options and the server share.
const (
	MaxURLBytes      = 8192
	MaxHTMLBytes     = 2 << 20
	MaxMetadataBytes = 1 << 10
	MaxHeaderValue   = 8 << 10 // bytes of one header or cookie value
)

// Options is everything a client may ask of a capture. This struct is the only source of names, types, ranges and defaults:
// JSON body, query, form, command line, OpenAPI document and manual are all read from its tags (json, minimum, maximum,
// minLength, maxLength, enum, default, example). The names of formats and resources come from Formats and Resources, the
// texts from OptionGroups. The zero value of an option always means "not given".
type Options struct {
	// The page: a URL or a document.
	URL     string  `json:"url,omitempty" maxLength:"8192" example:"https://example.com"`
	HTML    string  `json:"html,omitempty" maxLength:"2097152" example:"<h1>Hello</h1>"`
	BaseURL string  `json:"base_url,omitempty" maxLength:"8192" example:"https://example.com/articles/"`
	Assets  []Asset `json:"assets,omitempty" maxItems:"100" example:"[{\"name\":\"style.css\",\"data\":\"aDF7Y29sb3I6cmVkfQ==\"}]"`

	// The viewport.
	Width  int     `json:"width,omitempty" minimum:"320" maximum:"3840" default:"1440"`
	Height int     `json:"height,omitempty" minimum:"240" maximum:"2160" default:"900"`
	Scale  float64 `json:"scale,omitempty" minimum:"0.5" maximum:"3" default:"1"`
	Device string  `json:"device,omitempty" maxLength:"64" example:"iPhone 15"`

	// The part of the page.
	Fullpage  bool   `json:"fullpage,omitempty" default:"false"`
	MaxHeight int    `json:"max_height,omitempty" minimum:"240" maximum:"200000"`
	Clip      *Clip  `json:"clip,omitempty" example:"\"0,100,800,600\""`
	Selector  string `json:"selector,omitempty" maxLength:"2048" example:"#main"`

	// The file.
	Format      Format    `json:"format,omitempty" default:"png"`
	Quality     int       `json:"quality,omitempty" minimum:"1" maximum:"100" default:"80"`
	PNGEffort   PNGEffort `json:"png_effort,omitempty" enum:"fast,normal,best" default:"fast"`
	Transparent bool      `json:"transparent,omitempty" default:"false"`
	Background  string    `json:"background,omitempty" maxLength:"9" example:"#f5f5f5"`
	ThumbWidth  int       `json:"thumb_width,omitempty" minimum:"1" maximum:"3840"`
	ThumbHeight int       `json:"thumb_height,omitempty" minimum:"1" maximum:"3840"`
	ThumbFit    Fit       `json:"thumb_fit,omitempty" enum:"cover,contain,inside,fill"`

	// The pages of a pdf.
	PDFPaper       Paper   `json:"pdf_paper,omitempty" enum:"a0,a1,a2,a3,a4,a5,a6,letter,legal,tabloid,ledger"`
	PDFWidth       string  `json:"pdf_width,omitempty" maxLength:"20" example:"210mm"`
	PDFHeight      string  `json:"pdf_height,omitempty" maxLength:"20" example:"99mm"`
	PDFLandscape   bool    `json:"pdf_landscape,omitempty" default:"false"`
	PDFCSSPageSize bool    `json:"pdf_css_page_size,omitempty" default:"false"`
	PDFMargin      string  `json:"pdf_margin,omitempty" maxLength:"100" example:"10mm 15mm"`
	PDFBackground  *bool   `json:"pdf_background,omitempty" default:"true"`
	PDFPages       string  `json:"pdf_pages,omitempty" maxLength:"200" example:"1-3,5,8-"`
	PDFSinglePage  bool    `json:"pdf_single_page,omitempty" default:"false"`
	PDFScale       float64 `json:"pdf_scale,omitempty" minimum:"0.1" maximum:"2"`
	PDFHeader      string  `json:"pdf_header,omitempty" maxLength:"65536" example:"<span class=title></span>"`
	PDFFooter      string  `json:"pdf_footer,omitempty" maxLength:"65536" example:"Page <span class=pageNumber></span>"`
	PDFPageNumbers bool    `json:"pdf_page_numbers,omitempty" default:"false"`
	PDFOutline     *bool   `json:"pdf_outline,omitempty" default:"true"`

	// When to capture.
	WaitUntil       WaitUntil `json:"wait_until,omitempty" enum:"settled,load,domcontentloaded,networkidle" default:"settled"`
	WaitForSelector string    `json:"wait_for_selector,omitempty" maxLength:"2048" example:"#chart"`
	WaitForText     string    `json:"wait_for_text,omitempty" maxLength:"1024" example:"Updated today"`
	Delay           int       `json:"delay,omitempty" minimum:"0" maximum:"30000" default:"0"`
	ScrollDelay     int       `json:"scroll_delay,omitempty" minimum:"0" maximum:"5000" default:"0"`
	Timeout         int       `json:"timeout,omitempty" minimum:"1000" maximum:"300000" default:"30000"`
	OnTimeout       OnTimeout `json:"on_timeout,omitempty" enum:"fail,capture" default:"fail"`
	FailOn          []Failure `json:"fail_on,omitempty" maxItems:"10" example:"[\"4xx\",\"5xx\"]"`
	RequireText     Texts     `json:"require_text,omitempty" maxItems:"20" minLength:"1" maxLength:"1024" example:"[\"In stock\"]"`
	FailOnText      Texts     `json:"fail_on_text,omitempty" maxItems:"20" minLength:"1" maxLength:"1024" example:"[\"Out of stock\"]"`

	// The cache.
	CacheTTL int `json:"cache_ttl,omitempty" minimum:"0" maximum:"2592000" default:"0"`

	// Motion and time.
	Animations Animations `json:"animations,omitempty" enum:"freeze,allow" default:"freeze"`
	Time       Clock      `json:"time,omitempty" enum:"real,virtual" default:"real"`

	// Blocking.
	BlockAds           bool       `json:"block_ads,omitempty" default:"false"`
	BlockTrackers      bool       `json:"block_trackers,omitempty" default:"false"`
	BlockCookieBanners bool       `json:"block_cookie_banners,omitempty" default:"false"`
	BlockChats         bool       `json:"block_chats,omitempty" default:"false"`
	BlockURLs          []string   `json:"block_urls,omitempty" maxItems:"100" minLength:"1" maxLength:"1024" example:"[\"*://ads.example/*\"]"`
	BlockResources     []Resource `json:"block_resources,omitempty" maxItems:"20" example:"[\"image\",\"font\"]"`

	// Changing the page.
	Hide  []string `json:"hide,omitempty" maxItems:"50" minLength:"1" maxLength:"2048" example:"[\".banner\"]"`
	Click []string `json:"click,omitempty" maxItems:"20" minLength:"1" maxLength:"2048" example:"[\"#open\"]"`
	Steps []Step   `json:"steps,omitempty" maxItems:"50" example:"[{\"type\":\"click\",\"selector\":\"#open\"}]"`
	CSS   string   `json:"css,omitempty" maxLength:"262144" example:"header { display: none }"`
	JS    string   `json:"js,omitempty" maxLength:"262144" example:"document.title = 'Hello'"`

	// Requests of the page.
	Headers        Headers `json:"headers,omitempty" example:"{\"X-Team\":\"blue\"}"`
	Authorization  string  `json:"authorization,omitempty" writeOnly:"true" maxLength:"8192" example:"Bearer TOKEN"`
	Cookies        Cookies `json:"cookies,omitempty" example:"\"a=1; b=2\""`
	UserAgent      string  `json:"user_agent,omitempty" maxLength:"1024"`
	AcceptLanguage string  `json:"accept_language,omitempty" maxLength:"256" example:"en-US,en;q=0.9"`

	// The environment.
	Timezone      string       `json:"timezone,omitempty" maxLength:"64" example:"Europe/Berlin"`
	Locale        string       `json:"locale,omitempty" maxLength:"64" example:"de-CH"`
	Geolocation   *Geolocation `json:"geolocation,omitempty" example:"\"47.37,8.54\""`
	ColorScheme   ColorScheme  `json:"color_scheme,omitempty" enum:"light,dark"`
	ReducedMotion bool         `json:"reduced_motion,omitempty" default:"false"`
	Media         Media        `json:"media,omitempty" enum:"screen,print"`

	// The result.
	Store            *StoreTo       `json:"store,omitempty" example:"\"archive/{host}/{id}.{format}\""`
	CallbackURL      string         `json:"callback_url,omitempty" maxLength:"8192" example:"https://myapp.example.com/hook"`
	CallbackFormat   CallbackFormat `json:"callback_format,omitempty" enum:"event,file,gotenberg,screenshotone,screenshotone_json,urlbox"`
	CallbackMethod   string         `json:"callback_method,omitempty" enum:"POST,PUT,PATCH"`
	CallbackOn       []string       `json:"callback_on,omitempty" enum:"success,failed" maxItems:"2" example:"[\"failed\"]"`
	CallbackErrorURL string         `json:"callback_error_url,omitempty" maxLength:"8192" example:"https://myapp.example.com/failed"`
	CallbackFilename string         `json:"callback_filename,omitempty" maxLength:"128" example:"report"`
	CallbackHeaders  Headers        `json:"callback_headers,omitempty" writeOnly:"true"`
	CallbackSecret   string         `json:"callback_secret,omitempty" maxLength:"128" writeOnly:"true"`
	Async            bool           `json:"async,omitempty" default:"false"`
	Metadata         Metadata       `json:"metadata,omitempty" example:"{\"order\":17}"`
}

// Defaults returns the options of a request that gives none.
func Defaults() Options {
	return Options{
		Width: 1440, Height: 900, Scale: 1, Format: FormatPNG, Quality: 80, PNGEffort: PNGFast, WaitUntil: WaitSettled,
		Timeout: 30000, OnTimeout: OnTimeoutFail, Animations: AnimationsFreeze, Time: TimeReal,
	}
}

// WithDefaults fills every option that was not given, from the device first, and replaces an alias of a format by the format.
func (o Options) WithDefaults() Options {
	o = o.withDevice()
	d := Defaults()
	o.Width = cmp.Or(o.Width, d.Width)
	o.Height = cmp.Or(o.Height, d.Height)
	o.Scale = cmp.Or(o.Scale, d.Scale)
	o.Format = cmp.Or(o.Format, d.Format).Info().Format
	o.Quality = cmp.Or(o.Quality, d.Quality)
	o.PNGEffort = cmp.Or(o.PNGEffort, d.PNGEffort)
	o.WaitUntil = cmp.Or(o.WaitUntil, d.WaitUntil)
	o.Timeout = cmp.Or(o.Timeout, d.Timeout)
	o.OnTimeout = cmp.Or(o.OnTimeout, d.OnTimeout)
	o.Animations = cmp.Or(o.Animations, d.Animations)
	o.Time = cmp.Or(o.Time, d.Time)
	return o
}

// ValidateFields checks the rules that tags cannot express, above all those between several options. It returns every
// violation, located by the bare name of the option ("url"). The schema checks the ranges of single options.
func (o Options) ValidateFields() []FieldError {
	var wrong []FieldError
	add := func(field, message string, value any) {
		wrong = append(wrong, FieldError{Location: field, Message: message, Value: value})
	}
	switch {
	case o.URL == "" && o.HTML == "":
		add("url", "is required; give an http or https URL, or html", nil)
	case o.URL != "" && o.HTML != "":
		add("html", "must not be given together with url", nil)
	}
	if o.OnTimeout != OnTimeoutCapture && o.Delay >= cmp.Or(o.Timeout, Defaults().Timeout) {
		add("delay", "must be shorter than timeout", o.Delay)
	}
	for _, part := range []struct {
		name  string
		given bool
	}{{"fullpage", o.Fullpage}, {"selector", o.Selector != ""}} {
		if o.Clip != nil && part.given {
			add("clip", "must not be given together with "+part.name, nil)
		}
	}
	wrong = append(wrong, o.checkDocument()...)
	wrong = append(wrong, o.Clip.check()...)
	wrong = append(wrong, o.checkBlocking()...)
	wrong = append(wrong, o.checkEnvironment()...)
	wrong = append(wrong, o.checkAuthorization()...)
	wrong = append(wrong, o.checkFormat()...)
	wrong = append(wrong, o.checkPicture()...)
	wrong = append(wrong, o.checkPaper()...)
	wrong = append(wrong, o.checkSteps()...)
	wrong = append(wrong, o.Headers.check()...)
	wrong = append(wrong, o.Cookies.check()...)
	wrong = append(wrong, o.Store.check()...)
	wrong = append(wrong, o.checkCallback()...)
	return append(wrong, checkMetadata(o.Metadata)...)
}

// Headers are request headers by name.
type Headers map[string]string

// check refuses invalid names, values that could end a line, and headers that belong to the connection.
func (h Headers) check() []FieldError {
	var wrong []FieldError
	for name, value := range h {
		at := "headers." + name
		switch {
		case !isToken(name):
			wrong = append(wrong, FieldError{at, "is not a valid header name", name})
		case ownedHeader(name):
			wrong = append(wrong, FieldError{at, "is set by the browser and cannot be given", name})
		case !isHeaderValue(value):
			wrong = append(wrong, FieldError{at, fmt.Sprintf("must be at most %d bytes of printable ASCII", MaxHeaderValue), nil})
		}
	}
	return wrong
}

func ownedHeader(name string) bool {
	switch lower := strings.ToLower(name); lower {
	case "host", "content-length", "connection", "transfer-encoding", "te", "upgrade", "keep-alive", "trailer", "expect", "cookie":
		return true
	default:
		return strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "sec-")
	}
}

func isToken(s string) bool {
	if s == "" || len(s) > 256 {
		return false
	}
	for _, c := range s {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) {
			return false
		}
	}
	return true
}

func isHeaderValue(s string) bool {
	if len(s) > MaxHeaderValue {
		return false
	}
	for _, c := range s {
		if c != '\t' && (c < ' ' || c > 0x7e) {
			return false
		}
	}
	return true
}

// Cookie is one cookie for the page. Without a Domain it belongs to the page's own origin, and for an http URL also to the
// same host over https; with one it belongs to that domain, on every port.
type Cookie struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Domain string `json:"domain,omitempty"`
	Path   string `json:"path,omitempty"`
}

// Cookies is a list of cookies. It can also be written as the text of a Cookie header: "a=1; b=2".
type Cookies []Cookie

// UnmarshalJSON takes a list of cookies or the text of a Cookie header.
func (c *Cookies) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		return c.UnmarshalText([]byte(text))
	}
	var list []Cookie
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return errors.New(`must be a list of {"name","value","domain","path"} or a string like "a=1; b=2"`)
	}
	*c = list
	return nil
}

// UnmarshalText reads the text of a Cookie header.
func (c *Cookies) UnmarshalText(text []byte) error {
	var list []Cookie
	for part := range strings.SplitSeq(string(text), ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		if !found {
			return fmt.Errorf("%q is not name=value", part)
		}
		list = append(list, Cookie{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	*c = list
	return nil
}

func (c Cookies) check() []FieldError {
	var wrong []FieldError
	for i, one := range c {
		at := fmt.Sprintf("cookies[%d]", i)
		switch {
		case !isToken(one.Name):
			wrong = append(wrong, FieldError{at + ".name", "is not a valid cookie name", one.Name})
		case !isHeaderValue(one.Value) || strings.ContainsAny(one.Value, ";\t"):
			wrong = append(wrong, FieldError{at + ".value", "must be printable ASCII without ';'", nil})
		case one.Path != "" && (one.Path[0] != '/' || !isHeaderValue(one.Path)):
			wrong = append(wrong, FieldError{at + ".path", "must begin with /", one.Path})
		}
	}
	return wrong
}

// checkMetadata allows a string or a flat object of strings, numbers and booleans.
func checkMetadata(m Metadata) []FieldError {
	if len(m) == 0 || string(m) == "null" {
		return nil
	}
	if len(m) > MaxMetadataBytes {
		return []FieldError{{"metadata", fmt.Sprintf("must be at most %d bytes", MaxMetadataBytes), len(m)}}
	}
	var text string
	if json.Unmarshal(m, &text) == nil {
		return nil
	}
	var flat map[string]any
	if json.Unmarshal(m, &flat) != nil {
		return []FieldError{{"metadata", "must be a string or a flat object", nil}}
	}
	for name, value := range flat {
		switch value.(type) {
		case map[string]any, []any:
			return []FieldError{{"metadata." + name, "must be a string, a number or a boolean", nil}}
		}
	}
	return nil
}
