package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/browser"
)

// askHost makes a request that names a host.
func (s *server) askHost(path, host string, headers ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.address+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Host = host
	for _, name := range headers {
		r.Header.Set(name, "1.2.3.4")
	}
	got, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return got.StatusCode, string(body)
}

// K11, and where the metrics are: on loopback a foreign host reads nothing, and the metrics are for this machine.
func TestWhoReachesTheServer(t *testing.T) {
	sv := start(t, settings(t, t.TempDir(), "--roles", "api", "--public-url", "https://shots.example.com", "--allowed-hosts", "inner.test"))
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/version", "/v1/captures", "/nothing"} {
		if status, body := sv.askHost(path, "evil.test:8080"); status != http.StatusMisdirectedRequest || strings.Contains(body, "evil") {
			t.Errorf("%s with a foreign host: %d %s", path, status, body)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1:1", "shots.example.com", "inner.test:99"} {
		if status, body := sv.askHost("/version", host); status != http.StatusOK {
			t.Errorf("with the host %s: %d %s", host, status, body)
		}
	}
	if status, _ := sv.askHost("/metrics", "localhost"); status != http.StatusOK {
		t.Errorf("metrics for this machine: %d", status)
	}
	status, body := sv.askHost("/metrics", "localhost", "X-Forwarded-For")
	if status != http.StatusForbidden || !strings.Contains(body, metricsSetting) {
		t.Errorf("metrics for another: %d %s", status, body)
	}
}

func TestMetricsHaveAPortOfTheirOwn(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	for _, roles := range []string{"api", "deliver"} {
		sv := start(t, settings(t, t.TempDir(), "--roles", roles, "--metrics-listen", port))
		if status, _ := sv.askHost("/metrics", "localhost"); status != http.StatusNotFound {
			t.Errorf("%s: metrics beside the API: %d", roles, status)
		}
		watched := *sv
		watched.address = port
		status, body := watched.askHost("/metrics", "localhost", "X-Forwarded-For")
		if status != http.StatusOK || !strings.Contains(body, "savepage_") {
			t.Errorf("%s: metrics: %d", roles, status)
		}
		if status, _ := watched.askHost("/metrics", "evil.test"); status != http.StatusMisdirectedRequest {
			t.Errorf("%s: metrics with a foreign host: %d", roles, status)
		}
		if status, _ := watched.askHost("/version", "localhost"); status != http.StatusNotFound {
			t.Errorf("%s: the API on the port of the metrics: %d", roles, status)
		}
		if err := sv.stop(); err != nil {
			t.Error(err)
		}
	}
}

// A server that sends an answer which nobody asked for has its words logged by net/http: they come into our log, one line
// each, cut and without control characters.
func TestWordsOfServersAreBounded(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	unsolicited := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		<-unsolicited
		_, _ = io.WriteString(conn, "\x1b[31mlevel=ERROR msg=forged\nsecond line"+strings.Repeat("x", 5000))
		_, _ = conn.Read(make([]byte, 1))
	}()
	text := &output{}
	defer takeStandardLog(slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: slog.LevelDebug})))()
	client := &http.Client{Transport: &http.Transport{}}
	got, err := client.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	close(unsolicited)
	awaitText(t, text, "Unsolicited response")
	line := text.String()
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "\x1b") || len(line) > 600 || !strings.Contains(line, `msg="library wrote"`) {
		t.Errorf("logged %q", line)
	}
	log.Print("a\x00b\r\nlevel=ERROR", strings.Repeat("ü", 1000))
	if line := strings.TrimPrefix(text.String(), line); strings.Count(line, "\n") != 1 || !strings.Contains(line, "a b  level=ERROR") ||
		!strings.Contains(line, "cut=true") {
		t.Errorf("logged %q", line)
	}
}

func awaitText(t *testing.T, in *output, part string) {
	t.Helper()
	awaitTrue(t, part+" is logged", func() bool { return strings.Contains(in.String(), part) })
}

// The log at the start and the doctor say which belts are on.
func TestBeltsAreTold(t *testing.T) {
	var text bytes.Buffer
	to := slog.New(slog.NewTextHandler(&text, nil))
	logBelts(t.Context(), browser.Belts{NoJail: "the reason"}, to)
	for _, part := range []string{"level=WARN", "sandbox=off", "user=service", "network=flags", "the reason", "SAVEPAGE_SANDBOX"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the log does not say %s: %s", part, text.String())
		}
	}
	text.Reset()
	logBelts(t.Context(), browser.Belts{Sandbox: true, OwnUser: true, Jailed: true}, to)
	if !strings.Contains(text.String(), "level=INFO") || strings.Contains(text.String(), "missing") {
		t.Errorf("the log says %s", text.String())
	}
	for i, part := range []string{"off by SAVEPAGE_SANDBOX", "the server's own", "the reason"} {
		if got := checkBelts(browser.Belts{NoJail: "the reason"})[i]; !got.OK || !strings.Contains(got.Found, part) {
			t.Errorf("the doctor says %+v", got)
		}
	}
	sv := start(t, settings(t, t.TempDir()))
	for _, path := range []string{"/healthz", "/readyz"} {
		if _, body := sv.askHost(path, "localhost"); !strings.Contains(body, `"belts":{"network":"namespace","sandbox":"on","user":"own"}`) {
			t.Errorf("%s says %s", path, body)
		}
	}
	if !strings.Contains(sv.err.String(), "belts of the browser") {
		t.Errorf("the log does not name the belts: %s", sv.err)
	}
}

// The doctor says how old the browser is, and when it is too old.
func TestAgeOfTheBrowser(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for built, want := range map[time.Time]check{
		now.Add(-8 * day):            {Found: "a browser, of 2026-11-20, 8 days old"},
		now.Add(-60*day - time.Hour): {Found: "a browser, of 2026-09-29, 60 days old", Fix: "Install a newer version"},
	} {
		got := check{Found: "a browser"}
		got.aged(built, now)
		if got.Found != want.Found || !strings.HasPrefix(got.Fix, want.Fix) || (got.Fix == "") != (want.Fix == "") {
			t.Errorf("of %v: %+v", built, got)
		}
	}
}

// The doctor tries the bucket and the outbound proxy, and says what is wrong with them without their passwords.
func TestDoctorTriesOthers(t *testing.T) {
	_, bucket := bucketServer(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("us", "hunter2"), Host: listener.Addr().String()}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	try := func(s Settings, ok bool, says string) {
		t.Helper()
		got := slices.Concat(checkPictures(t.Context(), s), checkOutbound(t.Context(), s))
		text := fmt.Sprintf("%+v", got)
		if len(got) != 1 || got[0].OK != ok || (got[0].Fix == "") != ok || !strings.Contains(text, says) || strings.Contains(text, "hunter2") {
			t.Errorf("the doctor says %s, want %v and %q", text, ok, says)
		}
	}
	try(Settings{Outbound: proxy}, true, proxy.Host)
	try(Settings{Blobs: bucket}, true, "can be written")
	try(Settings{Blobs: strings.Replace(bucket, "://", "://no-", 1)}, false, "does not exist")
	try(Settings{Blobs: t.TempDir()}, true, "pictures")
	try(Settings{Blobs: filepath.Join(file, "below")}, false, "file")
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	try(Settings{Outbound: proxy}, false, "refused")
	try(Settings{Blobs: "s3://pictures/shots?endpoint=http://" + proxy.Host + "&region=here"}, false, "refused")
	if got := slices.Concat(checkPictures(t.Context(), Settings{}), checkOutbound(t.Context(), Settings{})); len(got) > 0 {
		t.Errorf("nothing is set, and the doctor says %+v", got)
	}
}

// The ports that browsers refuse are those at which a browser says so, and the server and the doctor name them.
func TestPortsThatBrowsersRefuse(t *testing.T) {
	v := newVisitor(t)
	for port, refused := range map[uint16]bool{
		1718: false, 1719: true, 1720: true, 1723: true, 2049: true, 6000: true, 6379: false, 6669: true, 6697: true, 10080: true, 10081: false,
	} {
		address := fmt.Sprintf("http://127.0.0.1:%d", port)
		var got struct {
			ErrorText string `json:"errorText"`
		}
		v.do("Page.navigate", map[string]any{"url": address}, &got)
		if is, says := got.ErrorText == "net::ERR_UNSAFE_PORT", len(closedToBrowsers(address)) > 0; is != refused || says != refused {
			t.Errorf("%d: the browser says %q, we say refused: %v", port, got.ErrorText, says)
		}
	}
	if got := closedToBrowsers("", "https://example.com", "http://[::1]:6000/a"); !slices.Equal(got, []string{"http://[::1]:6000/a"}) {
		t.Errorf("%q", got)
	}
	s := settings(t, t.TempDir(), "--roles", "api", "--public-url", "http://example.com:6000", "--cdn-url", "http://example.com:7000")
	sv := start(t, s)
	awaitText(t, sv.err, "browsers open no address with this port")
	if log := sv.err.String(); !strings.Contains(log, "example.com:6000") || strings.Contains(log, "example.com:7000") {
		t.Errorf("%s", log)
	}
	if got := checkListen(t.Context(), s); !got.OK || !strings.HasSuffix(got.Found, "http://example.com:6000") || got.Fix == "" {
		t.Errorf("the doctor says %+v", got)
	}
	if got := checkListen(t.Context(), settings(t, t.TempDir())); !got.OK || got.Fix != "" {
		t.Errorf("the doctor says %+v", got)
	}
}

// The commands that ask a server, or name it, do so by TLS where the settings have a certificate.
func TestServerWithTLSIsAsked(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	issued := httptest.NewTLSServer(http.NotFoundHandler())
	defer issued.Close()
	private, err := x509.MarshalPKCS8PrivateKey(issued.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: issued.Certificate().Raw}, key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := settings(t, t.TempDir(), "--roles", "api", "--tls-cert", cert, "--tls-key", key)
	s.Listen = start(t, s).address
	if got := checkListen(t.Context(), s); !got.OK || got.Found != "a server answers on "+s.Listen {
		t.Errorf("the doctor says %+v", got)
	}
	secret := "lnk_" + strings.Repeat("a", 12) + "_" + strings.Repeat("b", 32)
	for want, args := range map[string][]string{
		"https://" + s.Listen + "/v1/image?": {"link", "https://a.test", "--secret", secret},
		"ok":                                 {"health", "--live"},
	} {
		var out, complaint bytes.Buffer
		args = append(args, "--listen", s.Listen, "--tls-cert", cert)
		if code := execute(t.Context(), args, environment{out: &out, err: &complaint}); code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %d %s%s, want %q", args, code, &out, &complaint, want)
		}
	}
}
