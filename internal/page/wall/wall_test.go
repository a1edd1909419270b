package wall

import (
	"testing"

	"github.com/savepage/savepage"
)

// The status and what the page shows are weighed against each other.
func TestJudge(t *testing.T) {
	t.Parallel()
	form := fields{Written: 2, Passwords: 1, Users: 1}
	for name, one := range map[string]struct {
		f      facts
		status int
		want   savepage.Wall
	}{
		"an ordinary page":                  {facts{Title: "Harbour", Chars: 5000, Links: 80, Windows: 4}, 200, "none"},
		"a page that is gone, with a login": {facts{Title: "Login", Fields: form, Chars: 200}, 404, "error_page"},
		"a refusal with a login":            {facts{Title: "Harbour", Fields: form, Chars: 200}, 401, "login"},
		"a refusal":                         {facts{Title: "Harbour", Chars: 200}, 403, "error_page"},
		"a refusal with much text":          {facts{Title: "Harbour", Chars: 9000, Plenty: true}, 403, "error_page"},
		"a refusal that checks the browser": {facts{Text: "Please verify you are human", Chars: 900}, 403, "challenge"},
		"a text on such a check":            {facts{Text: "How to verify you are human", Chars: 900, Links: 20}, 200, "none"},
		"a service that is not there":       {facts{Text: "Down for maintenance", Chars: 30}, 503, "error_page"},
		"a title in Dutch":                  {facts{Title: "Een moment geduld", Chars: 40}, 503, "challenge"},
		"a title in Russian":                {facts{Title: "Войти", Chars: 90, Fields: fields{Written: 1, Users: 1}}, 200, "login"},
		"a long login":                      {facts{Title: "Log in", Chars: 2000, Links: 40, Fields: form}, 200, "login"},
		"a long page with a login":          {facts{Title: "Harbour", Chars: 2000, Links: 40, Fields: form}, 200, "none"},
		"a title that only begins so":       {facts{Title: "404 ways to tie a knot", Chars: 100}, 200, "none"},
		"an error by its number":            {facts{Title: "404", Chars: 100}, 200, "error_page"},
		"an error with a name":              {facts{Title: "Error 404 - Page not found | Harbour", Chars: 300, Links: 20}, 200, "error_page"},
		"a challenge for ordinary pages": {
			facts{Chars: 600, Links: 12, Sources: []source{{Kind: "script", URL: "a.test/_Incapsula_Resource"}}}, 200, "none",
		},
		"a challenge without a page": {
			facts{Chars: 10, Sources: []source{{Kind: "iframe", URL: "a.test/_Incapsula_Resource"}}}, 200, "challenge",
		},
		"a page that cannot be asked": {facts{}, 0, "none"},
	} {
		if got := judge(one.f, one.status); got.Wall != one.want || (one.want == "none") != (len(got.Signs) == 0) {
			t.Errorf("%s: %s %q, want %s", name, got.Wall, got.Signs, one.want)
		}
	}
}

// Every expression can be read, and none finds something in nothing.
func TestWords(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]string{
		"challengers": challengers().FindString(""), "captchaHosts": captchaHosts().FindString(""),
		"challengeTitles": challengeTitles().FindString(""),
		"challengeWords":  challengeWords().FindString(""), "captchaWords": captchaWords().FindString(""),
		"loginWords": loginWords().FindString(""),
		"providers":  providers().FindString(""), "consentWords": consentWords().FindString(""), "acceptWords": acceptWords().FindString(""),
		"rejectWords": rejectWords().FindString(""), "consentFrames": consentFrames().FindString(""), "errorWords": errorWords().FindString(""),
	} {
		if of != "" {
			t.Errorf("%s finds %q", name, of)
		}
	}
	if challengers().MatchString("a.test/cdn-cgi/challenge-platform/h/b/scripts/jsd/main.js") {
		t.Error("a script of ordinary pages is taken for a challenge")
	}
}
