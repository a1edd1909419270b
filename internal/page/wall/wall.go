// Package wall tells a page from what stands in its place: a captcha, a challenge, a login, a question about consent, an error
// page. It judges by what such pages have in common, changes nothing on the page, and would rather miss a wall than see one
// where there is none.
package wall

import (
	"context"
	_ "embed" // for the script
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/session"
)

//go:embed wall.js
var script string

// Bounds of a page that shows little beside a wall.
const (
	nothing   = 350  // characters
	few       = 1000 // characters
	fewLinks  = 25
	more      = 2500 // characters of a page whose title or heading says what it is
	moreLinks = 60
	tall      = 2.5  // windows
	plenty    = 3000 // characters: more than any verdict takes for little
	covers    = 0.6  // of the window, from which on what lies over a page covers it
	shows     = 0.2  // of what is covered, from which on there is a page behind it
	maxSign   = 80   // characters of a page's own words in a sign
)

// Verdict is a wall and what it was known by.
type Verdict struct {
	Wall  savepage.Wall
	Signs []string
}

func none() Verdict { return Verdict{Wall: savepage.WallNone} }

func is(wall savepage.Wall, signs ...string) Verdict { return Verdict{wall, signs} }

// Asker calls a function of a script that runs beside the page; the text of the script stands before its name.
type Asker interface {
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
}

// Look asks a page what speaks for a wall, and judges it with the status of its document.
func Look(ctx context.Context, page Asker, status int) (Verdict, error) {
	var f facts
	q := Question()
	if err := page.Ask(ctx, time.Second, &f, q.Script+q.Function, q.Args...); err != nil {
		return ByStatus(status), err
	}
	return judge(f, status), nil
}

// Question is what Look asks.
func Question() session.Question {
	return session.Question{Script: script, Function: "savepageWall.facts", Args: []any{tall, plenty}}
}

// ByStatus is the verdict about a page that cannot be asked.
func ByStatus(status int) Verdict {
	if status >= 400 {
		return is(savepage.WallErrorPage, fmt.Sprintf("status %d", status))
	}
	return none()
}

// facts are what the script says of a page.
type facts struct {
	Plenty   bool     `json:"plenty"` // so much is on the page that only what covers it can be a wall
	Title    string   `json:"title"`
	Headings []string `json:"headings"`
	Text     string   `json:"text"`  // the beginning of what is shown
	Chars    int      `json:"chars"` // of all that is shown
	Links    int      `json:"links"`
	Buttons  []string `json:"buttons"`
	Fields   fields   `json:"fields"`
	Sources  []source `json:"sources"`
	Tasks    []task   `json:"tasks"`
	Pictures int      `json:"pictures"` // of the size of a riddle
	Windows  float64  `json:"windows"`  // that the page is tall
	Cover    *cover   `json:"cover"`    // nil: nothing lies over the middle of the window
}

// fields counts what is shown and can be written into.
type fields struct {
	Written   int `json:"written"`   // all
	Passwords int `json:"passwords"` // for passwords
	Users     int `json:"users"`     // for names, addresses and numbers of users
	Areas     int `json:"areas"`     // for several lines
}

// source is an address that the page has something from.
type source struct {
	Kind   string  `json:"kind"` // script, iframe, form
	URL    string  `json:"url"`  // host and path
	Width  float64 `json:"width"`
	Height float64 `json:"height"` // of a frame that is shown
}

// task is a part of the page that is named like a captcha.
type task struct {
	Hint   string  `json:"hint"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// cover is what lies over the middle of the window.
type cover struct {
	Covered float64  `json:"covered"` // how much of the window
	Behind  float64  `json:"behind"`  // how much of that has something under it
	Area    float64  `json:"area"`    // of the window, the part in the middle
	Text    string   `json:"text"`
	Buttons []string `json:"buttons"`
	Frame   string   `json:"frame"` // title, names and address of a frame in it
	Fields  fields   `json:"fields"`
}

// judge weighs the facts. What is surest comes first.
func judge(f facts, status int) Verdict {
	if gone := status >= 500 && status != 503 || status == 404 || status == 410; gone {
		return ByStatus(status)
	}
	for _, look := range []func(facts, int) Verdict{challenge, captcha, login, covered, consentPage} {
		if v := look(f, status); v.Wall != savepage.WallNone {
			return v
		}
	}
	if status >= 400 {
		return ByStatus(status)
	}
	return errorPage(f)
}

// thin reports whether a page shows little. named says that its title or heading says what it is.
func (f facts) thin(named bool) bool {
	if f.Plenty || f.Windows > tall {
		return false
	}
	if named {
		return f.Chars <= more && f.Links <= moreLinks
	}
	return f.Chars <= few && f.Links <= fewLinks
}

// says finds words in the title and the headings.
func (f facts) says(words *regexp.Regexp) (string, bool) {
	for i, text := range append([]string{f.Title}, f.Headings...) {
		if found := words.FindString(text); found != "" && len([]rune(text)) <= maxSign {
			return fmt.Sprintf("the %s %q", []string{"title", "heading"}[min(i, 1)], text), true
		}
	}
	return "", false
}

// challenge is a page that checks the browser.
func challenge(f facts, status int) Verdict {
	if f.Fields.Written > 0 || !f.thin(false) {
		return none()
	}
	if sign, said := f.says(challengeTitles()); said {
		return is(savepage.WallChallenge, "little text, and "+sign)
	}
	refused := status == 403 || status == 405 || status == 429 || status == 503 || status == 202
	if !refused && (f.Chars > nothing || f.Links > fewLinks/5) {
		return none()
	}
	for _, s := range f.Sources {
		if challengers().MatchString(s.URL) {
			return is(savepage.WallChallenge, "little text, and a "+kindOf(s)+" of "+hostOf(s.URL))
		}
	}
	if found := challengeWords().FindString(f.Text); found != "" {
		return is(savepage.WallChallenge, fmt.Sprintf("little text, and the words %q", found))
	}
	return none()
}

// captcha is a page that shows a task and nothing else that could be done.
func captcha(f facts, _ int) Verdict {
	if lies := f.Cover; lies != nil && lies.Covered >= covers && lies.Fields.Written == 0 && captchaHosts().MatchString(lies.Frame) {
		return is(savepage.WallCaptcha, "a frame of a captcha that covers the page")
	}
	if !f.thin(false) {
		return none()
	}
	if f.Fields.Written == 0 {
		return widget(f)
	}
	return riddle(f)
}

// widget is a captcha of a provider.
func widget(f facts) Verdict {
	for _, s := range f.Sources {
		if s.Kind == "iframe" && s.Width >= 60 && s.Height >= 40 && captchaHosts().MatchString(s.URL) {
			return is(savepage.WallCaptcha, "little text, and a frame of "+hostOf(s.URL))
		}
	}
	if len(f.Tasks) > 0 {
		return is(savepage.WallCaptcha, fmt.Sprintf("little text, and a part named %q", f.Tasks[0].Hint))
	}
	return riddle(f)
}

// riddle is a captcha of the site's own: a picture, and at most one field.
func riddle(f facts) Verdict {
	if f.Fields.Written > 1 || f.Fields.Passwords+f.Fields.Users+f.Fields.Areas > 0 || f.Pictures == 0 {
		return none()
	}
	if found := captchaWords().FindString(f.Text); found != "" {
		return is(savepage.WallCaptcha, fmt.Sprintf("little text, a picture, and the words %q", found))
	}
	return none()
}

// login is a page that asks who the reader is and shows little else, or such a form that covers the page.
func login(f facts, _ int) Verdict {
	if lies := f.Cover; lies != nil && lies.Covered >= covers && lies.Fields.Passwords > 0 && len(lies.Text) <= more {
		return is(savepage.WallLogin, "a form with a password that covers the page")
	}
	sign, named := f.says(loginWords())
	switch {
	case f.Fields.Areas > 0 || !f.thin(named):
		return none()
	case f.Fields.Passwords > 0:
		const form = "little text, and a form with a password"
		if named {
			return is(savepage.WallLogin, form, sign)
		}
		return is(savepage.WallLogin, form)
	case named:
		return loginElsewhere(f, sign)
	default:
		return none()
	}
}

// loginElsewhere is the first half of a login, or one by other sites, where title or heading say so.
func loginElsewhere(f facts, sign string) Verdict {
	switch {
	case f.Fields.Users == 1 && f.Fields.Written == 1:
		return is(savepage.WallLogin, "little text, and a field for a user", sign)
	case f.Fields.Written == 0 && count(f.Buttons, providers()) > 0:
		return is(savepage.WallLogin, "little text, and buttons of other sites to log in with", sign)
	default:
		return none()
	}
}

// covered is a question about consent that covers the page.
func covered(f facts, _ int) Verdict {
	lies := f.Cover
	if lies == nil || lies.Covered < covers || lies.Behind < shows && !f.thin(false) {
		return none()
	}
	asks := consentWords().FindString(lies.Text)
	if asks != "" && len(lies.Text) < 3000 && count(lies.Buttons, acceptWords()) > 0 {
		return is(savepage.WallConsent, fmt.Sprintf("a question with the word %q that covers the page", asks))
	}
	if lies.Text == "" && consentFrames().MatchString(lies.Frame) {
		return is(savepage.WallConsent, "a frame about consent that covers the page")
	}
	return none()
}

// consentPage is a page that only asks for consent.
func consentPage(f facts, _ int) Verdict {
	sign, named := f.says(consentWords())
	if !named || !f.thin(false) || f.Fields.Written > 0 || f.Links > fewLinks/2 {
		return none()
	}
	if count(f.Buttons, acceptWords()) > 0 && count(f.Buttons, rejectWords()) > 0 {
		return is(savepage.WallConsent, "little text, buttons to accept and to reject, and "+sign)
	}
	return none()
}

// errorPage is a page that says that it is none, though its status does not.
func errorPage(f facts) Verdict {
	if f.Fields.Passwords+f.Fields.Areas > 0 {
		return none()
	}
	if sign, said := f.says(errorWords()); said && f.thin(false) {
		return is(savepage.WallErrorPage, "little text, and "+sign)
	}
	return none()
}

// count is how many texts have one of some words.
func count(texts []string, words *regexp.Regexp) int {
	n := 0
	for _, text := range texts {
		if words.MatchString(text) {
			n++
		}
	}
	return n
}

func kindOf(s source) string {
	if s.Kind == "iframe" {
		return "frame"
	}
	return s.Kind
}

func hostOf(url string) string {
	host, path, _ := strings.Cut(url, "/")
	if i := strings.IndexByte(path, '/'); i > 0 {
		path = path[:i]
	}
	return host + "/" + path
}
