package httpd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked at again.
const certificateAge = 10 * time.Second

// certificate is read from files, and again when they change: a new one needs no restart. It is safe for concurrent use.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	written time.Time // of the newer of both files
	looked  time.Time
}

// ListenTLS returns the listener with TLS in front, with the certificate of two files of PEM.
func ListenTLS(listener net.Listener, cert, key string, log *slog.Logger) (net.Listener, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return tls.NewListener(listener, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()), nil },
	}), nil
}

func (c *certificate) load() error {
	changed, err := c.changed()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	c.loaded, c.written = &pair, changed
	return nil
}

// changed is when one of the files was last written.
func (c *certificate) changed() (time.Time, error) {
	cert, err := os.Stat(c.cert)
	key, err2 := os.Stat(c.key)
	if err := errors.Join(err, err2); err != nil {
		return time.Time{}, fmt.Errorf("find the certificate: %w", err)
	}
	if key.ModTime().After(cert.ModTime()) {
		return key.ModTime(), nil
	}
	return cert.ModTime(), nil
}

// current is the certificate of the files, or the former one while they do not fit together.
func (c *certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certificateAge {
		return c.loaded
	}
	c.looked = now
	changed, err := c.changed()
	if err == nil && changed.Equal(c.written) {
		return c.loaded
	}
	if err = c.load(); err != nil {
		c.log.Error("the new certificate cannot be used: the former one is", slog.Any("error", err))
	} else {
		c.log.Info("the certificate was replaced")
	}
	return c.loaded
}
