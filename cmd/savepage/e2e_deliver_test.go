package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// deliveriesPage returns a page of deliveries.
func (p *program) deliveriesPage(query string) (list []savepage.Delivery) {
	p.t.Helper()
	status, _, text := p.call(http.MethodGet, "/v1/deliveries?"+query, nil)
	var page struct {
		Deliveries []savepage.Delivery `json:"deliveries"`
	}
	if err := json.Unmarshal(text, &page); err != nil || status != http.StatusOK {
		p.t.Fatalf("list deliveries: status %d, %s", status, text)
	}
	return page.Deliveries
}

func (p *program) log() string {
	text, err := os.ReadFile(p.logs.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *program) metric(line string) bool {
	_, _, text, err := p.try(http.MethodGet, "/metrics", nil)
	return err == nil && strings.Contains(string(text), line+"\n")
}

// moody is a receiver that does something else with each request that it gets.
type moody struct {
	listener net.Listener
	script   []func(conn net.Conn)
	mu       sync.Mutex
	ids      []string // webhook-id of each request
	work     sync.WaitGroup
}

func newMoody(t *testing.T, script ...func(conn net.Conn)) *moody {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{listener: listener, script: script}
	m.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.work.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		m.work.Wait()
	})
	return m
}

// serve answers the requests of one connection in the order of the script.
func (m *moody) serve(conn net.Conn) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		m.mu.Lock()
		n := len(m.ids)
		m.ids = append(m.ids, req.Header.Get(savepage.HeaderWebhookID))
		m.mu.Unlock()
		if n >= len(m.script) {
			return
		}
		m.script[n](conn)
	}
}

func (m *moody) seen() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ids)
}

func says(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }

// TestMoodyReceiver follows one delivery through every way in which a receiver can fail, and through a kill between two
// attempts.
func TestMoodyReceiver(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t, "--webhook-retry-base", "10ms", "--webhook-timeout", "4s")
	hook := newMoody(t,
		func(c net.Conn) { _ = c.Close() },
		func(c net.Conn) { _, _ = c.(*net.TCPConn).SetLinger(0), c.Close() },
		says("SSH-2.0-OpenSSH\r\n"),
		says("HTTP/1.1 500 Internal Server Error\r\n\r\n"+strings.Repeat("x", 3<<20)),
		func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, // until the sender gives up
		says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n"),
		func(c net.Conn) { // more than the time allows, but the status has come
			says("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")(c)
			_, _ = io.Copy(io.Discard, c)
		},
	)
	p.start()
	id := p.submit(map[string]any{"url": site + "/a", "callback_url": "http://" + hook.listener.Addr().String() + "/"})
	p.eventually("six attempts are recorded", func() bool {
		got := p.lookup(id)
		return len(got.Deliveries) == 1 && len(got.Deliveries[0].Attempts) == 6
	})
	p.kill()
	p.start()
	p.eventually("it is taken", func() bool { return p.lookup(id).Deliveries[0].State == "delivered" })
	d := p.deliveriesPage(url.Values{"capture_id": {id}}.Encode())[0]
	var outcomes []savepage.AttemptOutcome
	for i, a := range d.Attempts {
		outcomes = append(outcomes, a.Outcome)
		if a.Number != i+1 || (a.NextAt == nil) != (i == 6) || a.Answer != "" {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
		if i > 0 && a.At.Before(*d.Attempts[i-1].NextAt) {
			t.Errorf("attempt %d at %s, due at %s", i+1, a.At, d.Attempts[i-1].NextAt)
		}
	}
	want := []savepage.AttemptOutcome{
		savepage.AttemptRefused, savepage.AttemptRefused, savepage.AttemptRefused, savepage.AttemptStatus, savepage.AttemptTimeout,
		savepage.AttemptStatus, savepage.AttemptDelivered,
	}
	if !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %v", outcomes)
	}
	if wait := d.Attempts[6].At.Sub(d.Attempts[5].At); wait < 10*time.Second {
		t.Errorf("Retry-After was 10 s, the next attempt came after %s", wait)
	}
	if ids := hook.seen(); len(ids) != 7 || len(slices.Compact(ids)) != 1 {
		t.Errorf("webhook-ids %v", ids)
	}
}

// TestBadCertificate has a receiver whose certificate nobody trusts.
func TestBadCertificate(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t, "--webhook-max-attempts", "1")
	hook := httptest.NewTLSServer(http.NotFoundHandler())
	hook.Config.ErrorLog = nil
	t.Cleanup(hook.Close)
	p.start()
	id := p.submit(map[string]any{"url": site + "/a", "callback_url": hook.URL})
	p.eventually("it is dead", func() bool {
		got := p.lookup(id).Deliveries
		return len(got) == 1 && got[0].State == "dead" && got[0].Attempts[0].Outcome == savepage.AttemptTLS
	})
}

// TestDeadLettersAreSentAgain lets callbacks die, kills the service, and has them sent again: once, and all.
func TestDeadLettersAreSentAgain(t *testing.T) {
	t.Parallel()
	const count = 8
	site, p := startSite(t), newProgram(t, "--webhook-max-attempts", "2", "--webhook-retry-base", "50ms")
	var well atomic.Bool
	owed := make(chan struct{})
	answer := sync.OnceFunc(func() { close(owed) })
	hook := newReceiver(t, p.secret, func(w http.ResponseWriter, _ int) {
		<-owed
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	t.Cleanup(answer)
	p.start()
	since := time.Now()
	var ids []string
	for range count {
		ids = append(ids, p.submit(map[string]any{"url": site + "/a", "callback_url": hook.URL}))
	}
	// The failures of a receiver are counted for as long as something is owed to it, so no answer comes before all are owed.
	p.eventually("all are owed", func() bool { return p.metric(`savepage_deliveries{state="pending"} 8`) })
	answer()
	p.eventually("all are dead", func() bool { return p.metric(`savepage_deliveries{state="dead"} 8`) })
	dead := p.deliveriesPage("state=dead")
	if len(dead) != count || len(p.deliveriesPage("state=pending")) != 0 {
		t.Fatalf("%d are dead", len(dead))
	}
	for _, d := range dead {
		if len(d.Attempts) != 2 || d.EndedAt == nil || d.Attempts[1].Status != http.StatusInternalServerError {
			t.Errorf("%+v", d)
		}
	}
	p.eventually("the log tells of the dead and of the receiver", func() bool {
		log := p.log()
		return strings.Count(log, "delivery is dead") == count && strings.Contains(log, "receiver fails")
	})
	p.kill()
	well.Store(true)
	p.start()
	for _, want := range []int{count, 0} {
		status, _, text := p.call(http.MethodPost, "/v1/deliveries/redeliver", map[string]any{"since": since})
		var again struct{ Redelivered int }
		if err := json.Unmarshal(text, &again); err != nil || status != http.StatusAccepted || again.Redelivered != want {
			t.Errorf("status %d, %s, want %d", status, text, want)
		}
	}
	p.eventually("all are taken", func() bool { return hook.taken(ids) == count })
	p.eventually("all are delivered", func() bool { return p.metric(`savepage_deliveries_ended_total{state="delivered"} 8`) })
	one := p.deliveriesPage("state=delivered&limit=1")[0]
	status, _, text := p.call(http.MethodPost, "/v1/deliveries/"+one.ID+"/redeliver", nil)
	if status != http.StatusAccepted {
		t.Errorf("status %d, %s", status, text)
	}
	p.eventually("one is sent once more", func() bool { return len(hook.of(one.CaptureID)) == 4 })
	hook.check()
	for _, id := range ids {
		if calls := len(hook.of(id)); calls != 3 && id != one.CaptureID {
			t.Errorf("%s was announced %d times", id, calls)
		}
	}
}

// J17: a receiver that takes connections and never answers is owed 10,000 events of one account. The events of another come
// while all of these are still owed.
func TestDeadReceiverOwedMuch(t *testing.T) {
	t.Parallel()
	const rows, batches, others = 1000, 10, 20
	site, p := startSite(t), newProgram(t)
	stranger := p.newAccount()
	p.start()
	dead, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dead.Close() })
	var came atomic.Int64
	live := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came.Add(1) }))
	t.Cleanup(live.Close)
	owe := func(n int, to string, header ...string) {
		status, _, text := p.call(http.MethodPost, "/v1/batches", map[string]any{
			"urls":    slices.Repeat([]string{site + "/bands?height=300"}, n),
			"options": map[string]any{"width": 320, "height": 240, "cache_ttl": 3600}, "callback_url": to,
		}, header...)
		if status != http.StatusAccepted {
			t.Fatalf("status %d, %s", status, text)
		}
	}
	for range batches {
		owe(rows, "http://"+dead.Addr().String())
	}
	owed := `savepage_deliveries{state="pending"} ` + strconv.Itoa(rows*batches)
	p.eventually("all is owed", func() bool { return p.metric(owed) })
	began := time.Now()
	owe(others, live.URL, "Authorization", "Bearer "+stranger)
	p.eventually("the other's events", func() bool { return came.Load() == others })
	t.Logf("%d events of the other account came within %s", others, time.Since(began))
	p.eventually("all that the dead receiver is owed is still owed", func() bool { return p.metric(owed) })
}
