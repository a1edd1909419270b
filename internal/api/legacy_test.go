package api_test

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// raw sends a request line and headers as they stand, without any client correcting them.
func (s *service) raw(t *testing.T, request string) reply {
	t.Helper()
	host := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	head, body, _ := strings.Cut(request, "\n\n")
	head = strings.ReplaceAll(head, "KEY", keyA) + "\nHost: " + host + "\nConnection: close"
	if body != "" {
		body = strings.ReplaceAll(body, "KEY", keyA)
		head += "\nContent-Length: " + itoa(len(body))
	}
	if _, err := io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func itoa(n int) string {
	digits := ""
	for ; n > 0; n /= 10 {
		digits = string(rune('0'+n%10)) + digits
	}
	return digits
}

// The requests of the clients that are known, as they go over the wire, with what the flow must be asked for.
func TestOlderClients(t *testing.T) {
	base := func(change func(*savepage.Options)) savepage.Options {
		o := savepage.Defaults()
		o.Format, o.CacheTTL = savepage.FormatJPEG, 86400
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		request string
		want    savepage.Options
	}{
		"C1 C#": {
			"GET /v1/?key=KEY&q=https%3A%2F%2Fexample.com%2Fa+b%3Fx%3D1&width=1280&height=800&fullpage=true&thumb_width=400&delay=2&nocookie=true" +
				"&noads=false&format=png&refresh=3600&user_agent=Firefox+77&accept_language=en-US&maxage=600&cookie=a=1;b=2&hash=x " +
				"HTTP/1.1\nAccept: application/json",
			base(func(o *savepage.Options) {
				o.URL, o.Width, o.Height, o.Fullpage, o.ThumbWidth, o.Delay, o.Format = "https://example.com/a b?x=1", 1280, 800, true, 400, 2000, "png"
				o.BlockCookieBanners, o.CacheTTL = true, 3600
				o.Timeout, o.UserAgent, o.AcceptLanguage = 32000, "Firefox 77", "en-US"
				o.Cookies = savepage.Cookies{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
			}),
		},
		"C2 Python": {
			"GET /v1/?key=KEY&q=https%3A%2F%2Fwww.google.com HTTP/1.1\nAccept: */*",
			base(func(o *savepage.Options) { o.URL = "https://www.google.com" }),
		},
		"C3 React, no scheme": {
			"GET /v1/?key=KEY&q=example.com HTTP/1.1\nOrigin: http://localhost:3000\nAccept: application/json, text/plain, */*",
			base(func(o *savepage.Options) { o.URL = "http://example.com" }),
		},
		"C4 TypeScript, JSON": {
			"POST /v1/ HTTP/1.1\nContent-Type: application/json\n\n" +
				`{"key":"KEY","q":"https://example.com","width":800,"fullpage":true,"delay":1.5,"format":"png","cookie":null}`,
			base(func(o *savepage.Options) {
				o.URL, o.Width, o.Fullpage, o.Delay, o.Timeout, o.Format = "https://example.com", 800, true, 1500, 31500, "png"
			}),
		},
		"text/plain, JSON": {
			"POST /v1/ HTTP/1.1\nContent-Type: text/plain;charset=UTF-8\nOrigin: http://localhost:3000\n\n" +
				`{"key":"KEY","q":"https://example.com","width":800,"fullpage":true}`,
			base(func(o *savepage.Options) { o.URL, o.Width, o.Fullpage = "https://example.com", 800, true }),
		},
		"text/plain, form": {
			"POST /v1/ HTTP/1.1\nContent-Type: text/plain\n\nkey=KEY&q=https%3A%2F%2Fexample.com&height=700",
			base(func(o *savepage.Options) { o.URL, o.Height = "https://example.com", 700 }),
		},
		"C4 TypeScript, form": {
			"POST /v1/ HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nkey=KEY&q=https%3A%2F%2Fexample.com&width=800&noads=true",
			base(func(o *savepage.Options) {
				o.URL, o.Width, o.BlockAds, o.BlockTrackers = "https://example.com", 800, true, true
			}),
		},
		"C5 PHP": {
			"GET /v1?key=KEY&q=https://example.com/&width=1280&height=800&nocookie=true&noads=true&refresh=-1&" +
				"user_agent=Mozilla%2F5.0%20(Mac) HTTP/1.1",
			base(func(o *savepage.Options) {
				o.URL, o.Width, o.Height, o.UserAgent = "https://example.com/", 1280, 800, "Mozilla/5.0 (Mac)"
				o.BlockAds, o.BlockTrackers, o.BlockCookieBanners, o.CacheTTL = true, true, true, 0
			}),
		},
		"C6 Next.js, not encoded": {
			"GET /v1/?key=KEY&q=https://mini.test/user?a=b&c=d HTTP/1.1",
			base(func(o *savepage.Options) { o.URL = "https://mini.test/user?a=b" }),
		},
		"C7 Telegram": {
			"GET /v1?key=KEY&q=example.com/pfad&width=1280&height=800 HTTP/1.1\nUser-Agent: TelegramBot (like TwitterBot)",
			base(func(o *savepage.Options) { o.URL, o.Width, o.Height = "http://example.com/pfad", 1280, 800 }),
		},
		"C8 Netlify": {
			"GET /v1/?key=KEY&q=https:%2F%2Fexample.com&nocookie=true&noads=true&format=jpg HTTP/1.1",
			base(func(o *savepage.Options) {
				o.URL, o.BlockAds, o.BlockTrackers, o.BlockCookieBanners = "https://example.com", true, true, true
			}),
		},
		"C9 requests": {
			"GET /v1?key=KEY&q=https%3A%2F%2Fexample.com&nocookie=True&noads=True&fullpage=True&format=jpeg HTTP/1.1",
			base(func(o *savepage.Options) {
				o.URL, o.Fullpage, o.BlockAds, o.BlockTrackers, o.BlockCookieBanners = "https://example.com", true, true, true, true
			}),
		},
		"C11 curl": {
			"GET /v1?key=KEY&q=https://www.google.com HTTP/1.1\nUser-Agent: curl/7.88.1\nAccept: */*",
			base(func(o *savepage.Options) { o.URL = "https://www.google.com" }),
		},
		"POST without slash": {
			"POST /v1 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nkey=KEY&q=e.test",
			base(func(o *savepage.Options) { o.URL = "http://e.test" }),
		},
		"clamped and ignored": {
			"GET /v1/?key=KEY&q=//e.test&width=9&height=99999&thumb_width=-4&delay=1e9&format=tiff&fullpage=yes&foo=bar&scale=3&%zz=1&" +
				"user_agent=a+%0D%0Ab+c&accept_language=de+%zz&cookie=novalue;;c=d HTTP/1.1",
			base(func(o *savepage.Options) {
				o.URL, o.Width, o.Height, o.ThumbWidth, o.Delay, o.Timeout, o.UserAgent = "http://e.test", 320, 2160, 1, 30000, 60000, "a b c"
				o.AcceptLanguage = "de %zz"
				o.Cookies = savepage.Cookies{{Name: "c", Value: "d"}}
			}),
		},
		"no numbers": {
			"GET /v1/?key=KEY&q=e.test&width=wide&height=&delay=NaN&thumb_width=1e999&fullpage=1 HTTP/1.1",
			base(func(o *savepage.Options) { o.URL, o.ThumbWidth, o.Fullpage = "http://e.test", 3840, true }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil)
			r := s.raw(t, c.request)
			wantStatus(t, r, 200)
			if got := s.requested()[0].Options; !cmp.Equal(got, c.want) {
				t.Error(cmp.Diff(c.want, got))
			}
			if got := r.header.Get("Content-Type"); got != c.want.Format.MediaType() || r.body != "picture of "+c.want.URL {
				t.Errorf("%s %q", got, r.body)
			}
			if r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Location") != "" || r.header.Get("X-RateLimit-Limit") == "" {
				t.Errorf("%v", r.header)
			}
		})
	}
}

// C10 and C11: a bad key and an unresolved host have texts that clients look for.
func TestOlderErrors(t *testing.T) {
	s := serve(t, nil)
	for name, c := range map[string]struct {
		request string
		ends    func(*savepage.Capture)
		status  int
		body    string
	}{
		"bad key": {
			request: "GET /v1?key=nope&q=https://www.google.com HTTP/1.1", status: 401,
			body: `{"error":"461 - Cannot verify the API Key"}`,
		},
		"no key": {request: "GET /v1/?q=https://www.google.com HTTP/1.1", status: 401, body: `{"error":"461 - Cannot verify the API Key"}`},
		"no POST": {
			request: "POST /v1/ HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\na=b", status: 401,
			body: `{"error":"461 - Cannot verify the API Key"}`,
		},
		"empty q": {request: "GET /v1/?key=KEY&q= HTTP/1.1", status: 400, body: `{"error":"400 - q is missing; it must be the URL to capture"}`},
		"no q":    {request: "GET /v1/?key=KEY HTTP/1.1", status: 400, body: `{"error":"400 - q is missing; it must be the URL to capture"}`},
		"private": {request: "GET /v1/?key=KEY&q=http://10.0.0.1/ HTTP/1.1", status: 400, body: `{"error":"400 - url: the address is private"}`},
		"local": {
			request: "GET /v1/?key=KEY&q=http://localhost:3000/x HTTP/1.1", status: 400,
			body: `{"error":"400 - url: the address is private"}`,
		},
		"bad JSON": {
			request: "POST /v1/ HTTP/1.1\nContent-Type: application/json\n\n{", status: 400,
			body: `{"error":"400 - The body is not a JSON object"}`,
		},
		"bad JSON as text": {
			request: "POST /v1/ HTTP/1.1\nContent-Type: text/plain\n\n{", status: 400,
			body: `{"error":"400 - The body is not a JSON object"}`,
		},
		"packed text": {
			request: "POST /v1/ HTTP/1.1\nContent-Type: text/plain\nContent-Encoding: gzip\n\n{}", status: 415,
			body: `{"error":"415 - Content-Encoding \"gzip\" is not supported; send the body unencoded"}`,
		},
		"XML": {
			request: "POST /v1/ HTTP/1.1\nContent-Type: text/xml\n\n<a/>", status: 415,
			body: `{"error":"415 - Content-Type \"text/xml\" is not supported; send application/json or a form"}`,
		},
		"C10 unresolved": {
			request: "GET /v1?key=KEY&q=https://selfcontained.test HTTP/1.1",
			ends:    failWith(savepage.CodeNameNotResolved, "no address"), status: 502,
			body: `{"error":"502 - getaddrinfo ENOTFOUND selfcontained.test"}`,
		},
		"timeout": {
			request: "GET /v1?key=KEY&q=https://slow.test HTTP/1.1",
			ends:    failWith(savepage.CodeRenderTimeout, "awaited load"), status: 504, body: `{"error":"504 - awaited load"}`,
		},
		"canceled": {
			request: "GET /v1?key=KEY&q=https://gone.test HTTP/1.1",
			ends:    func(c *savepage.Capture) { c.State = savepage.Canceled }, status: 409, body: `{"error":"409 - the capture was canceled"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.ends = c.ends
			if s.ends == nil {
				s.ends = s.succeed
			}
			r := s.raw(t, c.request)
			wantStatus(t, r, c.status)
			if strings.TrimSpace(r.body) != c.body || r.header.Get("Content-Type") != "application/json" ||
				r.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %v", r.body, r.header)
			}
		})
	}
	s.submitErr = errors.New("secret")
	if r := s.raw(t, "GET /v1/?key=KEY&q=e.test&refresh=-1 HTTP/1.1"); r.status != 500 || strings.Contains(r.body, "secret") ||
		!strings.Contains(r.body, "500 - ") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestOlderWaitHasAnEnd(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.SyncWait = 10 * time.Millisecond })
	s.ends = nil
	r := s.raw(t, "GET /v1/?key=KEY&q=e.test HTTP/1.1")
	wantStatus(t, r, 504)
	if !strings.Contains(r.body, `"error":"504 - `) || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", r.body, r.header)
	}
}

func TestOlderHash(t *testing.T) {
	s := serve(t, nil)
	digest := md5.Sum([]byte("https://e.test/?a=b c" + secret))
	good := hex.EncodeToString(digest[:])
	q := url.QueryEscape("https://e.test/?a=b c")
	for hash, status := range map[string]int{good: 200, strings.ToUpper(good): 200, "": 403, good[1:]: 403, strings.Repeat("0", 32): 403} {
		r := s.raw(t, "GET /v1/?key="+keySecret+"&q="+q+"&hash="+hash+" HTTP/1.1")
		wantStatus(t, r, status)
	}
	wantStatus(t, s.raw(t, "GET /v1/?key=KEY&q="+q+"&hash=whatever HTTP/1.1"), 200)
}

// refresh says how old a kept picture may be, as cache_ttl does.
func TestOlderRefresh(t *testing.T) {
	s := serve(t, nil)
	for query, ttl := range map[string]int{
		"": 86400, "&refresh=": 86400, "&refresh=soon": 86400, "&refresh=60": 60, "&refresh=-1": 0, "&refresh=0": 0, "&refresh=1e99": 2592000,
	} {
		before := len(s.requested())
		wantStatus(t, s.raw(t, "GET /v1/?key=KEY&q=e.test"+query+" HTTP/1.1"), 200)
		asked := s.requested()[before:]
		if len(asked) != 1 || asked[0].Options.CacheTTL != ttl {
			t.Errorf("%q: asked for %d captures, %+v", query, len(asked), asked)
		}
	}
}

func TestOlderTakesARemovedPictureAgain(t *testing.T) {
	s := serve(t, nil)
	s.ends = func(c *savepage.Capture) {
		s.succeed(c)
		if c.Options.CacheTTL > 0 {
			c.Source = "cap_before"
			clear(s.pictures)
		}
	}
	r := s.raw(t, "GET /v1/?key=KEY&q=e.test HTTP/1.1")
	wantStatus(t, r, 200)
	asked := s.requested()
	if len(asked) != 2 || asked[1].Options.CacheTTL != 0 || r.body != "picture of http://e.test" {
		t.Errorf("%q after %+v", r.body, asked)
	}
}

func TestCachedPicturesSaySo(t *testing.T) {
	s := serve(t, nil)
	s.ends = func(c *savepage.Capture) {
		s.succeed(c)
		c.Source, c.CapturedAt = "cap_before", c.FinishedAt.Add(-time.Hour)
	}
	r := s.raw(t, "GET /v1/?key=KEY&q=e.test HTTP/1.1")
	if r.header.Get("X-Cache") != "hit" {
		t.Errorf("older API: %v", r.header)
	}
	r = s.call(t, "GET", "/v1/?url=https://e.test&cache_ttl=60&response=image", "")
	if r.header.Get("X-Cache") != "hit" {
		t.Errorf("picture: %v", r.header)
	}
	record := s.call(t, "GET", "/v1/?url=https://e.test&cache_ttl=60", "").json(t)
	if record["cached"] != true || record["captured_at"] != "2026-04-01T11:00:00Z" {
		t.Errorf("%v", record)
	}
}

func TestOlderCaching(t *testing.T) {
	s := serve(t, nil)
	for query, want := range map[string]string{
		"": "no-cache", "&maxage=3600": "public, max-age=3600", "&maxage=-5": "no-cache",
		"&maxage=1e30": "public, max-age=31536000",
	} {
		r := s.raw(t, "GET /v1/?key=KEY&q=e.test"+query+" HTTP/1.1")
		if got := r.header.Get("Cache-Control"); got != want || r.header.Get("Etag") == "" {
			t.Errorf("%s: %q %v", query, got, r.header)
		}
	}
}

func TestOlderPreflight(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/v1", "/v1/?key=KEY&q=e.test"} {
		r := s.raw(t, "OPTIONS "+path+" HTTP/1.1\nOrigin: http://app.test\nAccess-Control-Request-Method: POST\n"+
			"Access-Control-Request-Headers: content-type")
		wantStatus(t, r, 204)
		if r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "POST") ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Content-Type") ||
			r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%v", r.header)
		}
	}
}

// The current API is not open to other origins, and shares the address.
func TestOlderAndCurrentShareTheAddress(t *testing.T) {
	s := serve(t, nil)
	r := s.call(t, "GET", "/v1/?url=https://example.com", "")
	wantStatus(t, r, 200)
	if r.header.Get("Access-Control-Allow-Origin") != "" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", r.header)
	}
	r = s.call(t, "GET", "/v1/?q=https://example.com&key="+keyA, "", "Authorization:", "Accept: application/json")
	wantStatus(t, r, 200)
	if r.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%v", r.header)
	}
}

func FuzzOlder(f *testing.F) {
	for _, seed := range []string{
		"q=e.test", "q=http://a/?b&c", "q=%zz&width=1e400", "q=a&cookie=a=b;c&delay=-1",
		"q=://&hash=x&refresh=9e99",
	} {
		f.Add(seed)
	}
	s := serve(f, nil)
	s.limits.RequestsPerMinute = math.MaxInt32 // a fuzzer asks often
	f.Fuzz(func(t *testing.T, query string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/v1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.RawQuery = "key=" + keyA + "&" + query
		r := record(s, req)
		if r.Code >= 500 || r.Code >= 300 && r.Code < 400 || r.Code == 200 && r.Header().Get("Content-Type") == "application/json" {
			t.Fatalf("%q: %d %s", query, r.Code, r.Body)
		}
	})
}

// A pdf is never opened on the service's own origin.
func TestPDFIsAnAttachment(t *testing.T) {
	s := serve(t, nil)
	shown := s.call(t, "GET", "/v1/?url=https://e.test&format=pdf&response=image", "")
	kept := s.call(t, "GET", "/captures/"+pictureStem+".pdf", "", "Authorization:")
	for where, r := range map[string]reply{"answer": shown, "picture": kept} {
		wantStatus(t, r, 200)
		h := r.header
		if h.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", where, h)
		}
	}
	got := s.call(t, "GET", "/v1/?url=https://e.test&response=image", "").header.Get("Content-Disposition")
	if !strings.HasPrefix(got, "inline;") {
		t.Errorf("a png is %q", got)
	}
}
