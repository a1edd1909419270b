package guard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// tunnelSlice is how many bytes a tunnel moves before it looks at the budget.
const tunnelSlice = 64 << 10

// serveTunnel connects the browser to a server for https, ws and wss, and does not look inside.
func (i *Identity) serveTunnel(w http.ResponseWriter, r *http.Request) {
	to, err := parseTarget(r.RequestURI, 0)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	server, err := i.reach(r, to)
	if err != nil {
		i.note(r.Context(), to, err)
		w.WriteHeader(tunnelStatus(err))
		return
	}
	defer i.conns.drop(server)
	browser, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer i.conns.drop(browser)
	defer i.waits.pass(to, browser, server)()
	if err := i.tunnel(browser, server, buffered.Reader); err != nil {
		i.journal.add(eventOf(to, err))
	}
}

func (i *Identity) reach(r *http.Request, to target) (net.Conn, error) {
	if err := i.request(to); err != nil {
		return nil, err
	}
	return i.connect(r.Context(), to)
}

// tunnelStatus helps tests by hand: browsers show every refusal alike.
func tunnelStatus(err error) int {
	var refusal *Refusal
	var network net.Error
	switch {
	case errors.As(err, &refusal), errors.Is(err, errOverBudget), errors.Is(err, errFiltered):
		return http.StatusForbidden
	case errors.As(err, &network) && network.Timeout():
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

// tunnel moves bytes until both sides have ended, one has failed or the budget is used up; only the last is an error.
func (i *Identity) tunnel(browser, server net.Conn, early *bufio.Reader) error {
	if _, err := io.WriteString(browser, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return nil //nolint:nilerr // the browser has gone
	}
	if _, err := io.CopyN(server, early, int64(early.Buffered())); err != nil {
		return fmt.Errorf("start a tunnel: %w", err)
	}
	var upErr, downErr error
	var both sync.WaitGroup
	both.Go(func() { upErr = i.pump(server, browser) })
	downErr = i.pump(browser, server)
	both.Wait()
	return errors.Join(upErr, downErr)
}

// pump copies one direction. Slices of a TCP connection to another are moved by the kernel.
func (i *Identity) pump(dst, src net.Conn) error {
	for {
		left := i.meter.left()
		if left <= 0 {
			closeBoth(dst, src)
			return i.meter.overBytes()
		}
		n, err := io.CopyN(dst, src, min(left, tunnelSlice))
		i.meter.bytes.Add(n)
		if errors.Is(err, io.EOF) {
			closeWrite(dst)
			return nil
		}
		if err != nil {
			closeBoth(dst, src)
			return nil //nolint:nilerr // a tunnel ends when either side goes; the browser sees that itself
		}
	}
}

// closeWrite passes the end of one direction on.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the other side may be gone
		return
	}
	_ = conn.Close()
}

func closeBoth(a, b net.Conn) {
	_ = a.Close()
	_ = b.Close()
}
