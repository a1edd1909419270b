package doors

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// What Urlbox does where a client says nothing.
const (
	urlboxWidth  = 1280
	urlboxHeight = 1024
	urlboxKept   = 2_592_000 // seconds that a picture is kept: 30 days
)

// urlboxFormats are the formats that a link of Urlbox can end in.
func urlboxFormats() []string {
	return []string{
		"png", "jpg", "jpeg", "webp", "avif", "pdf", "svg", "html", "mhtml", "md", "markdown", "mp4", "webm", "json",
	}
}

// urlboxNames are Urlbox's options: https://urlbox.com/docs/options.
func urlboxNames() names {
	all := names{}
	for _, some := range []names{
		urlboxPage(), urlboxTarget(), urlboxRequests(), urlboxBlocking(), urlboxPaper(), urlboxResult(), urlboxStore(), urlboxNothing(),
	} {
		maps.Copy(all, some)
	}
	return all
}

func urlboxPage() names {
	return names{
		"url":           taken("`url`; http:// is added where there is no scheme", urlboxURL),
		"html":          text("html"),
		"width":         sized("width", urlboxWidth),
		"height":        sized("height", urlboxHeight),
		"retina":        when("scale", 2),
		"dpr":           number("scale"),
		"css":           text("css"),
		"js":            text("js"),
		"hide_selector": taken(option("hide", "split at commas"), func(o *order, given []string) { o.add("hide", split(given)...) }),
		"click":         list("click"),
		"hover":         step(savepage.StepHover),
		"scroll_to":     taken("`steps`: scroll", scrollTo),
		"press_escape": taken("`steps`: press Escape", func(o *order, given []string) {
			if !off(given) {
				o.add("steps", map[string]string{"type": string(savepage.StepPress), "key": "Escape"})
			}
		}),
		"dark_mode":          when("color_scheme", "dark"),
		"reduced_motion":     flag("reduced_motion"),
		"media":              lower("media"),
		"disable_animations": ignored("animations are always frozen"),
		"tz":                 text("timezone"),
		"latitude":           kept("`geolocation`"),
		"longitude":          kept("`geolocation`"),
		"accuracy":           kept("`geolocation`"),
		"wait_until": word("wait_until", map[string]string{
			"domloaded": "domcontentloaded", "loaded": "load", "requestsfinished": "networkidle", "mostrequestsfinished": "networkidle",
		}),
		"wait_for":      text("wait_for_selector"),
		"wait_to_leave": step(savepage.StepGone),
		"delay":         whole("delay"),
		"timeout":       taken("`timeout`", whole("timeout").take),
	}
}

func urlboxTarget() names {
	return names{
		"full_page":   flag("fullpage"),
		"max_height":  whole("max_height"),
		"selector":    text("selector"),
		"clip":        text("clip"),
		"quality":     whole("quality"),
		"thumb_width": whole("thumb_width"), "thumb_height": whole("thumb_height"),
		"img_fit": word("thumb_fit", map[string]string{
			"cover": "cover", "contain": "contain", "fill": "fill", "inside": "inside",
		}),
		"transparent":  kept("`transparent`; without effect with jpg"),
		"bg_color":     taken("`background`", background),
		"scroll_delay": whole("scroll_delay"),
	}
}

func urlboxRequests() names {
	return names{
		"header":        header("=:"),
		"cookie":        setCookies(),
		"authorization": text("authorization"),
		"accept_lang":   text("accept_language"),
		"referer":       referer(),
		"referrer":      referer(),
		"user_agent":    taken("`user_agent`; mobile is an iPhone, desktop and random have no effect", userAgent),
		"proxy":         refused("pages are fetched directly"),
		"disable_js":    refused("the scripts of a page cannot be switched off"),
		"base_url":      text("base_url"),
	}
}

func urlboxBlocking() names {
	return names{
		"block_ads":           flag("block_ads"),
		"hide_cookie_banners": when("block_cookie_banners", true),
		"click_accept":        banner(), "accept_cookies": banner(),
		"kill_popups": taken("`block_cookie_banners` and `block_chats`", func(o *order, given []string) {
			if !off(given) {
				o.set("block_cookie_banners", true)
				o.set("block_chats", true)
			}
		}),
		"block_urls":      patterns(),
		"block_images":    member("block_resources", "image"),
		"block_fonts":     member("block_resources", "font"),
		"block_medias":    member("block_resources", "media"),
		"block_styles":    member("block_resources", "stylesheet"),
		"block_scripts":   member("block_resources", "script"),
		"block_frames":    member("block_resources", "frame"),
		"block_fetch":     member("block_resources", "fetch"),
		"block_xhr":       member("block_resources", "xhr"),
		"block_sockets":   member("block_resources", "websocket"),
		"block_pings":     member("block_resources", "ping"),
		"block_other":     member("block_resources", "other"),
		"block_manifests": ignored("a manifest changes no picture"),
		"fail_on_4xx":     member("fail_on", "4xx"),
		"fail_on_5xx":     member("fail_on", "5xx"),
		"fail_if_captcha": member("fail_on", "captcha"),
	}
}

func urlboxPaper() names {
	return names{
		"pdf_page_size":     lower("pdf_paper"),
		"pdf_page_width":    pixels("pdf_width"),
		"pdf_page_height":   pixels("pdf_height"),
		"pdf_orientation":   taken("`pdf_landscape`", orientation),
		"pdf_background":    flag("pdf_background"),
		"pdf_scale":         number("pdf_scale"),
		"pdf_page_range":    text("pdf_pages"),
		"pdf_header":        text("pdf_header"),
		"pdf_footer":        text("pdf_footer"),
		"pdf_margin":        taken("`pdf_margin`: none is 0, minimum 4mm, default 10mm", paperMargin),
		"pdf_margin_top":    kept("`pdf_margin`, CSS pixels"),
		"pdf_margin_right":  kept("`pdf_margin`, CSS pixels"),
		"pdf_margin_bottom": kept("`pdf_margin`, CSS pixels"),
		"pdf_margin_left":   kept("`pdf_margin`, CSS pixels"),
		"pdf_fit_to_page":   refused("give pdf_scale"),
		"pdf_auto_crop":     refused("the paper is not cut"),
	}
}

func urlboxResult() names {
	return names{
		"format":        lower("format"),
		"ttl":           kept("`cache_ttl`, 2592000 by default"),
		"force":         kept("`cache_ttl`: 0"),
		"webhook_url":   text("callback_url"),
		"response_type": ignored("a link answers with the picture, POST with JSON"),
		"unique":        always(),
		"download":      kept("the name in Content-Disposition"),
		"custom_id":     taken("`metadata`", func(o *order, given []string) { o.set("metadata", last(given)) }),
	}
}

// urlboxStore are names of the client's own bucket.
func urlboxStore() names {
	return names{
		"use_s3":          kept("`store`: the store that s3_bucket names, else the one that is called default; renderUrl is the address there"),
		"s3_bucket":       kept("the name of the store"),
		"s3_path":         kept("`store.key`, with the ending of the format; an object that is there is replaced"),
		"s3_endpoint":     refused(setUpStore),
		"s3_region":       ignored("that of the store"),
		"s3_storageclass": ignored("the bucket decides"),
		"cdn_host":        ignored("public_url of the store"),
	}
}

// urlboxNothing are names without a counterpart. Those that are not here are ignored, too.
func urlboxNothing() names {
	all := names{
		"highlight":                refused("text cannot be marked"),
		"crop_width":               refused("give clip"),
		"max_width":                refused("give width or clip"),
		"wait_for_x":               refused("give a CSS selector in wait_for"),
		"wait_to_leave_x":          refused("give a CSS selector in wait_to_leave"),
		"click_x":                  refused("give a CSS selector in click"),
		"click_all":                refused("one element is clicked"),
		"click_all_x":              refused("one element is clicked"),
		"hover_x":                  refused("give a CSS selector in hover"),
		"hide_selector_x":          refused("give a CSS selector in hide_selector"),
		"scroll_to_x":              refused("give a CSS selector in scroll_to"),
		"watermark":                refused("nothing is drawn over the picture"),
		"use_tailwind":             refused("put the style sheet into html"),
		"img_pad":                  refused("there is no padding"),
		"fail_if_selector_present": refused("give fail_on_text of POST /v1/capture"),
		"fail_if_selector_missing": ignored("a missing element is always an error"),
		"width_from":               refused("give width"),
		"height_from":              refused("give height or full_page"),
		"wait_timeout":             ignored("timeout is for the whole capture"),
		"full_width":               ignored("the page has the width of the viewport"),
	}
	for _, name := range []string{
		"full_page_mode", "detect_full_height", "fix_full_height", "freeze_fixed", "skip_scroll", "scroll_increment", "sharp_stitch",
		"max_section_height", "max_sections", "max_scroll_page_time", "allow_infinite",
	} {
		all[name] = ignored("a full page is taken in one way")
	}
	return all
}

// banner is the rule of names that have a cookie banner accepted.
func banner() rule {
	one := when("block_cookie_banners", true)
	one.note = "`block_cookie_banners`: the banner is rejected, never accepted"
	return one
}

func referer() rule {
	return taken("`headers`: Referer", func(o *order, given []string) { header(":").take(o, []string{"Referer: " + last(given)}) })
}

// pixels becomes a length in CSS pixels.
func pixels(to string) rule {
	return taken(option(to, "CSS pixels"), func(o *order, given []string) {
		if n, ok := o.number(given); ok {
			o.set(to, strconv.FormatFloat(n, 'f', -1, 64)+"px")
		}
	})
}

func split(given []string) []any {
	var all []any
	for _, one := range given {
		for part := range strings.SplitSeq(one, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// scrollTo reads pixels from the top, or a selector.
func scrollTo(o *order, given []string) {
	if y, err := strconv.ParseFloat(last(given), 64); err == nil {
		o.add("steps", map[string]any{"type": savepage.StepScroll, "y": int(y)})
		return
	}
	o.add("steps", map[string]any{"type": savepage.StepScroll, "selector": last(given)})
}

var hexColour = regexp.MustCompile(`^(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

func background(o *order, given []string) {
	colour := last(given)
	if hexColour.MatchString(colour) {
		colour = "#" + colour
	}
	o.set("background", colour)
}

func userAgent(o *order, given []string) {
	switch agent := last(given); agent {
	case "desktop", "random":
		o.ignore()
	case "mobile":
		phone, _ := savepage.FindDevice("iPhone 15")
		o.set("user_agent", phone.UserAgent)
	default:
		o.set("user_agent", agent)
	}
}

func paperMargin(o *order, given []string) {
	sizes := map[string]string{"none": "0", "minimum": "4mm", "default": savepage.DefaultMargin}
	size, known := sizes[last(given)]
	if !known {
		o.refuse("must be one of " + strings.Join(sortedKeys(sizes), ", "))
		return
	}
	o.set("pdf_margin", size)
}

func urlboxURL(o *order, given []string) { o.set("url", withScheme(last(given))) }

func orientation(o *order, given []string) {
	o.set("pdf_landscape", strings.EqualFold(last(given), "landscape"))
}

// withScheme completes a bare host, as Urlbox does.
func withScheme(target string) string {
	if before, _, found := strings.Cut(target, "://"); found && !strings.ContainsAny(before, "/?#.") {
		return target
	}
	return "http://" + strings.TrimPrefix(target, "//")
}

// readUrlbox makes an order of what Urlbox's clients give.
func readUrlbox(given map[string][]string) *order {
	o := urlboxNames().read(given)
	o.byDefault("format", "png")
	o.byDefault("width", urlboxWidth)
	o.byDefault("height", urlboxHeight)
	o.place("latitude", "longitude", "accuracy")
	sides := [4]string{"pdf_margin_top", "pdf_margin_right", "pdf_margin_bottom", "pdf_margin_left"}
	for _, side := range sides {
		if o.value(side) != "" {
			o.own[side] = []string{o.value(side) + "px"}
		}
	}
	o.margins(sides, "0")
	if format := savepage.Format(fmt.Sprint(o.options["format"])).Info(); o.truth("transparent") && format.Transparent {
		o.name = "transparent"
		o.set("transparent", true)
	}
	if o.options["callback_url"] != nil {
		o.options["callback_format"] = savepage.CallbackUrlbox
	}
	o.intoStore("use_s3", "s3_bucket", "s3_path")
	if !o.truth("force") && o.value("unique") == "" {
		urlboxCache(o)
	}
	return o
}

func urlboxCache(o *order) {
	o.name = "ttl"
	ttl := float64(urlboxKept)
	if given := o.value("ttl"); given != "" {
		n, ok := o.number([]string{given})
		if !ok {
			return
		}
		ttl = min(n, urlboxKept)
	}
	o.set("cache_ttl", ttl)
}

// isUrlboxFormat reports whether a link of Urlbox can end in a word.
func isUrlboxFormat(word string) bool { return slices.Contains(urlboxFormats(), strings.ToLower(word)) }
