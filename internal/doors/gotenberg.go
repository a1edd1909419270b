package doors

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// What Gotenberg does where a client says nothing. Lengths are in inches.
const (
	formWidth       = 800
	formHeight      = 600
	formQuality     = 100
	formPaperWidth  = 8.5
	formPaperHeight = 11
	formMargin      = "0.39in"
)

// gotenbergNames are the form fields of Gotenberg's Chromium routes: https://gotenberg.dev/docs/convert-with-chromium and
// https://gotenberg.dev/docs/capture-screenshots.
func gotenbergNames() names {
	all := names{}
	for _, some := range []names{formPage(), formPicture(), formPaper(), formNothing()} {
		maps.Copy(all, some)
	}
	return all
}

func formPage() names {
	return names{
		"url":                             text("url"),
		"index.html":                      kept("`html`; every other file of the form is one of `assets`"),
		"waitDelay":                       taken("`delay`; a duration such as 2s or 500ms", waitDelay),
		"waitForSelector":                 text("wait_for_selector"),
		"waitForExpression":               taken("`js`, which waits until the expression is true", waitExpression),
		"waitWindowStatus":                taken("`js`, which waits until window.status is the text", windowStatus),
		"skipNetworkIdleEvent":            networkIdle(),
		"skipNetworkAlmostIdleEvent":      networkIdle(),
		"userAgent":                       text("user_agent"),
		"extraHttpHeaders":                taken("`headers`, sent to the page's own origin only; ;scope= is refused", formHeaders),
		"cookies":                         taken("`cookies`: name, value, domain and path", formCookies),
		"emulatedMediaType":               text("media"),
		"emulatedMediaFeatures":           taken("`color_scheme` and `reduced_motion`; other features are refused", mediaFeatures),
		"omitBackground":                  kept("`transparent`; without effect with jpeg and pdf"),
		"failOnHttpStatusCodes":           taken("`fail_on`: 4xx and 5xx, [499,599] by default; one status stands for its hundred", failOnStatus),
		"failOnResourceLoadingFailed":     member("fail_on", "request_failed"),
		"failOnResourceHttpStatusCodes":   refused("a capture does not fail for the status of a part of the page"),
		"failOnConsoleExceptions":         refused("a capture does not fail for what the console says; the report counts it"),
		"ignoreResourceHttpStatusDomains": ignored("of failOnResourceHttpStatusCodes"),
		"downloadFrom":                    refused("send the files in the form"),
	}
}

func formPicture() names {
	return names{
		"width":             sized("width", formWidth),
		"height":            sized("height", formHeight),
		"deviceScaleFactor": number("scale"),
		"clip":              inverse("fullpage"),
		"selector":          text("selector"),
		"format":            text("format"),
		"quality":           sized("quality", formQuality),
		"optimizeForSpeed":  ignored("the quick encoder is the usual one"),
	}
}

func formPaper() names {
	return names{
		"singlePage":              flag("pdf_single_page"),
		"paperWidth":              kept("`pdf_width`, 8.5in by default; a number is in inches"),
		"paperHeight":             kept("`pdf_height`, 11in by default; a number is in inches"),
		"marginTop":               kept("`pdf_margin`, 0.39in by default; a number is in inches"),
		"marginRight":             kept("`pdf_margin`, 0.39in by default; a number is in inches"),
		"marginBottom":            kept("`pdf_margin`, 0.39in by default; a number is in inches"),
		"marginLeft":              kept("`pdf_margin`, 0.39in by default; a number is in inches"),
		"landscape":               kept("width and height of the paper, exchanged"),
		"scale":                   number("pdf_scale"),
		"nativePageRanges":        text("pdf_pages"),
		"printBackground":         taken("`pdf_background`, false by default", flag("pdf_background").take),
		"preferCssPageSize":       flag("pdf_css_page_size"),
		"generateDocumentOutline": taken("`pdf_outline`, false by default", flag("pdf_outline").take),
		"header.html":             kept("`pdf_header`"),
		"footer.html":             kept("`pdf_footer`"),
		"generateTaggedPdf":       ignored("every pdf is tagged as the browser does it"),
	}
}

// formNothing are fields of the work that Gotenberg leaves to other programs.
func formNothing() names {
	all := names{}
	for _, name := range []string{
		"pdfa", "pdfua", "metadata", "splitMode", "splitSpan", "splitUnify", "flatten", "userPassword", "ownerPassword", "embeds",
		"embedsMetadata", "watermarkSource", "stampSource", "rotateAngle", "facturx",
	} {
		all[name] = refused("a pdf is given as the browser prints it")
	}
	return all
}

// networkIdle waits for the network where a client does not skip it.
func networkIdle() rule {
	return taken("`wait_until`: networkidle, if false", func(o *order, given []string) {
		if off(given) {
			o.set("wait_until", "networkidle")
		}
	})
}

func waitDelay(o *order, given []string) {
	wait, err := time.ParseDuration(strings.TrimSpace(last(given)))
	if err != nil || wait < 0 {
		o.refuse("must be a duration such as 2s or 500ms")
		return
	}
	o.set("delay", wait.Milliseconds())
}

// until has a script wait for an expression. Several wait one after the other.
func (o *order) until(expression string) {
	before, _ := o.options["js"].(string)
	o.set("js", before+"while (!("+expression+"\n)) await new Promise((again) => setTimeout(again, 20));\n")
}

func waitExpression(o *order, given []string) { o.until(last(given)) }

func windowStatus(o *order, given []string) {
	status, err := json.Marshal(last(given))
	if err == nil {
		o.until("window.status === " + string(status))
	}
}

func formHeaders(o *order, given []string) {
	var headers map[string]string
	if err := json.Unmarshal([]byte(last(given)), &headers); err != nil {
		o.refuse("must be a JSON object with string values")
		return
	}
	for _, value := range headers {
		for part := range strings.SplitSeq(value, ";") {
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(part)), "scope") {
				o.refuse("cannot have a scope: headers are sent to the page's own origin")
				return
			}
		}
	}
	o.set("headers", headers)
}

func formCookies(o *order, given []string) {
	var cookies []savepage.Cookie
	if err := json.Unmarshal([]byte(last(given)), &cookies); err != nil {
		o.refuse("must be a JSON list of objects with name, value and domain")
		return
	}
	o.set("cookies", cookies)
}

// mediaFeatures reads features as an object, or as a list of name and value.
func mediaFeatures(o *order, given []string) {
	features := map[string]string{}
	if err := json.Unmarshal([]byte(last(given)), &features); err != nil {
		var list []struct{ Name, Value string }
		if err := json.Unmarshal([]byte(last(given)), &list); err != nil {
			o.refuse("must be a JSON object with string values")
			return
		}
		for _, one := range list {
			features[one.Name] = one.Value
		}
	}
	for name, value := range features {
		switch name {
		case "prefers-color-scheme":
			o.set("color_scheme", value)
		case "prefers-reduced-motion":
			o.set("reduced_motion", value == "reduce")
		default:
			o.refuse("can have prefers-color-scheme and prefers-reduced-motion")
		}
	}
}

func failOnStatus(o *order, given []string) {
	var codes []int
	if err := json.Unmarshal([]byte(last(given)), &codes); err != nil {
		o.refuse("must be a JSON list of numbers")
		return
	}
	o.keep(given)
	for _, hundred := range []int{4, 5} {
		if slices.ContainsFunc(codes, func(code int) bool { return code/100 == hundred }) {
			o.add("fail_on", strconv.Itoa(hundred)+"xx")
		}
	}
}

// readForm makes an order of a form and its files.
func readForm(f form, paper bool) *order {
	o := gotenbergNames().read(f.values)
	if o.own["failOnHttpStatusCodes"] == nil {
		o.add("fail_on", "4xx", "5xx")
	}
	o.files(f.files, paper)
	if !paper {
		o.byDefault("width", formWidth)
		o.byDefault("height", formHeight)
		o.byDefault("quality", formQuality)
		o.byDefault("format", "png")
		_, element := o.options["selector"]
		o.byDefault("fullpage", !element)
		if format := savepage.Format(fmt.Sprint(o.options["format"])).Info(); o.truth("omitBackground") && format.Transparent {
			o.options["transparent"] = true
		}
		return o
	}
	o.options["format"] = savepage.FormatPDF
	o.byDefault("pdf_background", false)
	o.byDefault("pdf_outline", false)
	o.paper()
	for side, name := range [4]string{"marginTop", "marginRight", "marginBottom", "marginLeft"} {
		o.own[name] = []string{o.length(name, [4]string{formMargin, formMargin, formMargin, formMargin}[side])}
	}
	o.margins([4]string{"marginTop", "marginRight", "marginBottom", "marginLeft"}, formMargin)
	return o
}

// files takes the document, its files, and header and footer of a pdf.
func (o *order) files(given []savepage.Asset, paper bool) {
	var assets []savepage.Asset
	for _, file := range given {
		switch o.name = file.Name; {
		case file.Name == "index.html":
			o.set("html", string(file.Data))
		case file.Name == "header.html" && paper:
			o.set("pdf_header", string(file.Data))
		case file.Name == "footer.html" && paper:
			o.set("pdf_footer", string(file.Data))
		default:
			assets = append(assets, file)
		}
	}
	if len(assets) > 0 {
		o.name = "files"
		o.set("assets", assets)
	}
}

// paper reads the size of the paper. One long page has the height that it needs.
func (o *order) paper() {
	width := o.length("paperWidth", strconv.FormatFloat(formPaperWidth, 'f', -1, 64)+"in")
	height := o.length("paperHeight", strconv.FormatFloat(formPaperHeight, 'f', -1, 64)+"in")
	if o.truth("landscape") {
		width, height = height, width
	}
	o.name = "paperWidth"
	o.set("pdf_width", width)
	if o.options["pdf_single_page"] != true {
		o.name = "paperHeight"
		o.set("pdf_height", height)
	}
}

// length is a kept length with its unit: a number is in inches, and a pica is a sixth of one.
func (o *order) length(name, usual string) string {
	given := strings.TrimSpace(o.value(name))
	if given == "" {
		return usual
	}
	number, pica := strings.CutSuffix(given, "pc")
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		return given
	case pica:
		return strconv.FormatFloat(n/6, 'f', 5, 64) + "in"
	default:
		return number + "in"
	}
}
