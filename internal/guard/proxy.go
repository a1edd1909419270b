package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// errStatus refuses an answer whose status does not end a request.
var errStatus = errors.New("the answer has an impossible status")

// handle serves one request of the browser.
func (i *Identity) handle(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		i.serveTunnel(w, r)
		return
	}
	i.servePlain(w, r)
}

// servePlain forwards a plain http request. What is refused or fails gets a closed connection and never a page: a page
// would become the picture.
func (i *Identity) servePlain(w http.ResponseWriter, r *http.Request) {
	to, err := plainTarget(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := i.exchange(w, r, to); err != nil { //nolint:contextcheck // the context is the request's
		i.note(r.Context(), to, err)
		i.hangUp(w)
	}
}

func (i *Identity) exchange(w http.ResponseWriter, r *http.Request, to target) error {
	if err := i.request(to); err != nil {
		return err
	}
	waiting, ctx := i.waits.begin(r)
	defer waiting.end()
	if waiting.ended() != 0 {
		waiting.refuse(w)
		return nil
	}
	answer, err := i.transport.RoundTrip(outgoing(r, to).WithContext(ctx))
	switch {
	case err != nil && waiting.ended() != 0:
		waiting.refuse(w)
		return nil
	case err != nil:
		return fmt.Errorf("forward a request: %w", err)
	}
	err = errors.Join(relay(w, answer, waiting.move), answer.Body.Close())
	if waiting.ended() != 0 { // within its answer, which nobody may take for whole
		i.hangUp(w)
		return nil
	}
	return err
}

// plainTarget reads the request line. A browser writes http:// and a host; anything else is not from a browser.
func plainTarget(r *http.Request) (target, error) {
	switch {
	case r.URL.Scheme == "" || r.URL.Host == "":
		return target{}, errors.New("this is a proxy: send the whole URL")
	case r.URL.Scheme != "http":
		return target{}, errors.New("only http:// is forwarded; use CONNECT")
	case r.URL.User != nil:
		return target{}, errors.New("the URL must not contain a user name or password")
	case len(r.TransferEncoding) > 0:
		return target{}, errors.New("a request body needs a Content-Length")
	}
	return parseTarget(r.URL.Host, 80)
}

// outgoing is the request as the server gets it: to the judged host, with the path as the browser wrote it, without what
// was meant for the proxy.
func outgoing(r *http.Request, to target) *http.Request {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.Host = to.authority(80)
	out.URL = &url.URL{Scheme: "http", Host: to.String(), Opaque: rawPath(r, out.Host), RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
	removeHopHeaders(out.Header)
	if _, given := out.Header["User-Agent"]; !given {
		out.Header.Set("User-Agent", "") // the transport would add its own
	}
	return out
}

// rawPath keeps the escapes of the path as they are, which parsing and writing it would not.
func rawPath(r *http.Request, host string) string {
	_, rest, _ := strings.Cut(r.RequestURI, "//")
	rest, _, _ = strings.Cut(rest, "?")
	_, path, _ := strings.Cut(rest, "/")
	path = "/" + path
	if strings.HasPrefix(path, "//") {
		return "//" + host + path // net/url would take a path of two slashes for a host
	}
	return path
}

// removeHopHeaders removes the headers that concern one connection only (RFC 9110, section 7.6.1).
func removeHopHeaders(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Expect", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(name, "Proxy-") {
			delete(h, name)
		}
	}
}

// relay passes an answer on as it comes in, and calls moved with each part.
func relay(w http.ResponseWriter, answer *http.Response, moved func()) error {
	if answer.StatusCode < http.StatusOK {
		return fmt.Errorf("%w: %d", errStatus, answer.StatusCode)
	}
	header := w.Header()
	// An entry without a value keeps the server from adding its own.
	header["Content-Type"], header["Date"] = nil, nil
	removeHopHeaders(answer.Header)
	maps.Copy(header, answer.Header)
	moved()
	w.WriteHeader(answer.StatusCode)
	return relayBody(w, answer.Body, moved)
}

func relayBody(w http.ResponseWriter, body io.Reader, moved func()) error {
	out := http.NewResponseController(w)
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			moved()
			if _, err := w.Write(buffer[:n]); err != nil {
				return fmt.Errorf("pass an answer on: %w", err)
			}
			if err := out.Flush(); err != nil {
				return fmt.Errorf("pass an answer on: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read an answer: %w", err)
		}
	}
}

// note remembers a failure, unless the browser or the capture's end was its cause.
func (i *Identity) note(ctx context.Context, to target, err error) {
	if i.meter.left() <= 0 && !errors.Is(err, errOverBudget) {
		err = i.meter.overBytes()
	}
	if ctx.Err() == nil || errors.Is(err, errOverBudget) {
		if i.journal.add(eventOf(to, err)) {
			i.policy.tell(err)
		}
	}
}

// hangUp closes the browser's connection without an answer. An answer that has begun has a length or chunks, so its
// sudden end cannot be taken for its proper one.
func (i *Identity) hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	i.conns.drop(conn)
}
