package doors

import (
	"fmt"
	"maps"
	"strings"

	"github.com/savepage/savepage"
)

// What ScreenshotOne does where a client says nothing.
const (
	takeWidth   = 1280
	takeHeight  = 1024
	takeTimeout = 60_000 // milliseconds
	takeKept    = 14_400 // seconds that a picture is kept with cache
)

// takeNames are the options of ScreenshotOne's /take: https://screenshotone.com/docs/options/.
func takeNames() names {
	all := names{}
	for _, some := range []names{takePage(), takeTarget(), takeRequests(), takeWaiting(), takeResult(), takeStore(), takeNothing()} {
		maps.Copy(all, some)
	}
	return all
}

func takePage() names {
	return names{
		"url":                 text("url"),
		"html":                text("html"),
		"markdown":            refused("there is no renderer of Markdown; send html"),
		"viewport_width":      sized("width", takeWidth),
		"viewport_height":     sized("height", takeHeight),
		"device_scale_factor": number("scale"),
		"viewport_device":     text("device"),
		"viewport_landscape":  kept("`device`, with \" landscape\""),
		"viewport_mobile":     kept("only with viewport_device, which includes it"),
		"viewport_has_touch":  kept("only with viewport_device, which includes it"),
		"styles":              text("css"),
		"scripts":             text("js"),
		"scripts_wait_until":  ignored("the page always settles after a script"),
		"hide_selectors":      list("hide"),
		"click":               list("click"),
		"hover":               step(savepage.StepHover),
		"scroll_into_view":    step(savepage.StepScroll),
		"dark_mode": taken(option("color_scheme", "dark or light"), func(o *order, given []string) {
			yes, known := truth(last(given))
			if !known {
				o.refuse("must be true or false")
				return
			}
			o.set("color_scheme", map[bool]string{true: "dark", false: "light"}[yes])
		}),
		"reduced_motion":                    flag("reduced_motion"),
		"media_type":                        lower("media"),
		"time_zone":                         text("timezone"),
		"geolocation_latitude":              kept("`geolocation`"),
		"geolocation_longitude":             kept("`geolocation`"),
		"geolocation_accuracy":              kept("`geolocation`"),
		"bypass_csp":                        ignored("styles and scripts pass any policy"),
		"error_on_click_selector_not_found": ignored("a missing element is an error"),
		"error_on_hover_selector_not_found": ignored("a missing element is an error"),
		"scroll_into_view_adjust_top":       refused("there is no offset"),
	}
}

func takeTarget() names {
	return names{
		"full_page":                      flag("fullpage"),
		"full_page_max_height":           whole("max_height"),
		"full_page_scroll_delay":         taken(option("scroll_delay", "the same unit"), whole("scroll_delay").take),
		"full_page_scroll":               ignored("a full page is always loaded as a reader would by scrolling"),
		"full_page_scroll_by":            ignored("a full page is always loaded as a reader would by scrolling"),
		"full_page_algorithm":            ignored("there is one"),
		"full_page_slices":               refused("there is one picture of a page"),
		"full_page_slice_height":         ignored("of full_page_slices"),
		"full_page_slice_overlap_height": ignored("of full_page_slices"),
		"capture_beyond_viewport":        ignored("a full page and an element are taken beyond the viewport"),
		"selector":                       text("selector"),
		"selector_algorithm":             ignored("there is one"),
		"selector_scroll_into_view":      ignored("an element is taken wherever it is"),
		"error_on_selector_not_found":    ignored("a missing element is an error"),
		"clip_x":                         kept("`clip`"),
		"clip_y":                         kept("`clip`"),
		"clip_width":                     kept("`clip`"),
		"clip_height":                    kept("`clip`"),
		"format":                         taken("`format`, jpg by default", lower("format").take),
		"image_quality":                  whole("quality"),
		"image_width":                    whole("thumb_width"),
		"image_height":                   whole("thumb_height"),
		"omit_background":                kept("`transparent`; without effect with jpeg"),
		"pdf_print_background":           flag("pdf_background"),
		"pdf_fit_one_page":               flag("pdf_single_page"),
		"pdf_landscape":                  flag("pdf_landscape"),
		"pdf_paper_format":               lower("pdf_paper"),
		"pdf_margin":                     text("pdf_margin"),
		"pdf_margin_top":                 kept("`pdf_margin`"),
		"pdf_margin_right":               kept("`pdf_margin`"),
		"pdf_margin_bottom":              kept("`pdf_margin`"),
		"pdf_margin_left":                kept("`pdf_margin`"),
	}
}

func takeRequests() names {
	return names{
		"headers":                     header(":"),
		"cookies":                     setCookies(),
		"authorization":               text("authorization"),
		"user_agent":                  text("user_agent"),
		"block_ads":                   flag("block_ads"),
		"block_trackers":              flag("block_trackers"),
		"block_chats":                 flag("block_chats"),
		"block_cookie_banners":        when("block_cookie_banners", true),
		"block_banners_by_heuristics": when("block_cookie_banners", true),
		"block_socials":               ignored("there is no list of social widgets"),
		"block_requests":              patterns(),
		"block_resources":             resources(map[string]string{"document": "frame", "texttrack": "other", "manifest": "other"}),
		"proxy":                       refused("pages are fetched directly"),
		"proxy_bypass_hosts":          ignored("of proxy"),
		"ip_country_code":             refused("pages are fetched from where the server is"),
		"servers_region":              ignored("there is one region"),
	}
}

func takeWaiting() names {
	moments := map[string]string{
		"load": "load", "domcontentloaded": "domcontentloaded", "networkidle0": "networkidle", "networkidle2": "networkidle",
	}
	return names{
		"wait_until":                  strongest(moments),
		"wait_for_selector":           list1("wait_for_selector"),
		"wait_for_selector_algorithm": ignored("an element is awaited until it is visible"),
		"delay":                       seconds("delay", ""),
		"timeout":                     seconds("timeout", "60 s by default"),
		"navigation_timeout":          ignored("timeout is for the whole capture"),
		"ignore_host_errors":          kept("without it `fail_on` is 4xx and 5xx"),
		"fail_if_content_contains":    list("fail_on_text"),
		"fail_if_content_missing":     list("require_text"),
		"fail_if_request_failed":      refused("there are no patterns of requests that must not fail"),
		"request_gpu_rendering":       ignored("pages are drawn without a GPU"),
		"fail_if_gpu_rendering_fails": ignored("pages are drawn without a GPU"),
	}
}

func takeResult() names {
	return names{
		"access_key":                         kept("the key"),
		"async":                              kept("`async`: the answer is empty, at once"),
		"webhook_url":                        text("callback_url"),
		"webhook_errors":                     kept("without it `callback_on` is success"),
		"external_identifier":                kept("X-ScreenshotOne-External-Identifier of the callback"),
		"signature":                          kept("checked: see above"),
		"cache":                              kept("`cache_ttl`: that of cache_ttl, 14400 by default"),
		"cache_ttl":                          kept("`cache_ttl`, with cache"),
		"cache_key":                          always(),
		"response_type":                      kept("by_format, json or empty"),
		"attachment_name":                    kept("the name in Content-Disposition"),
		"metadata_image_size":                kept("X-ScreenshotOne-Image-Width and -Height, metadata.image_size"),
		"metadata_page_title":                kept("X-ScreenshotOne-Page-Title, metadata.page_title"),
		"metadata_http_response_status_code": kept("X-ScreenshotOne-Http-Response-Status-Code, metadata.http_response"),
	}
}

// takeStore are names of the client's own bucket.
func takeStore() names {
	all := names{
		"store":                   kept("`store`: the store that storage_bucket names, else the one that is called default"),
		"storage_bucket":          kept("the name of the store"),
		"storage_path":            kept("`store.key`, with the ending of the format; an object that is there is replaced"),
		"storage_return_location": kept("X-ScreenshotOne-Store-Location, store.location"),
		"storage_acl":             ignored("the bucket decides"),
		"storage_class":           ignored("the bucket decides"),
	}
	for _, name := range []string{"access_key_id", "secret_access_key", "endpoint"} {
		all["storage_"+name] = refused(setUpStore)
	}
	return all
}

// takeNothing are names without a counterpart.
func takeNothing() names {
	all := names{
		"vision_prompt":      refused("there is no model that looks at pictures"),
		"webhook_sign":       ignored("every callback is signed"),
		"openai_api_key":     ignored("of vision_prompt"),
		"vision_max_tokens":  ignored("of vision_prompt"),
		"include_shadow_dom": ignored("of metadata_content"),
		"metadata_content":   ignored("the answer is the picture"),
	}
	for _, name := range []string{"fonts", "icon", "open_graph", "content_format", "http_response_headers"} {
		all["metadata_"+name] = ignored("the report of the capture says other things")
	}
	return all
}

// always is the rule of a name that tells pictures apart which the cache would take for one: none is kept.
func always() rule {
	return taken("with it the picture is always a new one", func(o *order, given []string) {
		o.keep(given)
		o.ignore()
	})
}

// sized is a whole number with a default of the peer.
func sized(to string, usual int) rule {
	one := whole(to)
	one.note = fmt.Sprintf("`%s`, %d by default", to, usual)
	return one
}

// list1 becomes a text of which only one can be given.
func list1(to string) rule {
	return taken(option(to, "one"), func(o *order, given []string) {
		if len(given) > 1 {
			o.refuse("can be given once")
			return
		}
		o.set(to, given[0])
	})
}

// step becomes a step on the page.
func step(of savepage.StepType) rule {
	return taken("`steps`: "+string(of), func(o *order, given []string) {
		for _, selector := range given {
			o.add("steps", map[string]string{"type": string(of), "selector": selector})
		}
	})
}

// resources becomes block_resources, some kinds under another name.
func resources(renamed map[string]string) rule {
	return taken("`block_resources`", func(o *order, given []string) {
		for _, one := range given {
			kind := strings.ToLower(one)
			if ours, is := renamed[kind]; is {
				kind = ours
			}
			o.add("block_resources", kind)
		}
	})
}

// readTake makes an order of what ScreenshotOne's clients give.
func readTake(given map[string][]string, longest int) *order {
	o := takeNames().read(given)
	o.byDefault("format", string(savepage.FormatJPG))
	if _, device := o.options["device"]; !device {
		o.byDefault("width", takeWidth)
		o.byDefault("height", takeHeight)
	}
	timeout := takeTimeout
	if longest > 0 {
		timeout = min(timeout, longest)
	}
	o.byDefault("timeout", timeout)
	if !o.truth("ignore_host_errors") {
		o.options["fail_on"] = []string{"4xx", "5xx"}
	}
	takeDevice(o)
	o.clip("clip_x", "clip_y", "clip_width", "clip_height")
	o.place("geolocation_latitude", "geolocation_longitude", "geolocation_accuracy")
	o.margins([4]string{"pdf_margin_top", "pdf_margin_right", "pdf_margin_bottom", "pdf_margin_left"}, "0")
	if format := savepage.Format(fmt.Sprint(o.options["format"])).Info(); o.truth("omit_background") && format.Transparent {
		o.name = "omit_background"
		o.set("transparent", true)
	}
	o.intoStore("store", "storage_bucket", "storage_path")
	takeCache(o)
	takeCallback(o)
	return o
}

// takeDevice joins what concerns the device: a touch screen is to be had only with one.
func takeDevice(o *order) {
	device, given := o.options["device"].(string)
	for _, name := range []string{"viewport_mobile", "viewport_has_touch"} {
		if o.name = name; o.truth(name) && !given {
			o.refuse("needs viewport_device")
		}
	}
	if o.name = "viewport_landscape"; o.truth("viewport_landscape") && given {
		o.set("device", device+" landscape")
	}
}

// takeCallback has the callback be what the answer would be: the picture, or JSON.
func takeCallback(o *order) {
	if o.truth("async") {
		o.options["async"] = true
	}
	if o.options["callback_url"] == nil {
		return
	}
	o.options["callback_format"] = savepage.CallbackScreenshotOne
	if o.value("response_type") == "json" {
		o.options["callback_format"] = savepage.CallbackScreenshotOneJSON
	}
	if !o.truth("webhook_errors") {
		o.options["callback_on"] = []string{string(savepage.Success)}
	}
	if identifier := o.value("external_identifier"); identifier != "" {
		o.name = "external_identifier"
		o.set("callback_headers", map[string]string{"X-ScreenshotOne-External-Identifier": identifier})
	}
}

func takeCache(o *order) {
	if !o.truth("cache") || o.value("cache_key") != "" {
		return
	}
	o.name = "cache_ttl"
	ttl := float64(takeKept)
	if given := o.value("cache_ttl"); given != "" {
		n, ok := o.number([]string{given})
		if !ok {
			return
		}
		ttl = n
	}
	o.set("cache_ttl", ttl)
}
