package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

const (
	linkA = "lnk_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	linkB = "lnk_bbbbbbbbbbbb_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// links holds a link secret of each of two accounts.
type links struct {
	mu      sync.Mutex
	looked  []string
	removed []string
}

func (l *links) Linked(_ context.Context, id string) (string, savepage.Principal, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looked = append(l.looked, id)
	limits := savepage.DefaultLimits()
	limits.RequestsPerMinute = 3
	for account, secret := range map[string]string{"acc_a": linkA, "acc_b": linkB} {
		if strings.HasPrefix(secret, id+"_") && !slices.Contains(l.removed, id) {
			return secret, savepage.Principal{Account: savepage.Account{ID: account}, Limits: limits}, nil
		}
	}
	return "", savepage.Principal{}, savepage.Errorf(savepage.CodeNotFound, "there is no link secret")
}

func (l *links) LinkSecrets(_ context.Context, account string) ([]savepage.LinkSecret, error) {
	if account == "acc_b" {
		return nil, nil
	}
	return []savepage.LinkSecret{{ID: linkA[:16]}}, nil
}

func (*links) CreateLinkSecret(context.Context, string) (savepage.LinkSecret, error) {
	return savepage.LinkSecret{ID: linkA[:16], Secret: linkA}, nil
}

func (l *links) RemoveLinkSecret(_ context.Context, account, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if account != "acc_a" || id != linkA[:16] {
		return savepage.Errorf(savepage.CodeNotFound, "there is no link secret %s", id)
	}
	l.removed = append(l.removed, id)
	return nil
}

// signed is the path of a link.
func signed(t *testing.T, secret, query string) string {
	t.Helper()
	signed, err := savepage.SignLink(secret, query)
	if err != nil {
		t.Fatal(err)
	}
	return "/v1/image?" + signed
}

const pageQuery = "url=https%3A%2F%2Fa.test%2F&format=webp"

func (s *service) open(t *testing.T, path string, headers ...string) reply {
	t.Helper()
	return s.call(t, http.MethodGet, path, "", append([]string{"Authorization:"}, headers...)...)
}

func TestLinkIsAnsweredWithThePicture(t *testing.T) {
	s := serve(t, nil)
	r := s.open(t, signed(t, linkA, pageQuery))
	wantStatus(t, r, 200)
	if r.body != "picture of https://a.test/" || r.header.Get("Content-Type") != "image/webp" || r.header.Get("X-Cache") != "miss" {
		t.Errorf("%q %v", r.body, r.header)
	}
	got := s.requested()[0]
	if got.Account != "acc_a" || got.Options.CacheTTL != 86_400 || got.Options.Format != savepage.FormatWebP || !got.Interactive {
		t.Errorf("%+v", got)
	}
	for name := range r.header {
		if strings.HasPrefix(name, "X-Ratelimit") || name == "X-Capture-Id" {
			t.Errorf("visitors are told %s", name)
		}
	}
	again := s.open(t, signed(t, linkA, pageQuery+"&cache_ttl=0"), "If-None-Match: "+r.header.Get("Etag"))
	if wantStatus(t, again, 304); again.header.Get("Cache-Control") != "no-store" {
		t.Errorf("without cache_ttl: %v", again.header)
	}
}

func TestLinkMayBeKeptUntilItEnds(t *testing.T) {
	now := time.Now()
	for query, want := range map[string][2]int{
		"":                {82_800, 86_400},
		"&cache_ttl=7200": {3600, 7200},
		"&cache_ttl=60":   {0, 60},
		"&exp=" + strconv.FormatInt(now.Add(30*time.Minute).Unix(), 10): {1800, 0},
		"&exp=" + strconv.FormatInt(now.Add(24*time.Hour).Unix(), 10):   {82_800, 3600},
	} {
		s := serve(t, nil)
		s.ends = func(c *savepage.Capture) {
			s.succeed(c)
			c.CapturedAt, c.Source = now.Add(-time.Hour), "cap_1"
		}
		r := s.open(t, signed(t, linkA, pageQuery+query))
		wantStatus(t, r, 200)
		age, stale, found := strings.Cut(strings.TrimPrefix(r.header.Get("Cache-Control"), "public, max-age="), ", stale-while-revalidate=")
		fresh, _ := strconv.Atoi(age)
		again, _ := strconv.Atoi(stale)
		const slack = 120 // seconds that the test may take
		if !found || fresh > want[0] || fresh < want[0]-slack || again > want[1]+slack || again < want[1]-slack ||
			r.header.Get("X-Cache") != "hit" {
			t.Errorf("%q: %v", query, r.header)
		}
	}
}

func TestLinkThatIsNotValidCostsNothing(t *testing.T) {
	s := serve(t, nil)
	past := "&exp=" + strconv.FormatInt(time.Now().Add(-time.Second).Unix(), 10)
	good := signed(t, linkA, pageQuery)
	swapped := strings.Replace(signed(t, linkA, pageQuery), linkA[:16], linkB[:16], 1)
	for name, path := range map[string]string{
		"none": "/v1/image", "no signature": "/v1/image?" + pageQuery, "another's secret": swapped,
		"changed": strings.Replace(good, "a.test", "b.test", 1), "longer": good + "&width=320", "expired": signed(t, linkA, pageQuery+past),
		"unknown": signed(t, "lnk_cccccccccccc_cccccccccccccccccccccccccccccccc", pageQuery),
	} {
		r := s.open(t, path)
		p := wantProblem(t, r, 403, savepage.CodeForbidden)
		if expired := strings.Contains(r.body, "expired"); expired != (name == "expired") {
			t.Errorf("%s: %v", name, p["detail"])
		}
		if r.header.Get("Cache-Control") != "no-store" || strings.Contains(r.body, "acc_") {
			t.Errorf("%s: %v %s", name, r.header, r.body)
		}
	}
	if len(s.requested()) > 0 || slices.Contains(s.links.looked, "lnk_dddddddddddd") {
		t.Errorf("captured: %+v", s.requested())
	}
	for range 3 { // the limit is three a minute, and nothing has counted
		wantStatus(t, s.open(t, good), 200)
	}
	r := s.open(t, good)
	wantProblem(t, r, 429, savepage.CodeRateLimited)
	if r.header.Get("Retry-After") == "" {
		t.Error("without Retry-After")
	}
	wantStatus(t, s.call(t, http.MethodGet, "/v1/?"+pageQuery, ""), 200) // requests with keys count apart
	wantStatus(t, s.open(t, signed(t, linkB, pageQuery)), 200)
}

func TestLinkWithWrongOptions(t *testing.T) {
	s := serve(t, nil)
	r := s.open(t, signed(t, linkA, pageQuery+"&callback_url=http%3A%2F%2Fb.test%2F&async=true"))
	wrong := errorsOf(t, wantProblem(t, r, 400, savepage.CodeInvalidRequest))
	if wrong["query.callback_url"] != "must not be in a link" || wrong["query.async"] == "" {
		t.Errorf("%v", wrong)
	}
	r = s.open(t, signed(t, linkA, pageQuery+"&widht=3"))
	if wrong := errorsOf(t, wantProblem(t, r, 400, savepage.CodeInvalidRequest)); !strings.Contains(wrong["query.widht"], "width") {
		t.Errorf("%v", wrong)
	}
}

func TestLinkOfAPageThatFails(t *testing.T) {
	s := serve(t, nil)
	s.ends = func(c *savepage.Capture) {
		failWith(savepage.CodeNameNotResolved, "no such name")(c)
		c.Report = &savepage.Report{Title: "secret title"}
	}
	r := s.open(t, signed(t, linkA, pageQuery))
	wantProblem(t, r, 502, savepage.CodeNameNotResolved)
	if strings.Contains(r.body, "cap_") || strings.Contains(r.body, "secret title") || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("visitors are told %s %v", r.body, r.header)
	}
}

func TestLinkWhosePictureTakesLong(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.SyncWait = time.Millisecond })
	s.ends = nil
	r := s.open(t, signed(t, linkA, pageQuery))
	wantProblem(t, r, 504, savepage.CodeRenderTimeout)
	if r.header.Get("Retry-After") != "5" {
		t.Errorf("%v", r.header)
	}
}

func TestLinkWhosePictureIsGone(t *testing.T) {
	s := serve(t, nil)
	calls := 0
	s.ends = func(c *savepage.Capture) {
		s.succeed(c)
		if calls++; calls == 1 {
			c.Picture.Name = "gone" + pictureStem + ".webp"
		}
	}
	wantStatus(t, s.open(t, signed(t, linkA, pageQuery)), 200)
	if got := s.requested(); len(got) != 2 || got[1].Options.CacheTTL != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLinkSecrets(t *testing.T) {
	s := serve(t, nil)
	made := s.call(t, http.MethodPost, "/v1/links/secrets", "")
	if wantStatus(t, made, 201); made.json(t)["secret"] != linkA {
		t.Error(made.body)
	}
	list := s.call(t, http.MethodGet, "/v1/links/secrets", "")
	if wantStatus(t, list, 200); !strings.Contains(list.body, linkA[:16]) || strings.Contains(list.body, linkA) {
		t.Error(list.body)
	}
	none := s.call(t, http.MethodGet, "/v1/links/secrets", "", "Authorization: Bearer "+keyB)
	if wantStatus(t, none, 200); none.body != `{"secrets":[]}`+"\n" {
		t.Error(none.body)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		path := map[string]string{http.MethodPost: "", http.MethodDelete: "/" + linkA[:16]}[method]
		wantProblem(t, s.call(t, method, "/v1/links/secrets"+path, "", "Authorization: Bearer "+keyRead), 403, savepage.CodeForbidden)
		wantProblem(t, s.call(t, method, "/v1/links/secrets"+path+"?a=b", ""), 400, savepage.CodeInvalidRequest)
	}
	theirs := s.call(t, http.MethodDelete, "/v1/links/secrets/"+linkA[:16], "", "Authorization: Bearer "+keyB)
	wantProblem(t, theirs, 404, savepage.CodeNotFound)
	wantStatus(t, s.call(t, http.MethodDelete, "/v1/links/secrets/"+linkA[:16], ""), 204)
	wantProblem(t, s.open(t, signed(t, linkA, pageQuery)), 403, savepage.CodeForbidden)
}

func TestLinkNeedsNoMoreThanTheQuery(t *testing.T) {
	s := serve(t, nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodHead, signed(t, linkA, url.Values{"html": {"<p>"}}.Encode()), nil))
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
