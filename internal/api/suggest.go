package api

import "strings"

// foreign maps names that other services use, in the form that plainName gives them, to ours.
func foreign() map[string]string {
	spellings := map[string]string{
		"width":                "viewportwidth windowwidth browserwidth vw",
		"height":               "viewportheight windowheight browserheight vh",
		"scale":                "devicescalefactor devicepixelratio pixelratio dpr retina",
		"fullpage":             "full fullpagescreenshot capturefullpage",
		"callback_url":         "webhookurl webhook callback notifyurl hook",
		"transparent":          "omitbackground hidebackground",
		"block_ads":            "noads adblock blockads hideads",
		"block_trackers":       "notrackers blocktracking",
		"block_cookie_banners": "nocookie nocookies nocookiebanners hidecookiebanners blockcookies cookiebanner acceptcookies",
		"authorization":        "auth authorizationheader bearer",
		"block_urls":           "blockrequests blockurl blockpatterns blockedurls",
		"block_resources":      "blockresourcetypes blockresource rejectresourcetypes",
		"timezone":             "tz timezoneid timezonename",
		"locale":               "localeid culture",
		"geolocation":          "location latlon gps",
		"color_scheme":         "darkmode colourscheme theme preferscolorscheme",
		"reduced_motion":       "prefersreducedmotion reducemotion",
		"media":                "mediatype emulatemedia emulatemediatype",
		"hide":                 "hideselectors hideelements hideselector removeselectors",
		"click":                "clickselector clicks clickelement",
		"css":                  "styles style injectcss customcss stylesheet",
		"js":                   "script scripts javascript injectjs customjs",
		"device":               "devicename emulate emulatedevice viewportdevice preset",
		"time":                 "clock virtualtime timebudget virtualtimebudget",
		"animations":           "disableanimations animation motion freezeanimations",
		"clip":                 "cliprect crop region area rect",
		"pdf_paper":            "paperformat pdfpaperformat papersize pdfpapersize pdfformat pagesize",
		"pdf_landscape":        "landscape orientation pdforientation",
		"pdf_margin":           "margin margins pdfmargins",
		"pdf_background":       "printbackground pdfprintbackground",
		"pdf_pages":            "pageranges pdfpageranges pages",
		"selector":             "element cssselector targetselector",
		"wait_for_selector":    "waitfor waitselector",
		"delay":                "waitfortimeout sleep wait pause",
		"format":               "filetype type output imageformat outputformat imagetype",
		"quality":              "imagequality jpegquality",
		"thumb_width":          "thumbnailwidth imagewidth resizewidth resize",
		"url":                  "link page target uri site q",
		"html":                 "source content markup",
		"accept_language":      "language lang",
		"cookies":              "cookie",
		"headers":              "header extrahttpheaders customheaders",
		"async":                "respondasync asynchronous background",
	}
	ours := map[string]string{}
	for name, theirs := range spellings {
		for one := range strings.FieldsSeq(theirs) {
			ours[one] = name
		}
	}
	return ours
}

// plainName drops what spellings differ in: full_page, fullPage and full-page become fullpage.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
}

// nearest returns the known name that given most likely means, or "".
func nearest(given string, known []string) string {
	if len(given) > 64 {
		return ""
	}
	want := plainName(given)
	other := foreign()[want]
	best, least := "", 3
	for _, name := range known {
		if other == name || plainName(name) == want {
			return name
		}
		d := Distance(want, plainName(name))
		if d < least && d*2 <= len(want) {
			best, least = name, d
		}
	}
	return best
}

// notAnOption is what is said of an unknown name.
func notAnOption(given string, known []string) string {
	if name := nearest(given, known); name != "" {
		return `is not an option; did you mean "` + name + `"?`
	}
	return "is not an option"
}

// Distance is the Levenshtein distance of two names in bytes: how many letters are changed, added or left out.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
