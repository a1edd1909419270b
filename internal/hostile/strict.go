package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"
)

// openTLS serves the site over TLS as well, with a certificate that only a browser trusts which is told its key.
func (s *Site) openTLS() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key for the hostile site: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{SiteHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make a certificate for the hostile site: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("make a certificate for the hostile site: %w", err)
	}
	digest := sha256.Sum256(public)
	s.TLSKey = base64.StdEncoding.EncodeToString(digest[:])
	listener, err := tls.Listen("tcp", "127.0.0.11:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return fmt.Errorf("listen for the hostile site: %w", err)
	}
	s.tls = listener.Addr().String()
	s.serving.Go(func() { _ = s.server.Serve(listener) }) // always ends with http.ErrServerClosed
	return nil
}

// StrictURL is the address of a page that orders the browser to use nothing but TLS for the site, and then asks for the site
// without it. Its title is the scheme by which it got there, as that of PlainURL is.
func (s *Site) StrictURL() string { return "https://" + SiteHost + "/strict" }

// PlainURL is the address without TLS of a page whose title is the scheme by which it was asked for.
func (s *Site) PlainURL() string {
	return s.InlineURL("<script>document.title = location.protocol</script>")
}

// strict orders the browser to use nothing but TLS (RFC 6797).
func strict(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Strict-Transport-Security", "max-age=1000")
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, `<!doctype html><p>x<script>location = "`+(&Site{}).PlainURL()+`"</script>`)
}
