package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage/internal/near"
)

// foreign maps names that other services use, in the form that near.Plain gives them, to ours.
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
		"wait_for_text":        "waittext",
		"scroll_delay":         "fullpagescrolldelay scrollpause scrollwait",
		"steps":                "actions instructions interactions scenario workflow",
		"require_text":         "failifcontentmissing mustcontain requiretexts",
		"fail_on_text":         "failifcontentcontains mustnotcontain failontexts",
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

// unknownName is the message for an unknown name; kind is "option", "parameter" or "field".
func unknownName(kind, given string, known []string) string {
	if ours := foreign()[near.Plain(given)]; slices.Contains(known, ours) {
		return "unknown " + kind + "; did you mean " + strconv.Quote(ours) + "?"
	}
	return "unknown " + kind + near.Hint(given, known)
}
