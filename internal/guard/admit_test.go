package guard

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// verdict is the normal form, or the code of the refusal.
func verdict(t *testing.T, p *Policy, raw string) (normal string, code savepage.Code) {
	t.Helper()
	normal, err := p.Admit(raw)
	if err == nil {
		return normal, ""
	}
	var refused *savepage.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Admit(%q) = %v, which is not a *savepage.Error", raw, err)
	}
	if refused.Message == "" || normal != "" {
		t.Fatalf("Admit(%q) = %q, %+v", raw, normal, refused)
	}
	return "", refused.Code
}

// admissionTable is the table A of the hostile catalogue: what must be refused, and with which code. An empty code: either.
func admissionTable() []struct {
	name string
	code savepage.Code
	urls []string
} {
	label := strings.Repeat("a", 64)
	return []struct {
		name string
		code savepage.Code
		urls []string
	}{
		{"A01 scheme-file", savepage.CodeInvalidRequest, []string{"file:///etc/passwd", "FiLe:/etc/passwd", "file://localhost/etc/passwd"}},
		{"A02 scheme-internal", savepage.CodeInvalidRequest, []string{
			"chrome://version", "about:version", "devtools://devtools/bundled/x.html",
			"chrome-extension://abc/x",
		}},
		{"A03 scheme-wrapper", savepage.CodeInvalidRequest, []string{
			"view-source:http://a/", "filesystem:http://a/", "blob:http://a/x",
			"data:text/html,x", "javascript:alert(1)",
		}},
		{"A04 scheme-other", savepage.CodeInvalidRequest, []string{
			"ftp://a/", "gopher://a/", "ws://a/", "wss://a/", "mailto:a@b.test",
			"intent://a/#Intent;end", "jar:http://a!/b", "httpx://a/", "http+unix://a/",
		}},
		{"A05 unc-backslash", savepage.CodeInvalidRequest, []string{`\\localhost/etc/passwd`, `http:\\127.0.0.1\`, `http://good.test\@1.1.1.1/`}},
		{"A06 leading-space-tab-nl", savepage.CodeInvalidRequest, []string{
			" file:///x", " http://good.test/", "http://good.test/ ",
			"java\tscript:alert(1)", "http://good.test/\r\nX: y", "ht\ntp://good.test/", "http://good.test/a b", "http://good\u0085.test/",
		}},
		{"A08 userinfo", savepage.CodeInvalidRequest, []string{
			"http://u:p@good.test/", "http://good.test@127.0.0.1/", "http://@good.test/",
			"http://:@good.test/",
		}},
		{"A09 backslash-at", savepage.CodeInvalidRequest, []string{`http://127.0.0.1:6666\@1.1.1.1/`}},
		{"A10 space-at-confusion", savepage.CodeInvalidRequest, []string{"http://1.1.1.1 &@2.2.2.2# @3.3.3.3/"}},
		{
			"A11 opaque-and-empty-host", savepage.CodeInvalidRequest,
			[]string{
				"http:127.0.0.1/", "http:///127.0.0.1/", "//127.0.0.1/", "http://", "http:/good.test/", "https:good.test", "http://?x",
				"http://#x", "http://:80/", "http://./", "http://..", "", "good.test", "good.test:80/x", "/path",
			},
		},
		{"A12 numeric-hosts", savepage.CodeInvalidRequest, []string{
			"http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/", "http://0x7f.1/", "http://0/", "http://127.0.0.1./",
			"http://8.8.8.8./", "http://0x/", "http://a.0x7f/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://01.1.1.1/",
			"http://good.test.1/", "http://0X7F.0.0.1/", "http://0xA9FEA9FE/", "http://127.0.0.1.:80/",
		}},
		{"A13 unicode-digits", "", []string{
			"http://①②⑦.⓪.⓪.①/", "http://１２７.０.０.１/", "http://127。0。0。1/", "http://127.0.0.\u00ad1/",
			"http://127｡0｡0｡1/", "http://٣.٤.٥.٦/", "http://８.８.８.８/",
		}},
		{"A14 percent-host", savepage.CodeInvalidRequest, []string{
			"http://%31%32%37.0.0.1/", "http://good%2etest/", "http://%E2%91%A0.test/",
			"http://good.test%2f@1.1.1.1/",
		}},
		{"A15 zone-id", savepage.CodeInvalidRequest, []string{"http://[fe80::1%25lo]/", "http://[fe80::1%lo]/", "http://[::1%25]/"}},
		{"A17 port-bad", savepage.CodeInvalidRequest, []string{
			"http://good.test:0/", "http://good.test:99999/", "http://good.test:8o/", "http://good.test:22/", "http://good.test:6379/",
			"http://good.test:25/", "http://good.test:-1/", "http://good.test:+80/", "http://good.test:80:80/", "http://good.test:６/",
			"http://8.8.8.8:22/",
		}},
		{"A17 port-closed", savepage.CodeAddressBlocked, []string{"http://good.test:81/", "http://8.8.8.8:444/"}},
		{"A18 idna", savepage.CodeAddressBlocked, []string{
			"http://ＬＯＣＡＬＨＯＳＴ/", "http://lo\u00adcalhost/", "http://ⓛocalhost/",
		}},
		{"A18 idna-broken", savepage.CodeInvalidRequest, []string{"http://xn--/", "http://xn--a/", "http://xn--1/", "http://a\u200d.test/"}},
		{"A19 localhost-names", savepage.CodeAddressBlocked, []string{
			"http://localhost/", "http://LOCALHOST./", "http://a.localhost/",
			"http://localhost6/", "http://localhost.localdomain/", "https://localhost:3000/",
		}},
		{"A20 too-long", savepage.CodeInvalidRequest, []string{
			"http://good.test/" + strings.Repeat("a", 8193-len("http://good.test/")), "http://" + label + ".test/",
			"http://" + strings.Repeat("a.", 126) + "aa/", "http://good.test/" + strings.Repeat("ä", 2000),
		}},
		{"A21 nul-and-crlf", savepage.CodeInvalidRequest, []string{
			"http://good%00.test/", "http://good\u0000.test/", "http://good%0d%0a.test/",
			"http://good.test/\u0000", "http://good.test/\x7f",
		}},
		{"A24 odd-hosts", savepage.CodeInvalidRequest, []string{
			"http://good..test/", "http://.good.test/", "http://good.test../",
			"http://good,test/", "http://good!.test/", "http://(good).test/", "http://good.test;x/", "http://[good.test]/", "http://[127.0.0.1]/",
			"http://[::1/", "http://::1/", "http://[::1]x/", "http://[]/", "http://[v1.a]/", "http://good.test\xff/",
		}},
	}
}

func TestAdmissionTable(t *testing.T) {
	p := New(Config{})
	for _, row := range admissionTable() {
		t.Run(row.name, func(t *testing.T) {
			for _, raw := range row.urls {
				normal, code := verdict(t, p, raw)
				if code == "" || (row.code != "" && code != row.code) {
					t.Errorf("%q: %q, code %q", raw, normal, code)
				}
			}
		})
	}
}

// A16: every refused address of table B, written as a URL.
func TestAdmitAddressLiterals(t *testing.T) {
	p := New(Config{})
	for id, addrs := range addressTable() {
		for _, text := range addrs {
			addr := netip.MustParseAddr(text)
			if addr.Zone() != "" {
				continue // A15
			}
			host := text
			if addr.Is6() {
				host = "[" + text + "]"
			}
			for _, raw := range []string{"http://" + host + "/", "https://" + host + ":8443/x"} {
				if _, code := verdict(t, p, raw); code != savepage.CodeAddressBlocked {
					t.Errorf("%s %s: %q", id, raw, code)
				}
			}
		}
	}
}

func TestAdmitNormalForm(t *testing.T) {
	p := New(Config{})
	for raw, want := range map[string]string{
		"HTTP://GOOD.test./":                      "http://good.test/", // A07
		"http://good.test":                        "http://good.test/",
		"http://good.test:80/":                    "http://good.test/",
		"https://good.test:443/":                  "https://good.test/",
		"https://good.test:80/":                   "https://good.test:80/",
		"http://good.test:/":                      "http://good.test/",
		"http://good.test:08080/":                 "http://good.test:8080/",
		"http://good.test?x=1":                    "http://good.test/?x=1",
		"http://good.test/?":                      "http://good.test/?",
		"http://good.test/%7Ea|b?q=ä%26":          "http://good.test/%7Ea|b?q=%C3%A4%26",
		"http://good.test#@127.0.0.1/":            "http://good.test/#@127.0.0.1/", // A22
		"http://good.test?@127.0.0.1":             "http://good.test/?@127.0.0.1",  // A22
		"http://good.test/@127.0.0.1:22":          "http://good.test/@127.0.0.1:22",
		"http://good.test//127.0.0.1/":            "http://good.test//127.0.0.1/",
		"http://good.test/a%2Fb/ä":                "http://good.test/a%2Fb/%C3%A4",
		"http://good.test/?next=http://127.0.0.1": "http://good.test/?next=http://127.0.0.1",
		"http://bücher.test/":                     "http://xn--bcher-kva.test/",
		"http://BÜCHER.test./":                    "http://xn--bcher-kva.test/",
		"http://xn--bcher-kva.test/":              "http://xn--bcher-kva.test/",
		"http://my_site.good.test/":               "http://my_site.good.test/",
		"http://r3---sn-apo3q.good.test/":         "http://r3---sn-apo3q.good.test/",
		"http://8.8.8.8/":                         "http://8.8.8.8/",
		"http://8.8.8.8:8080":                     "http://8.8.8.8:8080/",
		"http://[2606:4700::1111]/":               "http://[2606:4700::1111]/",
		"http://[2606:4700:0:0::1111]:8080/":      "http://[2606:4700::1111]:8080/",
		"https://[::ffff:8.8.8.8]/":               "https://8.8.8.8/",
		"http://1e100.net/":                       "http://1e100.net/",
		"http://intranet/":                        "http://intranet/",
		"http://notlocalhost/":                    "http://notlocalhost/",
		"http://localhost.good.test/":             "http://localhost.good.test/",
	} {
		normal, code := verdict(t, p, raw)
		if normal != want {
			t.Errorf("%q becomes %q (%s), want %q", raw, normal, code, want)
		}
	}
}

// M01: loopback opened by the operator admits localhost and its address, and nothing else.
func TestAdmitWithRules(t *testing.T) {
	rules, err := ParseAllow("127.0.0.0/8,10.0.0.0/8:81")
	if err != nil {
		t.Fatal(err)
	}
	own := netip.MustParseAddrPort("127.0.0.1:8080")
	p := New(Config{Allow: rules, Own: []netip.AddrPort{own}})
	for raw, want := range map[string]savepage.Code{
		"http://localhost:3000/":      "",
		"http://app.localhost:3000/":  "",
		"http://127.0.0.1:3000/":      "",
		"http://[::ffff:127.0.0.1]/":  "",
		"http://[::1]:3000/":          savepage.CodeAddressBlocked,
		"http://10.0.0.1/":            savepage.CodeAddressBlocked,
		"http://10.0.0.1:81/":         "",
		"http://some.test:81/":        "", // may lead to 10/8: judged when dialled
		"http://some.test:82/":        savepage.CodeAddressBlocked,
		"http://localhost:8080/":      savepage.CodeAddressBlocked,
		"http://127.0.0.1:8080/":      savepage.CodeAddressBlocked,
		"http://[::ffff:7f00:1]:8080": savepage.CodeAddressBlocked,
	} {
		if normal, code := verdict(t, p, raw); code != want {
			t.Errorf("%s: %q, %q", raw, normal, code)
		}
	}
}

func TestAdmitSaysWhatToDo(t *testing.T) {
	p := New(Config{})
	for raw, want := range map[string]string{
		"example.com":             "http:// or https://",
		"ftp://example.com":       `"ftp:"`,
		"http://u:p@example.com/": "Authorization",
		"http://localhost:3000/":  "SAVEPAGE_EGRESS_ALLOW=127.0.0.1/32",
		"http://192.168.1.1/":     "SAVEPAGE_EGRESS_ALLOW=192.168.1.1/32",
		"http://example.com:81/":  "SAVEPAGE_EGRESS_ALLOW",
		"http://a.test/ b":        "%20",
		"http://127.1/":           "four decimal numbers",
	} {
		_, err := p.Admit(raw)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestUnsafePorts(t *testing.T) {
	var refused []uint16
	for port := range 65536 {
		if unsafePort(uint16(port)) {
			refused = append(refused, uint16(port))
		}
	}
	if len(refused) != 84 || !slices.Contains(refused, 6379) {
		t.Errorf("%d ports are unsafe: %v", len(refused), refused)
	}
}

func FuzzAdmit(f *testing.F) {
	for _, row := range admissionTable() {
		for _, raw := range row.urls {
			f.Add(raw)
		}
	}
	for _, raw := range []string{
		"http://good.test/", "https://[2606:4700::1111]:8443/a?b#c", "http://bücher.test/ä",
		"http://localhost:3000/",
	} {
		f.Add(raw)
	}
	closed := New(Config{})
	f.Fuzz(func(t *testing.T, raw string) {
		normal, err := closed.Admit(raw)
		if err != nil {
			var refused *savepage.Error
			if !errors.As(err, &refused) || (refused.Code != savepage.CodeInvalidRequest && refused.Code != savepage.CodeAddressBlocked) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		again, err := closed.Admit(normal)
		if err != nil || again != normal {
			t.Errorf("%q becomes %q, then %q, %v", raw, normal, again, err)
		}
		if strings.ContainsAny(normal, " \\\r\n\t") || len(normal) > savepage.MaxURLBytes {
			t.Errorf("%q becomes %q", raw, normal)
		}

		if !strings.HasPrefix(normal, "http://") && !strings.HasPrefix(normal, "https://") {
			t.Errorf("%q becomes %q", raw, normal)
		}
	})
}
