package doors

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/savepage/savepage"
)

// What browserless does where a client says nothing.
const (
	chromeWidth  = 800
	chromeHeight = 600
)

// browserlessNames are the members of the body of browserless' /screenshot and /pdf; a dot leads into an object. See
// https://docs.browserless.io/rest-apis/screenshot-api.
func browserlessNames() names {
	all := names{}
	for _, some := range []names{chromePage(), chromeWaits(), chromePicture(), chromeSheet()} {
		maps.Copy(all, some)
	}
	return all
}

func chromePage() names {
	return names{
		"url":                        text("url"),
		"html":                       text("html"),
		"viewport.width":             sized("width", chromeWidth),
		"viewport.height":            sized("height", chromeHeight),
		"viewport.deviceScaleFactor": number("scale"),
		"viewport.isMobile":          refused("there is no mobile page without a device"),
		"viewport.hasTouch":          refused("there is no touch screen without a device"),
		"viewport.isLandscape":       ignored("give width and height"),
		"userAgent":                  text("user_agent"),
		"userAgent.userAgent":        text("user_agent"),
		"cookies":                    taken("`cookies`: name, value, domain and path", chromeCookies),
		"authenticate.username":      kept("`authorization`: Basic"),
		"authenticate.password":      kept("`authorization`: Basic"),
		"setExtraHTTPHeaders":        taken("`headers`, sent to the page's own origin only", formHeaders),
		"emulateMediaType":           text("media"),
		"addScriptTag":               tags("js"),
		"addStyleTag":                tags("css"),
		"rejectResourceTypes":        resources(map[string]string{"document": "frame", "texttrack": "other", "manifest": "other"}),
		"rejectRequestPattern":       refused("patterns are regular expressions; give block_urls of POST /v1/capture"),
		"requestInterceptors":        refused("requests are not answered for the page"),
		"setJavaScriptEnabled":       refusedUnlessTrue("the scripts of a page cannot be switched off"),
		"scrollPage":                 ignored("a full page is always loaded as a reader would by scrolling"),
		"blockAds":                   flag("block_ads"),
	}
}

func chromeWaits() names {
	moments := map[string]string{
		"load": "load", "domcontentloaded": "domcontentloaded", "networkidle0": "networkidle", "networkidle2": "networkidle",
	}
	return names{
		"gotoOptions.waitUntil":    strongest(moments),
		"gotoOptions.timeout":      whole("timeout"),
		"gotoOptions.referer":      referer(),
		"waitForTimeout":           whole("delay"),
		"waitForSelector.selector": kept("`wait_for_selector`, or `steps`: wait_until_gone with hidden"),
		"waitForSelector.hidden":   kept("`steps`: wait_until_gone"),
		"waitForSelector.visible":  ignored("an element is awaited until it is visible"),
		"waitForSelector.timeout":  ignored("timeout is for the whole capture"),
		"waitForFunction.fn":       refused("give waitForSelector, or js of POST /v1/capture"),
		"waitForFunction.timeout":  ignored("of waitForFunction"),
		"waitForFunction.polling":  ignored("of waitForFunction"),
		"waitForEvent.event":       refused("give waitForSelector, or js of POST /v1/capture"),
		"waitForEvent.timeout":     ignored("of waitForEvent"),
		"bestAttempt":              when("on_timeout", "capture"),
	}
}

func chromePicture() names {
	return names{
		"selector":                      text("selector"),
		"options.type":                  lower("format"),
		"options.quality":               whole("quality"),
		"options.fullPage":              kept("`fullpage`; of /pdf `pdf_single_page`"),
		"options.omitBackground":        kept("`transparent`; without effect with jpeg and pdf"),
		"options.clip.x":                kept("`clip`"),
		"options.clip.y":                kept("`clip`"),
		"options.clip.width":            kept("`clip`"),
		"options.clip.height":           kept("`clip`"),
		"options.clip.scale":            ignored("give viewport.deviceScaleFactor"),
		"options.encoding":              kept("base64: the picture as text"),
		"options.optimizeForSpeed":      ignored("the quick encoder is the usual one"),
		"options.captureBeyondViewport": ignored("a full page and an element are taken beyond the viewport"),
		"options.fromSurface":           ignored("there is one way"),
		"options.path":                  refused("nothing is written on the server"),
	}
}

func chromeSheet() names {
	return names{
		"options.format":              lower("pdf_paper"),
		"options.width":               pixelLength("pdf_width"),
		"options.height":              pixelLength("pdf_height"),
		"options.landscape":           flag("pdf_landscape"),
		"options.scale":               number("pdf_scale"),
		"options.pageRanges":          text("pdf_pages"),
		"options.printBackground":     taken("`pdf_background`, false by default", flag("pdf_background").take),
		"options.preferCSSPageSize":   flag("pdf_css_page_size"),
		"options.outline":             flag("pdf_outline"),
		"options.displayHeaderFooter": kept("whether there are `pdf_header` and `pdf_footer`"),
		"options.headerTemplate":      kept("`pdf_header`, with displayHeaderFooter"),
		"options.footerTemplate":      kept("`pdf_footer`, with displayHeaderFooter"),
		"options.margin.top":          kept("`pdf_margin`, 0 by default; a number is in CSS pixels"),
		"options.margin.right":        kept("`pdf_margin`, 0 by default; a number is in CSS pixels"),
		"options.margin.bottom":       kept("`pdf_margin`, 0 by default; a number is in CSS pixels"),
		"options.margin.left":         kept("`pdf_margin`, 0 by default; a number is in CSS pixels"),
		"options.tagged":              ignored("every pdf is tagged as the browser does it"),
		"options.waitForFonts":        ignored("fonts are always awaited"),
		"options.timeout":             ignored("give gotoOptions.timeout"),
	}
}

// refusedUnlessTrue is the rule of a switch that is on and cannot be put off.
func refusedUnlessTrue(note string) rule {
	return taken("refused if false: "+note, func(o *order, given []string) {
		if off(given) {
			o.refuse("cannot be false: " + note)
		}
	})
}

// pixelLength becomes a length: a number is in CSS pixels.
func pixelLength(to string) rule {
	return taken(option(to, "a number is in CSS pixels"), func(o *order, given []string) { o.set(to, cssLength(last(given))) })
}

// cssLength is a length with its unit: a number is in CSS pixels.
func cssLength(given string) string {
	if strings.TrimLeft(given, "0123456789.") == "" {
		return given + "px"
	}
	return given
}

// chromeCookies reads cookies as puppeteer has them.
func chromeCookies(o *order, given []string) {
	for _, one := range given {
		var cookie savepage.Cookie
		if err := json.Unmarshal([]byte(one), &cookie); err != nil {
			o.refuse("must be a list of objects with name and value")
			return
		}
		o.add("cookies", cookie)
	}
}

// tags joins what is to be added to the page. What is to be loaded from elsewhere is refused.
func tags(to string) rule {
	return taken(option(to, "of content; url is refused"), func(o *order, given []string) {
		var all []string
		for _, one := range given {
			var tag struct{ Content, URL, Path string }
			if err := json.Unmarshal([]byte(one), &tag); err != nil || tag.Content == "" {
				o.refuse("must be a list of objects with content")
				return
			}
			all = append(all, tag.Content)
		}
		o.set(to, strings.Join(all, "\n"))
	})
}

// readChrome makes an order of the body of /screenshot, or of /pdf.
func readChrome(given map[string][]string, paper bool) *order {
	o := browserlessNames().read(given)
	o.byDefault("width", chromeWidth)
	o.byDefault("height", chromeHeight)
	chromeWait(o)
	if user := o.value("authenticate.username"); user != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + o.value("authenticate.password")))
		o.name = "authenticate"
		o.set("authorization", "Basic "+basic)
	}
	if paper {
		chromePaper(o)
		return o
	}
	o.byDefault("format", "png")
	o.byDefault("fullpage", o.truth("options.fullPage"))
	o.clip("options.clip.x", "options.clip.y", "options.clip.width", "options.clip.height")
	if format := savepage.Format(fmt.Sprint(o.options["format"])).Info(); o.truth("options.omitBackground") && format.Transparent {
		o.options["transparent"] = true
	}
	return o
}

func chromeWait(o *order) {
	selector := o.value("waitForSelector.selector")
	o.name = "waitForSelector.selector"
	switch {
	case selector == "":
	case o.truth("waitForSelector.hidden"):
		o.add("steps", map[string]string{"type": string(savepage.StepGone), "selector": selector})
	default:
		o.set("wait_for_selector", selector)
	}
}

func chromePaper(o *order) {
	o.options["format"] = savepage.FormatPDF
	o.byDefault("pdf_background", false)
	o.byDefault("pdf_outline", false)
	if _, sized := o.options["pdf_width"]; !sized {
		o.byDefault("pdf_paper", "letter")
	}
	if o.truth("options.fullPage") {
		o.name = "options.fullPage"
		o.set("pdf_single_page", true)
	}
	sides := [4]string{"options.margin.top", "options.margin.right", "options.margin.bottom", "options.margin.left"}
	for _, side := range sides {
		o.own[side] = []string{cssLength(o.valueOr(side, "0"))}
	}
	o.margins(sides, "0")
	if o.truth("options.displayHeaderFooter") {
		for theirs, ours := range map[string]string{"options.headerTemplate": "pdf_header", "options.footerTemplate": "pdf_footer"} {
			if o.name = theirs; o.value(theirs) != "" {
				o.set(ours, o.value(theirs))
			}
		}
	}
}
