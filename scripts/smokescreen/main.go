// Command smokescreen reads addresses, one a line, and says after each whether github.com/stripe/smokescreen would connect
// to it: "8.8.8.8 allow". The test of internal/guard compares these verdicts with ours. It is a module of its own, because
// smokescreen brings two dozen modules that the service has no use for.
//
//	go run . < addresses > ../../internal/guard/testdata/smokescreen.txt
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stripe/smokescreen/pkg/smokescreen"
	"github.com/stripe/smokescreen/pkg/smokescreen/conntrack"
)

// one resolves every name to the address that is asked about.
type one struct{ ip net.IP }

func (o *one) LookupPort(context.Context, string, string) (int, error) { return 443, nil }

func (o *one) LookupIP(context.Context, string, string) ([]net.IP, error) { return []net.IP{o.ip}, nil }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	cfg := smokescreen.NewConfig()
	cfg.Log.SetOutput(io.Discard)
	cfg.AllowMissingRole = true
	cfg.ConnTracker = conntrack.NewTracker(time.Minute, cfg.MetricsClient, cfg.Log, atomic.Value{}, nil)
	names, allowed := &one{}, false
	cfg.Resolver = names
	cfg.ProxyDialTimeout = func(context.Context, string, string, time.Duration) (net.Conn, error) {
		allowed = true
		return nil, errors.New("this only asks")
	}
	proxy := httptest.NewServer(smokescreen.BuildProxy(cfg))
	out := bufio.NewWriter(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if names.ip = net.ParseIP(text); names.ip == nil {
			return errors.New(strconv.Quote(text) + " is not an address")
		}
		allowed = false
		ask(proxy.Listener.Addr().String())
		verdict := "refuse"
		if allowed {
			verdict = "allow"
		}
		fmt.Fprintln(out, text, verdict)
	}
	return out.Flush()
}

// ask has the proxy judge. What it answers, or whether it breaks off, says nothing: the dial does.
func ask(proxy string) {
	conn, err := net.Dial("tcp", proxy)
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "CONNECT some.test:443 HTTP/1.1\r\nHost: some.test:443\r\nConnection: close\r\n\r\n")
	_, _ = bufio.NewReader(conn).ReadString('\n')
}
