package hostile

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
)

//go:embed pages
var pages embed.FS

// Names and addresses of the site. They look public, so that the policy is the one of production; the dialer of the test
// leads them to loopback.
const (
	SiteHost  = "site.test"
	ThirdHost = "third.test"
	siteAddr  = "93.184.215.14"
	thirdAddr = "93.184.215.15"
)

// Site serves the hostile pages: from a public name, and from a loopback address of its own, which is a secure context and
// which one rule of the policy opens.
type Site struct {
	Secure string // origin of the secure context: http://127.0.0.10:PORT
	TLSKey string // of the certificate of https://site.test: the SHA-256 of its public key, in base64
	canary *Canary
	ready  func(page string, since time.Time) bool

	pages    *template.Template
	server   *http.Server
	serving  sync.WaitGroup
	secureAt netip.AddrPort

	mu     sync.Mutex
	since  map[string]time.Time // when a page first asked whether it may end
	seen   []string             // requests: method, host and path
	stray  []string             // dials to addresses that nothing here has
	asked  []string             // names that were looked up
	public string               // where the public addresses lead
	tls    string               // and where they do on port 443
	every  bool                 // loopback may be dialled
}

// Open starts the site. ready says when a page has tried everything and may be captured. With everything, the dialer
// connects to any address of loopback, for the run without a guard.
func Open(canary *Canary, everything bool, ready func(page string, since time.Time) bool) (*Site, error) {
	s := &Site{canary: canary, ready: ready, since: map[string]time.Time{}, every: everything}
	var err error
	s.pages, err = template.New("").Funcs(s.funcs()).ParseFS(pages, "pages/*")
	if err != nil {
		return nil, fmt.Errorf("parse the hostile pages: %w", err)
	}
	s.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: time.Minute}
	for _, host := range []string{"127.0.0.10", "127.0.0.11"} {
		listener, err := net.Listen("tcp", host+":0") //nolint:noctx // listening on loopback does not wait
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for the hostile site: %w", err), s.Close())
		}
		if host == "127.0.0.10" {
			s.Secure = "http://" + listener.Addr().String()
			s.secureAt = netip.MustParseAddrPort(listener.Addr().String())
		} else {
			s.public = listener.Addr().String()
		}
		s.serving.Go(func() { _ = s.server.Serve(listener) }) // always ends with http.ErrServerClosed
	}
	if err := s.openTLS(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the site.
func (s *Site) Close() error {
	err := s.server.Close()
	s.serving.Wait()
	return err
}

// Rule is the rule that opens the secure origin, and nothing else.
func (s *Site) Rule() string {
	return fmt.Sprintf("%s/32:%d", s.secureAt.Addr(), s.secureAt.Port())
}

// URL is the address of a page on its origin: the secure one for pages that need it.
func (s *Site) URL(page string) string {
	if strings.HasPrefix(page, "secure") {
		return s.Secure + "/" + page
	}
	return "http://" + SiteHost + "/" + page
}

// LookupNetIP answers for the names of the site, and leads every name below .inside.test to loopback.
func (s *Site) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	s.asked = append(s.asked, host)
	s.mu.Unlock()
	switch {
	case host == SiteHost:
		return []netip.Addr{netip.MustParseAddr(siteAddr)}, nil
	case host == ThirdHost, strings.HasSuffix(host, "."+ThirdHost):
		return []netip.Addr{netip.MustParseAddr(thirdAddr)}, nil
	case strings.HasSuffix(host, ".six.inside.test"):
		return []netip.Addr{netip.IPv6Loopback()}, nil
	case strings.HasSuffix(host, ".inside.test"):
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// Dial leads the public addresses of the site to its listener. What it does not know is noted and refused.
func (s *Site) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	var to string
	switch {
	case ap.Port() == 80 && (ap.Addr().String() == siteAddr || ap.Addr().String() == thirdAddr):
		to = s.public
	case ap.Port() == 443 && ap.Addr().String() == siteAddr:
		to = s.tls
	case ap == s.secureAt, s.every && ap.Addr().IsLoopback():
		to = address
	default:
		s.mu.Lock()
		s.stray = append(s.stray, address)
		s.mu.Unlock()
		return nil, &net.AddrError{Err: "nothing is there", Addr: address}
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, to)
}

// Stray lists the addresses that were dialled although nothing here has them.
func (s *Site) Stray() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.stray...)
}

// Seen reports how often a request came: "GET site.test/x".
func (s *Site) Seen(request string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, one := range s.seen {
		if one == request {
			n++
		}
	}
	return n
}

func (s *Site) funcs() template.FuncMap {
	return template.FuncMap{
		"hit":       s.canary.URL,
		"web":       s.canary.Web,
		"port":      s.canary.Port,
		"secure":    func() string { return s.Secure },
		"text":      func() string { return CanaryText },
		"spellings": Spellings,
		"times":     func(n int) []struct{} { return make([]struct{}, n) },
	}
}

func (s *Site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/redirect", redirect)
	mux.HandleFunc("/progress", s.progress)
	mux.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Refresh", "0; url="+r.URL.Query().Get("to"))
		w.Header().Set("Content-Type", "text/html")
	})
	mux.Handle("/bomb/{name}", newBombs())
	mux.HandleFunc("/inline", inline)
	mux.HandleFunc("/auth", signIn)
	mux.HandleFunc("/clear", clearSite)
	mux.HandleFunc("/strict", strict)
	mux.HandleFunc("/{page}", s.page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		s.mu.Lock()
		s.seen = append(s.seen, r.Method+" "+host+r.URL.Path)
		s.mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		mux.ServeHTTP(w, r)
	})
}

// redirect leads to the address that the query names, after so many hops here.
func redirect(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	code, err := strconv.Atoi(query.Get("code"))
	if err != nil || code < 300 || code > 399 {
		code = http.StatusFound
	}
	to := query.Get("to")
	if hops, err := strconv.Atoi(query.Get("hops")); err == nil && hops > 1 {
		query.Set("hops", strconv.Itoa(hops-1))
		to = "/redirect?" + query.Encode()
	}
	w.Header().Set("Location", to)
	w.WriteHeader(code)
}

// progress tells a page whether it may end.
func (s *Site) progress(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("page")
	s.mu.Lock()
	since, known := s.since[name]
	if !known {
		since = time.Now()
		s.since[name] = since
	}
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if s.ready(name, since) {
		_, _ = w.Write([]byte("yes"))
	}
}

// page serves a file of pages/ as a template. Some pages have headers that make attempts.
func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("page")
	if s.pages.Lookup(name) == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-store")
	s.attempts(w.Header(), name)
	var text strings.Builder
	if err := s.pages.ExecuteTemplate(&text, name, map[string]any{"Page": name, "Host": r.Host}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte(text.String()))
}

// attempts adds the headers by which a page asks for requests.
func (s *Site) attempts(h http.Header, page string) {
	switch page {
	case "reports.html":
		h.Add("Content-Security-Policy", "img-src 'none'; report-uri "+s.canary.URL("D57/csp"))
		h.Add("Content-Security-Policy-Report-Only", "script-src 'none'; report-uri "+s.canary.URL("D57/csp-only"))
		h.Add("Link", "<"+s.canary.URL("D31")+">; rel=preload; as=script")
	case "secure-reports.html":
		h.Add("Reporting-Endpoints", `default="`+s.canary.URL("D57/endpoints")+`"`)
		h.Add("Report-To", `{"group":"nel","max_age":1000,"endpoints":[{"url":"`+s.canary.URL("D57/nel")+`"}]}`)
		h.Add("NEL", `{"report_to":"nel","max_age":1000,"success_fraction":1,"failure_fraction":1}`)
		h.Add("Content-Security-Policy", "img-src 'none'; report-to default")
	}
}

func contentType(name string) string {
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "text/plain"
}
