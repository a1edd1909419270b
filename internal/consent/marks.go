package consent

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// coded are the tools that autoconsent knows by code of its own, with selectors of which one matches where it acts on the
// tool. What a tool is known by besides is in Globals and framed.
func coded() map[string][]string {
	return map[string][]string{
		"TrustArcTop": {"#truste-show-consent", "#truste-consent-track"},
		"Cookiebot": {"#CybotCookiebotDialog", "#CybotCookiebotDialogBodyUnderlay", "#dtcookie-container", "#cookiebanner", "#Cookiebot",
			"script[src*='cookiebot.']"},
		"SourcePoint":    nil,
		"ConsentManager": {"#cmpbox", "#cmpbox2", "#cmpwrapper", "script[src*='consentmanager.']"},
		"Evidon":         {"#_evidon_banner"},
		"Onetrust":       {"#onetrust-banner-sdk", "#onetrust-pc-sdk"},
		"Klaro":          {".klaro"},
		"Uniconsent":     {".unic"},
		"Conversant":     {".cmp-root"},
		"Tiktok":         {"tiktok-cookie-banner"},
		"Tumblr":         {"#cmp-app-container"},
		"Admiral":        {"button[class*=Pills__StyledPill]"}, // its other banner lies over the page and says Privacy
	}
}

// framed matches the addresses of Sourcepoint's frames.
func framed() *regexp.Regexp {
	return regexp.MustCompile(`^https?://[^/?#]*\.sp-prod\.net[:/?#]|^[^?#]*/index\.html\?([^#]*&)?(message_id|requestUUID|consentUUID)=`)
}

// marksOf are selectors, or expressions behind "xpath/": when a page has none of them, no rule can find its tool or an open
// banner. A rule without a mark is an error: its banners would not be seen.
func marksOf(texts, rules []json.RawMessage) ([]string, error) {
	var all []string
	for _, rule := range rules {
		var fields []json.RawMessage
		var detect, popup []step
		if json.Unmarshal(rule, &fields) != nil || len(fields) < 8 || json.Unmarshal(fields[6], &detect) != nil ||
			json.Unmarshal(fields[7], &popup) != nil {
			return nil, fmt.Errorf("a rule of autoconsent has another form: %.200s", rule)
		}
		marks := first(texts, append(detect, popup...))
		if len(marks) == 0 {
			return nil, fmt.Errorf("a rule of autoconsent names no element: %.200s", rule)
		}
		all = append(all, marks...)
	}
	return all, nil
}

// step is one of those that a rule takes one after the other. All of them must hold.
type step struct {
	Exists  json.RawMessage `json:"exists"`
	Visible json.RawMessage `json:"visible"`
	E       *int            `json:"e"` // exists, by the number of the text
	V       *int            `json:"v"` // visible
	Any     []step          `json:"any"`
	Negated bool            `json:"negated"`
	Check   string          `json:"check"`
}

// first are the selectors of the first step that cannot hold without an element.
func first(texts []json.RawMessage, steps []step) []string {
	for _, s := range steps {
		if marks := s.marks(texts); len(marks) > 0 {
			return marks
		}
	}
	return nil
}

func (s step) marks(texts []json.RawMessage) []string {
	if s.Negated || s.Check == "none" {
		return nil
	}
	for _, at := range []*int{s.E, s.V} {
		if at != nil && *at < len(texts) {
			return selector(texts[*at])
		}
	}
	for _, raw := range []json.RawMessage{s.Exists, s.Visible} {
		if len(raw) > 0 {
			return selector(raw)
		}
	}
	var all []string
	for _, one := range s.Any {
		marks := one.marks(texts)
		if len(marks) == 0 {
			return nil
		}
		all = append(all, marks...)
	}
	return all
}

// selector is what must match in the document itself, in CSS or as "xpath/": of a chain, which leads into shadow trees and
// frames, the first.
func selector(raw json.RawMessage) []string {
	var one string
	var chain []string
	if json.Unmarshal(raw, &one) != nil && json.Unmarshal(raw, &chain) == nil && len(chain) > 0 {
		one = chain[0]
	}
	if one == "" || slices.ContainsFunc([]string{"aria/", "text/", "pierce/"},
		func(kind string) bool { return strings.HasPrefix(one, kind) }) {
		return nil
	}
	return []string{one}
}
