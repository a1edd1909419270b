package savepage_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

const (
	linkSecret  = "lnk_0123456789Ab_0123456789abcdefghijABCDEFGHIJ01"
	otherSecret = "lnk_0123456789Ab_0123456789abcdefghijABCDEFGHIJ02"
)

// TestLinkVector is the vector that every client is compared with.
func TestLinkVector(t *testing.T) {
	expires := time.Unix(1900000000, 0)
	link, err := savepage.ImageLink("https://shots.example.com/", linkSecret, url.Values{
		"url": {"https://example.com/a b?x=1&y=ü"}, "width": {"800"}, "hide": {".a", "#b"},
	}, expires)
	const want = "https://shots.example.com/v1/image?hide=.a&hide=%23b&url=https%3A%2F%2Fexample.com%2Fa+b%3Fx%3D1%26y%3D%C3%BC&width=800" +
		"&exp=1900000000&sig=lnk_0123456789Ab.ba769e8093d39a98eb4ef7926243fed67da5c6a3461306b912d526a9694eec38"
	if err != nil || link != want {
		t.Fatalf("%v\n%s\n%s", err, link, want)
	}
	_, query, _ := strings.Cut(link, "?")
	parsed, err := savepage.ParseLink(query)
	if err != nil || parsed.SecretID != "lnk_0123456789Ab" || !parsed.Expires.Equal(expires) || parsed.Options.Has("exp") ||
		parsed.Options.Get("url") != "https://example.com/a b?x=1&y=ü" || len(parsed.Options["hide"]) != 2 {
		t.Fatalf("%v %+v", err, parsed)
	}
	before := expires.Add(-time.Second)
	if err := parsed.Verify(linkSecret, before); err != nil {
		t.Error(err)
	}
	if err := parsed.Verify(otherSecret, before); !errors.Is(err, savepage.ErrLinkSignature) {
		t.Error(err)
	}
	if err := parsed.Verify(linkSecret, expires); !errors.Is(err, savepage.ErrLinkExpired) {
		t.Error(err)
	}
}

func TestLinkIsRefusedWhenChanged(t *testing.T) {
	query, err := savepage.SignLink(linkSecret, "url=https%3A%2F%2Fa.test%2F&exp=1900000000")
	if err != nil {
		t.Fatal(err)
	}
	for _, changed := range []string{
		strings.Replace(query, "a.test", "b.test", 1), strings.Replace(query, "exp=19", "exp=29", 1), "width=1&" + query,
		strings.Replace(query, "&exp", "&&exp", 1), query + "&width=320", query + "0", query[:len(query)-1], "",
		strings.ToUpper(query), strings.Replace(query, "%3A", "%3a", 1), strings.Replace(query, "exp=", "exp=1&exp=", 1),
		strings.Replace(query, "exp=1900000000", "exp=soon", 1), query + "&sig=" + strings.Split(query, "&sig=")[1],
	} {
		link, err := savepage.ParseLink(changed)
		if err == nil {
			err = link.Verify(linkSecret, time.Unix(1800000000, 0))
		}
		if !errors.Is(err, savepage.ErrLinkSignature) {
			t.Errorf("%q: %v", changed, err)
		}
	}
}

func TestLinkSecretHasAForm(t *testing.T) {
	for _, secret := range []string{
		"", "whsec_AAAA", linkSecret + "x", linkSecret[:len(linkSecret)-1], strings.ToUpper(linkSecret), " " + linkSecret,
	} {
		if _, err := savepage.SignLink(secret, "url=x"); !errors.Is(err, savepage.ErrLinkSecret) {
			t.Errorf("%q: %v", secret, err)
		}
	}
	link, err := savepage.ImageLink("http://a.test", linkSecret, nil, time.Unix(5, 0))
	if err != nil || !strings.HasPrefix(link, "http://a.test/v1/image?exp=5&sig=") {
		t.Error(link, err)
	}
}
