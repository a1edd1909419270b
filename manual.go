package savepage

// OptionGroup is a part of the manual's list of options.
type OptionGroup struct {
	Title   string
	Options []OptionText
}

// OptionText is what the manual says of an option.
type OptionText struct {
	Name string // as on the wire
	Text string
}

// OptionGroups returns the texts of all options, grouped, in the order of Options.
func OptionGroups() []OptionGroup {
	return []OptionGroup{
		pageTexts(), viewportTexts(), partTexts(), fileTexts(), pdfTexts(), readyTexts(), cacheTexts(), motionTexts(), blockingTexts(),
		changeTexts(), requestTexts(), environmentTexts(), resultTexts(),
	}
}

// OptionDoc returns the manual's text of an option, with the formats that it needs; empty for an unknown option.
func OptionDoc(name string) string {
	for _, group := range OptionGroups() {
		for _, option := range group.Options {
			if option.Name != name {
				continue
			}
			if formats := OptionFormats(name); formats != nil {
				return option.Text + " Formats: " + listed(formats, ", ") + "."
			}
			return option.Text
		}
	}
	return ""
}

func pageTexts() OptionGroup {
	return OptionGroup{"The page", []OptionText{
		{"url", "URL of the page to capture. Required, unless html is given."},
		{"html", "HTML document to capture instead of a URL."},
		{"base_url", "Where the document of html stands: its relative addresses, its origin, cookies and headers are those of this address. " +
			"Nothing is fetched from the address itself. Without it the document has an origin of its own."},
		{"assets", "Files that the document of html refers to by relative addresses: a list of name and data (base64), at most 2 MiB together. " +
			"They are served from beside the document, in place of what is there."},
	}}
}

func viewportTexts() OptionGroup {
	return OptionGroup{"Viewport", []OptionText{
		{"width", "Viewport width in CSS pixels."},
		{"height", "Viewport height in CSS pixels."},
		{"scale", "Device scale factor: 2 doubles the number of pixels in each direction."},
		{"device", "Device preset (GET /v1/devices). It sets viewport, scale, touch, mobile layout and user agent; " +
			"explicit options override it."},
	}}
}

func partTexts() OptionGroup {
	return OptionGroup{"Part of the page", []OptionText{
		{"fullpage", "Capture the whole scrollable page."},
		{"max_height", "Cut a full page at this height in CSS pixels; report.truncated is then true. Without it the server's limit applies."},
		{"clip", "Capture this rectangle, in CSS pixels from the upper left corner of the page. What lies beyond the page is left out, and " +
			"report.truncated is then true."},
		{"selector", "CSS selector. Capture the first element that matches."},
	}}
}

func fileTexts() OptionGroup {
	return OptionGroup{"File", []OptionText{
		{"format", "File format. A pdf contains the whole page, as printed."},
		{"quality", "Encoding quality; a webp of quality 100 is lossless. Ignored by png."},
		{"png_effort", "How much time is spent for a smaller png of the same pixels. fast: the browser's quick encoder. normal: smaller than " +
			"the browser's usual encoder makes it. best: as small as can be had, in several times the time."},
		{"transparent", "Do not put white behind a page without a background."},
		{"background", "Colour behind a page without a background, in hexadecimal as in CSS, with or without the #; white by default."},
		{"thumb_width", "Scale the picture to this width in pixels. Without thumb_height the proportions stay."},
		{"thumb_height", "Scale the picture to this height in pixels. Without thumb_width the proportions stay."},
		{"thumb_fit", "How the picture is fitted into thumb_width and thumb_height; cover by default. cover: fill the size; what is too much " +
			"is cut off at the bottom, or equally at the sides. contain: the whole picture, with bars in the colour of background. inside: " +
			"the whole picture, as large as it fits. fill: stretch the picture."},
	}}
}

func pdfTexts() OptionGroup {
	return OptionGroup{"PDF", []OptionText{
		{"pdf_paper", "Paper size; a4 by default."},
		{"pdf_width", "Width of the paper, in mm, cm, in, px or pt, instead of pdf_paper."},
		{"pdf_height", "Height of the paper, in mm, cm, in, px or pt, instead of pdf_paper."},
		{"pdf_landscape", "Print in landscape."},
		{"pdf_css_page_size", "Use the paper that the page's own style names (@page), where it names one."},
		{"pdf_margin", "Page margins: one, two or four lengths as in CSS, in mm, cm, in, px or pt; 10mm by default."},
		{"pdf_background", "Print backgrounds."},
		{"pdf_pages", "Pages to print."},
		{"pdf_single_page", "Print everything on one long page: as wide as the viewport and the margins, or as pdf_paper or pdf_width. " +
			"What is longer than 200 inches goes on further pages."},
		{"pdf_scale", "Scale of the printed page; 1 by default."},
		{"pdf_header", "HTML in the upper margin of every page. Elements of the classes pageNumber, totalPages, title, url and date are " +
			"filled in. The page's styles do not apply, and nothing is loaded but data: URLs."},
		{"pdf_footer", "HTML in the lower margin of every page, as pdf_header."},
		{"pdf_page_numbers", "Print the number of each page and of all pages in the lower margin. Not together with pdf_footer."},
		{"pdf_outline", "Give the pdf an outline, made of the page's headings."},
	}}
}

func readyTexts() OptionGroup {
	return OptionGroup{"When to capture", []OptionText{
		{"wait_until", "When the page counts as ready. settled: loaded, fonts and visible images included, and quiet for a moment. " +
			"networkidle: no request for 500 ms."},
		{"wait_for_selector", "CSS selector. Wait until an element that matches is visible."},
		{"wait_for_text", "Wait until the page shows this text, wherever on it. Case and spaces make no difference."},
		{"delay", "Additional wait in milliseconds. Of a full page and a pdf, the whole page is loaded before it, so that it holds for all " +
			"of it."},
		{"scroll_delay", "Scroll through a full page or a pdf in steps of most of a window, and wait so many milliseconds after each, for " +
			"pages that need it to load or show their parts."},
		{"timeout", "Limit of the whole render in milliseconds."},
		{"on_timeout", "At the timeout, fail, or capture the page as it is; report.partial is then true, and report.reasons names what was " +
			"awaited. A page that has not answered at all fails in both cases."},
		{"fail_on", "Fail when the page's HTTP status is 4xx or 5xx, when the picture has one colour only (blank), when a request of the " +
			"page fails (request_failed), or when something stands in the place of the page (wall, or one kind of it: captcha, challenge, " +
			"login, consent, error_page; report.wall names it)."},
		{"require_text", "Fail when the page does not show one of these texts. Case and spaces make no difference. One text alone can be a " +
			"string."},
		{"fail_on_text", "Fail when the page shows one of these texts. Case and spaces make no difference. One text alone can be a string."},
	}}
}

func cacheTexts() OptionGroup {
	return OptionGroup{"Cache", []OptionText{
		{"cache_ttl", "Maximum age in seconds of an existing picture of the same options that may be returned instead of a new one. Equal " +
			"captures at the same time are rendered once. 0 always renders."},
	}}
}

func motionTexts() OptionGroup {
	return OptionGroup{"Motion and time", []OptionText{
		{"animations", "freeze: animations that end are shown at their end, endless ones at the same moment in every picture, and the text " +
			"cursor is hidden. allow: capture the page as it moves."},
		{"time", "virtual: delay, steps and what is waited for pass on a clock of the page, as fast as the page can compute. A delay of 5000 " +
			"then takes as long as the page computes and loads, and at most 5 s."},
	}}
}

func blockingTexts() OptionGroup {
	return OptionGroup{"Blocking", []OptionText{
		{"block_ads", "Load no advertisements and hide their places (EasyList)."},
		{"block_trackers", "Load no trackers (EasyPrivacy)."},
		{"block_cookie_banners", "Reject cookies in the page's cookie banner, or hide the banner; never accept. " +
			"report.cookie_banner names the outcome."},
		{"block_chats", "Load no chat widgets and hide their buttons."},
		{"block_urls", "Load nothing from URLs that match one of these patterns. A pattern covers the whole URL; * stands for any " +
			"characters, ? for one."},
		{"block_resources", "Load no resources of these kinds. The page itself is always loaded."},
	}}
}

func changeTexts() OptionGroup {
	return OptionGroup{"Changing the page", []OptionText{
		{"hide", "CSS selectors. Hide every element that matches, including those added later."},
		{"click", "CSS selectors. Click the first visible element of each, in this order, and let the page settle after each click."},
		{"steps", "What to do on the page before the picture, in this order, after click: click, fill, press, hover, scroll, " +
			"wait_for_selector, wait_until_gone, wait_for_text, delay. A step waits until its element can be used; one that cannot be done " +
			"fails the capture, and the error names it."},
		{"css", "Style sheet to add. The page's content security policy does not apply to it."},
		{"js", "Script to run when the page has loaded, with the rights of the page. It may use await, a promise that it returns is awaited, " +
			"and the page settles again afterwards."},
	}}
}

func requestTexts() OptionGroup {
	return OptionGroup{"Requests of the page", []OptionText{
		{"headers", "Request headers, sent to the page's own origin only."},
		{"authorization", "Authorization header, sent to the page's own origin only."},
		{"cookies", "Cookies: a list of name, value, domain and path, or the text of a Cookie header. A cookie without a domain is sent to " +
			"the page's own origin only."},
		{"user_agent", "User-Agent of all requests and of the page's scripts."},
		{"accept_language", "Accept-Language of all requests and the languages of the page's scripts."},
	}}
}

func environmentTexts() OptionGroup {
	return OptionGroup{"Environment", []OptionText{
		{"timezone", "Time zone, as an IANA name."},
		{"locale", "Locale, as a BCP 47 tag. It decides how numbers and dates are formatted, and Accept-Language unless that is given."},
		{"geolocation", "Position that the geolocation API returns. Only the page's own origin may read it."},
		{"color_scheme", "Value of the media feature prefers-color-scheme."},
		{"reduced_motion", "Set the media feature prefers-reduced-motion to reduce."},
		{"media", "Medium whose styles apply: print for a pdf, else screen, by default."},
	}}
}

func resultTexts() OptionGroup {
	return OptionGroup{"Result", []OptionText{
		{"store", "Put the picture into a bucket of the account's own as well: name of a store (PUT /v1/stores/{name}), key of the object, " +
			"{id}.{format} by default, and overwrite. As text: name/key. The capture ends when the bucket has the picture, and its result " +
			"has stored. A bucket that does not take it is tried again; then the capture fails with store_failed."},
		{"callback_url", "Answer 202 at once, and POST the result to this URL when the capture has ended."},
		{"callback_format", "What the callback looks like; event by default. event: JSON that describes the capture. file: the picture " +
			"itself, with its Content-Type; a failure is an event. gotenberg, screenshotone, screenshotone_json, urlbox: what receivers of " +
			"these services expect, with their signature where they have one."},
		{"callback_method", "HTTP method of the callback; POST by default."},
		{"callback_on", "Ends of the capture that are told; both by default."},
		{"callback_error_url", "Where the callback of a failure goes, instead of callback_url."},
		{"callback_filename", "Name of the file in the Content-Disposition of a callback that has the picture as its body, without the " +
			"extension; the id of the capture by default."},
		{"callback_headers", "Up to 10 headers of the callback, such as Authorization. No answer contains them."},
		{"callback_secret", "Secret that signs the callback of this capture instead of the account's secret: whsec_ and base64 of 24 to 64 " +
			"bytes. No answer contains it."},
		{"async", "Answer 202 at once, without a callback."},
		{"metadata", "A string or a flat object, at most 1 KiB, that every answer and callback returns unchanged."},
	}}
}
