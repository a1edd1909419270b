package httpd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/httpd"
)

// TestClientBehindProxies believes what trusted proxies say, and nobody else.
func TestClientBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, one := range []struct {
		name, peer, forwarded, proto, client string
		secure                               bool
	}{
		{"no proxy", "203.0.113.9:4000", "198.51.100.1", "https", "203.0.113.9:4000", false},
		{"one proxy", "10.0.0.1:4000", "198.51.100.1", "https", "198.51.100.1:0", true},
		{"two proxies", "10.0.0.1:4000", "198.51.100.1, 10.2.3.4", "https", "198.51.100.1:0", true},
		{"the client lies", "10.0.0.1:4000", "127.0.0.1, 198.51.100.1", "http", "198.51.100.1:0", false},
		{"the client lies in words", "10.0.0.1:4000", "evil, 198.51.100.1", "https", "198.51.100.1:0", true},
		{"only proxies", "10.0.0.1:4000", "10.1.1.1, 10.2.3.4", "https", "10.1.1.1:0", true},
		{"nothing said", "10.0.0.1:4000", "", "", "10.0.0.1:4000", false},
		{"version 6", "[fd00::1]:4000", "[2001:db8::1]:55", "https,https", "[2001:db8::1]:0", true},
		{"mapped", "[::ffff:10.0.0.1]:4000", "198.51.100.1", "https, http", "198.51.100.1:0", false},
	} {
		t.Run(one.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = one.peer
			if one.forwarded != "" {
				r.Header.Set("X-Forwarded-For", one.forwarded)
			}
			r.Header.Set("X-Forwarded-Proto", one.proto)
			seen := false
			httpd.Behind(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				seen = true
				if r.RemoteAddr != one.client || httpd.Secure(r) != one.secure {
					t.Errorf("client %s, secure %t; want %s, %t", r.RemoteAddr, httpd.Secure(r), one.client, one.secure)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
			if !seen {
				t.Error("the request was not passed on")
			}
		})
	}
}

// TestCertificateIsReplaced serves with one certificate, and with the next one once the files have changed.
func TestCertificateIsReplaced(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := httpd.ListenTLS(nil, cert, key, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("files that are not there were taken")
	}
	issue(t, cert, key, "first.test", time.Now().Add(-time.Hour))
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := httpd.ListenTLS(plain, cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	issue(t, cert, key, "second.test", time.Now())
	server := httpd.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !httpd.Secure(r) || r.ProtoMajor != 2 {
			w.WriteHeader(http.StatusTeapot)
		}
	}), slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Shutdown(t.Context(), time.Second) }()
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	answer, err := client.Get("https://" + plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if name := answer.TLS.PeerCertificates[0].Subject.CommonName; name != "second.test" || answer.StatusCode != http.StatusOK {
		t.Errorf("the certificate is %s, the status %d", name, answer.StatusCode)
	}
}

// issue writes a certificate that signs itself.
func issue(t *testing.T, cert, key, name string, at time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: at.Add(-time.Hour), NotAfter: at.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}
