package guard

import (
	"io"
	"net/http"
	"testing"
	"time"
)

func TestGiveUp(t *testing.T) {
	r := newRig(t, "")
	asked := make(chan struct{}, 10)
	r.serve(t, "93.184.215.14:80", func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		case "/quick":
			_, _ = io.WriteString(w, "quick")
			return
		}
		asked <- struct{}{}
		<-req.Context().Done()
	})
	i := r.identity(t, Budget{})
	gone := func(v Vain) int {
		if v.URL == "http://good.test/kept" || v.Silent < 50*time.Millisecond {
			return 0
		}
		return http.StatusGatewayTimeout
	}
	hung, half, kept := connect(t, i), connect(t, i), connect(t, i)
	hung.send("GET http://good.test/hung HTTP/1.1\r\nHost: good.test\r\n\r\n")
	half.send("GET http://good.test/half HTTP/1.1\r\nHost: good.test\r\n\r\n")
	kept.send("GET http://good.test/kept HTTP/1.1\r\nHost: good.test\r\n\r\n")
	for range 3 {
		<-asked
	}
	begun, err := http.ReadResponse(half.Reader, nil) // before it is given up
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	within(t, "two requests are given up", func() bool {
		ended += i.GiveUp(gone, nil)
		return ended == 2
	})
	if resp, body, err := hung.answer("GET"); err != nil || resp.StatusCode != http.StatusGatewayTimeout || body != "" {
		t.Errorf("%v %q %v", resp, body, err)
	}
	if body, err := io.ReadAll(begun.Body); err == nil || string(body) != "half" {
		t.Errorf("half an answer was taken for a whole one: %q", body)
	}
	if resp, _, err := hung.get("http://good.test/hung", "good.test"); err != nil || resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("asked again: %v %v", resp, err)
	}
	if _, body, err := hung.get("http://good.test/quick", "good.test"); err != nil || body != "quick" {
		t.Errorf("another address of the server: %q %v", body, err)
	}
	if events := i.Events(); len(events) > 0 {
		t.Errorf("what was given up is a fault of the server: %v", events)
	}
	within(t, "only the one that was let to wait is under way", func() bool { // an answer comes before its request has ended
		i.waits.mu.Lock()
		defer i.waits.mu.Unlock()
		return len(i.waits.open) == 1
	})
}

func TestGiveUpCutsTunnels(t *testing.T) {
	r := newRig(t, "")
	r.raw(t, "93.184.215.14:443", echo)
	r.raw(t, "93.184.215.14:8443", echo)
	i := r.identity(t, Budget{})
	silent, other := connect(t, i), connect(t, i)
	for b, at := range map[*browser]string{silent: "good.test:443", other: "good.test:8443"} {
		if status := b.tunnel(at); status != http.StatusOK {
			t.Fatalf("%s: status %d", at, status)
		}
		b.send("one\n")
		if line, err := b.ReadString('\n'); err != nil || line != "one\n" {
			t.Fatalf("%q %v", line, err)
		}
	}
	if n := i.GiveUp(func(Vain) int { return 0 }, []string{"good.test:443"}); n != 1 {
		t.Errorf("%d tunnels were cut", n)
	}
	if _, err := silent.ReadString('\n'); err == nil {
		t.Error("a tunnel to a silent server goes on")
	}
	other.send("two\n")
	if line, err := other.ReadString('\n'); err != nil || line != "two\n" {
		t.Errorf("another tunnel: %q %v", line, err)
	}
	within(t, "the tunnel is forgotten", func() bool {
		i.waits.mu.Lock()
		defer i.waits.mu.Unlock()
		return len(i.waits.tunnels) == 1
	})
}
