package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/httpd"
)

const (
	hostsSetting   = envPrefix + "ALLOWED_HOSTS"
	metricsSetting = envPrefix + "METRICS_LISTEN"
)

// own keeps pages and callbacks away from a listener of the server.
func own(policy *guard.Policy, listener net.Listener) {
	if address, is := listener.Addr().(*net.TCPAddr); is {
		policy.Own(address.AddrPort())
	}
}

// base is the URL, without a path, of a server with these settings, for a program on its machine.
func (s Settings) base(listen string) string {
	if s.TLSCert != "" || s.TLSKey != "" {
		return "https://" + reachable(listen)
	}
	return "http://" + reachable(listen)
}

// publicURL is the URL, without a path, of a server with these settings, for its clients.
func (s Settings) publicURL(listen string) string { return cmp.Or(s.PublicURL, s.base(listen)) }

// reachable turns an address to listen on into one to connect to.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// closedToBrowsers are those of the server's addresses that browsers do not open because of their ports. 0 is any free port.
func closedToBrowsers(addresses ...string) (closed []string) {
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err == nil && port > 0 && guard.BrowsersRefuse(uint16(port)) {
			closed = append(closed, address)
		}
	}
	return closed
}

// listenTLS puts TLS before a listener, which it closes when that cannot be.
func listenTLS(plain net.Listener, s Settings, log *slog.Logger) (net.Listener, error) {
	if s.TLSCert == "" || s.TLSKey == "" {
		return nil, errors.Join(errors.New("SAVEPAGE_TLS_CERT and SAVEPAGE_TLS_KEY: want both, or none"), plain.Close())
	}
	listener, err := httpd.ListenTLS(plain, s.TLSCert, s.TLSKey, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("SAVEPAGE_TLS_CERT: %w", err), plain.Close())
	}
	return listener, nil
}

// onlyKnownHosts answers the requests to a listener that name a host which the server has.
func onlyKnownHosts(next http.Handler, listener net.Listener, s Settings, links capture.Links) http.Handler {
	hosts := httpd.NewHosts(listener.Addr(), []string{links.PublicURL, links.CDNURL}, s.Hosts)
	return hosts.Wrap(next, refusal(savepage.CodeMisdirected,
		"this server does not answer to the host that the request names; the operator can add it to "+hostsSetting))
}

func refusal(code savepage.Code, detail string) http.HandlerFunc {
	return httpd.Refusal(code.Info().Status, string(code), detail)
}

// metricsPort is the port of the metrics. Without a listener the API's serves them.
type metricsPort struct {
	listener net.Listener
	server   *httpd.Server
}

// listen opens the port, if the settings name one.
func (m *metricsPort) listen(ctx context.Context, s Settings, policy *guard.Policy) (err error) {
	if s.Metrics == "" {
		return nil
	}
	if m.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.Metrics); err != nil {
		return fmt.Errorf("%s: %w", metricsSetting, err)
	}
	own(policy, m.listener)
	return nil
}

// beside is what the API's listener serves of the metrics: nothing when they have a port of their own.
func (m *metricsPort) beside(metrics http.Handler) http.Handler {
	if m.listener != nil {
		return nil
	}
	return httpd.Local(metrics, refusal(savepage.CodeForbidden,
		"metrics are answered to programs on the server's own machine; the operator can give them a port of their own with "+metricsSetting))
}

// start makes the server of the port, and returns what serves it until close; nil where there is none.
func (m *metricsPort) start(metrics http.Handler, s Settings, links capture.Links, log *slog.Logger) (serve func() error) {
	if m.listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	m.server = httpd.NewServer(httpd.Chain{Log: log}.Wrap(onlyKnownHosts(mux, m.listener, s, links)), log)
	return func() error { return m.server.Serve(m.listener) }
}

// close ends the port. A reader can be cut off.
func (m *metricsPort) close(ctx context.Context, log *slog.Logger) error {
	if m.server == nil {
		return closeOpen(m.listener)
	}
	if err := m.server.Shutdown(ctx, time.Second); err != nil {
		log.WarnContext(ctx, "readers of the metrics cut off", slog.Any("error", err))
	}
	return nil
}

// standardLog takes what libraries write to Go's own log and logs it as ours. net/http writes words of servers there, which
// are anybody's: a line is cut and has no control characters.
type standardLog struct{ log *slog.Logger }

const maxStandardLine = 300 // bytes of a line of a library

// Write takes one line.
func (s standardLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line[:min(len(line), maxStandardLine)]))
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, " "))
	s.log.Debug("library wrote", slog.String("text", text), slog.Bool("cut", len(line) > maxStandardLine))
	return len(line), nil
}

// takeStandardLog has Go's own log write into ours, until the returned function is called.
func takeStandardLog(to *slog.Logger) (restore func()) {
	writer, flags := log.Writer(), log.Flags()
	log.SetOutput(standardLog{to})
	log.SetFlags(0)
	return func() { log.SetOutput(writer); log.SetFlags(flags) }
}
