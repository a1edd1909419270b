package cdp

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"go.uber.org/goleak"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer plays the browser's side of a pipe.
type peer struct {
	t   *testing.T
	in  *bufio.Reader
	cmd *os.File
	out *os.File

	work sync.WaitGroup
}

type command struct {
	ID        int64           `json:"id"`
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	SessionID string          `json:"sessionId"`
}

// dial makes a connection to a peer. Both are closed with the test.
func dial(t *testing.T) (*Conn, *peer) {
	t.Helper()
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, in: bufio.NewReader(theirIn), cmd: theirIn, out: theirOut}
	c := NewConn(ourOut, ourIn)
	t.Cleanup(func() {
		c.Close()
		theirIn.Close()
		theirOut.Close()
		p.work.Wait()
	})
	return c, p
}

// read returns the next command, and false when the pipe has ended.
func (p *peer) read() (command, bool) {
	text, err := p.in.ReadBytes(0)
	if err != nil {
		return command{}, false
	}
	var c command
	if err := json.Unmarshal(text[:len(text)-1], &c); err != nil {
		p.t.Errorf("command %q: %v", text, err)
	}
	return c, true
}

func (p *peer) say(format string, args ...any) {
	// An error is the connection's end, which is the test's to judge.
	fmt.Fprintf(p.out, format+"\x00", args...)
}

// echo answers every command with its own parameters until the pipe ends.
func (p *peer) echo() {
	for c, ok := p.read(); ok; c, ok = p.read() {
		p.say(`{"id":%d,"result":%s}`, c.ID, cmp.Or(string(c.Params), "{}"))
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
	}
}

func TestCommandOnTheWire(t *testing.T) {
	c, p := dial(t)
	c.Attach("S1").Send("Page.navigate", page.NavigateParams{URL: "http://a/\x00\"é"})
	c.Browser().Send("Browser.getVersion", nil)
	first, _ := p.in.ReadString(0)
	if want := `{"id":1,"method":"Page.navigate","params":{"url":"http://a/\u0000\"é"},"sessionId":"S1"}` + "\x00"; first != want {
		t.Errorf("sent %q, want %q", first, want)
	}
	second, _ := p.in.ReadString(0)
	if want := `{"id":2,"method":"Browser.getVersion"}` + "\x00"; second != want {
		t.Errorf("sent %q, want %q", second, want)
	}
}

func TestTypedCall(t *testing.T) {
	c, p := dial(t)
	p.work.Go(func() {
		cmd, _ := p.read()
		p.say(`{"id":%d,"result":{"frameId":"F","loaderId":"L","errorText":"net::ERR"},"sessionId":"S"}`, cmd.ID)
	})
	res, err := Call(within(t), c.Attach("S"), page.Navigate, page.NavigateParams{URL: "about:blank"})
	if err != nil || res.FrameID != "F" || res.ErrorText != "net::ERR" {
		t.Fatalf("got %+v, %v", res, err)
	}
}

func TestAnswersFindTheirCallsInAnyOrder(t *testing.T) {
	c, p := dial(t)
	const callers, calls = 32, 40
	p.work.Go(func() {
		var held []command
		for range callers * calls {
			cmd, ok := p.read()
			if !ok {
				return
			}
			held = append(held, cmd)
			// Every caller waits for its one answer, so nothing is held when nothing more is on its way.
			if p.in.Buffered() == 0 || rand.IntN(8) == 0 {
				rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
				for _, h := range held {
					p.say(`{"id":%d,"result":%s}`, h.ID, h.Params)
				}
				held = nil
			}
		}
	})
	ctx := within(t)
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for call := range calls {
				var got struct{ Caller, Call int }
				err := c.Browser().Execute(ctx, "Any.thing", map[string]int{"Caller": caller, "Call": call}, &got)
				if err != nil || got.Caller != caller || got.Call != call {
					t.Errorf("caller %d call %d got %+v, %v", caller, call, got, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestCommandsKeepTheirOrder(t *testing.T) {
	c, p := dial(t)
	const n = 2000
	p.work.Go(func() {
		for i := range n {
			c.Browser().Send("Any.thing", i)
		}
	})
	for i := range n {
		cmd, _ := p.read()
		if string(cmd.Params) != strconv.Itoa(i) {
			t.Fatalf("command %d carries %s", i, cmd.Params)
		}
	}
}

func TestEventsKeepTheirOrder(t *testing.T) {
	c, p := dial(t)
	const n = 500
	mine, other := c.Attach("mine"), c.Attach("other")
	var got, second []string
	done := make(chan struct{})
	mine.Listen(func(_ string, params json.RawMessage) { got = append(got, string(params)) })
	mine.Listen(func(method string, params json.RawMessage) {
		second = append(second, string(params))
		if method == "A.last" {
			close(done)
		}
	})
	other.Listen(func(string, json.RawMessage) { t.Error("received an event of another session") })
	for i := range n {
		p.say(`{"method":"A.event","params":{"n":%d},"sessionId":"mine"}`, i)
	}
	p.say(`{"method":"A.event","params":{},"sessionId":"nobody's"}`)
	p.say(`{"method":"A.last","params":{"n":%d},"sessionId":"mine"}`, n)
	await(t, "the last event", done)
	for i := range n + 1 {
		if want := fmt.Sprintf(`{"n":%d}`, i); got[i] != want || second[i] != want {
			t.Fatalf("event %d is %s and %s", i, got[i], second[i])
		}
	}
}

func TestListenerMaySend(t *testing.T) {
	c, p := dial(t)
	c.Browser().Listen(func(string, json.RawMessage) { c.Browser().Send("Page.handleJavaScriptDialog", nil) })
	for range 3 {
		p.say(`{"method":"Page.javascriptDialogOpening","params":{}}`)
		if cmd, ok := p.read(); !ok || cmd.Method != "Page.handleJavaScriptDialog" {
			t.Fatalf("got %+v, %v", cmd, ok)
		}
	}
}

func TestRefusedCommand(t *testing.T) {
	c, p := dial(t)
	p.work.Go(func() {
		cmd, _ := p.read()
		p.say(`{"id":%d,"error":{"code":-32602,"message":"Invalid parameters","data":"url: string expected"}}`, cmd.ID)
	})
	err := c.Browser().Execute(within(t), "Page.navigate", nil, nil)
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != -32602 || refused.Message != "Invalid parameters: url: string expected" {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "Page.navigate") {
		t.Errorf("%q does not name the method", err)
	}
}

func TestStrangeMessagesAreDropped(t *testing.T) {
	c, p := dial(t)
	p.work.Go(func() {
		cmd, _ := p.read()
		p.say(`{"id":99999,"result":{}}`)
		p.say(`{"id":-1,"error":{"code":1,"message":"x"}}`)
		p.say(`{}`)
		p.say(`{"error":{"code":-32700,"message":"no id"}}`)
		p.say(`{"method":"A.event"}`)
		p.say(`{"method":"Target.detachedFromTarget","params":{"sessionId":"unknown"}}`)
		p.say(`{"method":"Target.detachedFromTarget","params":7}`)
		p.say(`{"result":{"ok":true},"id":%d,"extra":[1,{"a":"}"}]}`, cmd.ID)
		p.say(`{"id":%d,"result":{"ok":false}}`, cmd.ID)
	})
	var res struct {
		OK bool `json:"ok"`
	}
	if err := c.Browser().Execute(within(t), "Any.thing", nil, &res); err != nil || !res.OK {
		t.Fatalf("got %+v, %v", res, err)
	}
}

func TestGivenUpCall(t *testing.T) {
	c, p := dial(t)
	ctx, cancel := context.WithCancel(within(t))
	sent := c.Browser().Send("Slow.one", nil)
	slow, _ := p.read()
	cancel()
	for range 2 { // what is given up stays so
		if err := sent.Wait(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	p.say(`{"id":%d,"result":{}}`, slow.ID)
	p.work.Go(p.echo)
	if err := c.Browser().Execute(within(t), "Next.one", nil, nil); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.calls) != 0 {
		t.Errorf("%d calls are left", len(c.calls))
	}
}

func TestCloseFailsWhatIsOpen(t *testing.T) {
	c, p := dial(t)
	s := c.Attach("S")
	var open []*Pending
	for range 20 {
		open = append(open, s.Send("Never.answered", nil), c.Browser().Send("Never.answered", nil))
	}
	p.read()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, o := range open {
		if err := o.Wait(within(t), nil); !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v", err)
		}
	}
	await(t, "Done", c.Done())
	await(t, "the session's Done", s.Done())
	if err := s.Execute(within(t), "Too.late", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a late command got %v", err)
	}
	late := c.Attach("late")
	await(t, "a late session's Done", late.Done())
	if err := late.Execute(within(t), "Too.late", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a late session got %v", err)
	}
}

func TestConcurrentCloseAndCalls(t *testing.T) {
	c, p := dial(t)
	p.work.Go(p.echo)
	ctx := within(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				if err := c.Attach("S").Execute(ctx, "Any.thing", nil, nil); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Errorf("got %v", err)
					}
					return
				}
			}
		})
	}
	if err := c.Browser().Execute(ctx, "Any.thing", nil, nil); err != nil {
		t.Fatal(err)
	}
	all.Go(func() { c.Close() })
	all.Go(func() { c.Close() })
	all.Wait()
}

func TestEndOfThePipe(t *testing.T) {
	for name, end := range map[string]func(p *peer){
		"at a message's end": func(p *peer) { p.say(`{"method":"A.event","params":{}}`) },
		"inside a message":   func(p *peer) { io.WriteString(p.out, `{"id":1,"resu`) },
		"after no JSON":      func(p *peer) { p.say(`hello`) },
		"after a bad id":     func(p *peer) { p.say(`{"id":"one"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := dial(t)
			sent := c.Browser().Send("Never.answered", nil)
			end(p)
			p.out.Close()
			await(t, "Done", c.Done())
			if err := sent.Wait(within(t), nil); !errors.Is(err, ErrClosed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPeerThatDoesNotRead(t *testing.T) {
	c, _ := dial(t)
	long := strings.Repeat("x", 1<<20)
	for range 5 {
		c.Browser().Send("Long.one", long) // far more than a pipe holds
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if err := c.Browser().Execute(ctx, "Any.thing", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c.Close()
}

func TestDetach(t *testing.T) {
	c, p := dial(t)
	gone, stays := c.Attach("gone"), c.Attach("stays")
	gone.Listen(func(string, json.RawMessage) { t.Error("received an event after the end") })
	open := gone.Send("Never.answered", nil)
	p.read()
	p.say(`{"method":"Target.detachedFromTarget","params":{"sessionId":"gone","targetId":"T"}}`)
	await(t, "the session's end", gone.Done())
	if err := open.Wait(within(t), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	p.say(`{"method":"A.event","params":{},"sessionId":"gone"}`)
	p.work.Go(p.echo)
	if err := stays.Execute(within(t), "Any.thing", nil, nil); err != nil {
		t.Errorf("another session got %v", err)
	}
	stays.Detach()
	if err := stays.Execute(within(t), "Any.thing", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := c.Browser().Execute(within(t), "Any.thing", nil, nil); err != nil {
		t.Errorf("the browser's session got %v", err)
	}
}

func TestEventsBeforeDetachArrive(t *testing.T) {
	c, p := dial(t)
	received := make(chan struct{})
	c.Browser().Listen(func(method string, params json.RawMessage) {
		var e target.EventDetachedFromTarget
		if err := Decode(params, &e); err == nil && method == target.DetachedFromTarget.Method && e.SessionID == "S" {
			close(received)
		}
	})
	p.say(`{"method":"Target.detachedFromTarget","params":{"sessionId":"S"}}`)
	await(t, "the event", received)
}

// A message that is too long ends its session and no other, unless it is an event of which not all are handled.
func TestTooLongEndsItsSession(t *testing.T) {
	c, p := dial(t)
	bad, noisy, good := c.Attach("bad"), c.Attach("noisy"), c.Attach("good")
	noisy.Bound("A.said", 1, nil)
	open := bad.Send("Never.answered", nil)
	p.read()
	long := strings.Repeat("x", maxEvent+spillBytes)
	p.say(`{"method":"A.said","params":{"text":"%s"},"sessionId":"noisy"}`, long)
	p.say(`{"method":"A.event","params":{"text":"%s"}}`, long) // of the browser itself
	p.say(`{"method":"A.event","params":{"text":"%s"},"sessionId":"bad"}`, long)
	await(t, "the session's end", bad.Done())
	if err := open.Wait(within(t), nil); !errors.Is(err, ErrTooLong) || !errors.Is(bad.Err(), ErrTooLong) {
		t.Errorf("got %v, %v", err, bad.Err())
	}
	if err := bad.Execute(within(t), "Any.thing", nil, nil); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v", err)
	}
	p.work.Go(p.echo)
	for _, s := range []*Session{noisy, good, c.Browser()} {
		if err := s.Execute(within(t), "Any.thing", nil, nil); err != nil || s.Err() != nil {
			t.Errorf("session %q got %v, %v", s.ID(), err, s.Err())
		}
	}
	if n := noisy.Dropped("A.said"); n != 1 {
		t.Errorf("%d dropped", n)
	}
}

// A listener that takes its time holds up its own session and what belongs to it, in order, and no other.
func TestSlowListenerHoldsUpNoOther(t *testing.T) {
	c, p := dial(t)
	slow, other := c.Attach("slow"), c.Attach("other")
	child := slow.Child("child")
	free := make(chan struct{})
	var got []string
	slow.Listen(func(string, json.RawMessage) {
		<-free
		got = append(got, "event")
	})
	child.Listen(func(string, json.RawMessage) { got = append(got, "child's") })
	p.say(`{"method":"A.event","params":{},"sessionId":"slow"}`)
	p.say(`{"method":"A.event","params":{},"sessionId":"child"}`)
	p.work.Go(p.echo)
	behind := slow.Send("Any.thing", nil)
	for _, s := range []*Session{other, c.Browser()} {
		if err := s.Execute(within(t), "Any.thing", nil, nil); err != nil {
			t.Errorf("session %q got %v", s.ID(), err)
		}
	}
	select {
	case <-behind.Done():
		t.Error("an answer overtook the events before it")
	default:
	}
	close(free)
	if err := behind.Wait(within(t), nil); err != nil || strings.Join(got, " ") != "event child's" {
		t.Errorf("got %v, %v", got, err)
	}
}

// What a page sends beyond a bound is dropped and counted; a page that sends faster than it is heeded loses its session.
func TestFlood(t *testing.T) {
	c, p := dial(t)
	s, other := c.Attach("S"), c.Attach("other")
	told := 0
	s.Bound("A.said", 3, func(of *Session) {
		told++
		if of != s {
			t.Error("told of another session")
		}
	})
	free, begun, n := make(chan struct{}), make(chan struct{}), 0
	s.Listen(func(method string, _ json.RawMessage) {
		switch method {
		case "A.said":
			n++
		case "A.slow":
			close(begun)
			<-free
		}
	})
	for range 3 + thenEvery {
		p.say(`{"method":"A.said","params":{},"sessionId":"S"}`)
	}
	p.say(`{"method":"A.slow","params":{},"sessionId":"S"}`)
	await(t, "the listener", begun)
	if n != 3 || told != 1 || s.Dropped("A.said") != thenEvery || s.Dropped("A.slow") != 0 {
		t.Errorf("%d handled, %d dropped", n, s.Dropped("A.said"))
	}
	for range maxWaiting + 1 {
		p.say(`{"method":"A.event","params":{},"sessionId":"S"}`)
	}
	p.work.Go(p.echo)
	if err := other.Execute(within(t), "Any.thing", nil, nil); err != nil {
		t.Errorf("another session got %v", err)
	}
	close(free)
	await(t, "the session's end", s.Done())
	if err := s.Err(); !errors.Is(err, ErrFlooded) {
		t.Errorf("got %v", err)
	}
}

// A session of which megabytes are dropped ends.
func TestFloodOfBytes(t *testing.T) {
	c, p := dial(t)
	s := c.Attach("S")
	s.Bound("A.said", 0, nil)
	long := strings.Repeat("x", 2*maxBounded)
	for range maxDropped/len(long) + 1 {
		p.say(`{"method":"A.said","params":{"text":"%s"},"sessionId":"S"}`, long)
	}
	await(t, "the session's end", s.Done())
	if err := s.Err(); !errors.Is(err, ErrFlooded) {
		t.Errorf("got %v", err)
	}
}

func TestUnencodableParameters(t *testing.T) {
	c, _ := dial(t)
	if err := c.Browser().Execute(within(t), "Any.thing", func() {}, nil); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestBrokenTextIsTaken(t *testing.T) {
	c, p := dial(t)
	p.work.Go(func() {
		cmd, _ := p.read()
		p.say(`{"id":%d,"result":{"title":"a\ud800b`+"\xff"+`"}}`, cmd.ID)
	})
	var res struct {
		Title string `json:"title"`
	}
	if err := c.Browser().Execute(within(t), "Any.thing", nil, &res); err != nil || !strings.HasPrefix(res.Title, "a") {
		t.Fatalf("got %q, %v", res.Title, err)
	}
}

func TestWrongTypeOfAnswer(t *testing.T) {
	c, p := dial(t)
	p.work.Go(func() {
		cmd, _ := p.read()
		p.say(`{"id":%d,"result":[1]}`, cmd.ID)
	})
	if _, err := Call(within(t), c.Browser(), page.GetFrameTree, cdp.Empty{}); err == nil {
		t.Error("an array was taken for an object")
	}
}

func TestLargePicture(t *testing.T) {
	c, p := dial(t)
	pixels := make([]byte, 40<<20)
	for i := range pixels {
		pixels[i] = byte(i*7 + i>>8)
	}
	text := []byte(base64.StdEncoding.EncodeToString(pixels))
	p.work.Go(func() {
		cmd, _ := p.read()
		fmt.Fprintf(p.out, `{"id":%d,"result":{"data":"`, cmd.ID)
		p.out.Write(text)
		p.say(`"}}`)
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	res, err := Call(within(t), c.Browser(), page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if !slices.Equal(res.Data, pixels) {
		t.Error("the picture is another one")
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d MB in %v, %d MB allocated", len(pixels)>>20, took, allocated>>20)
	if most := uint64(len(text) * 7 / 2); allocated > most {
		t.Errorf("%d bytes were allocated, want at most %d", allocated, most)
	}
}

func TestSmallPictures(t *testing.T) {
	for text, want := range map[string]string{
		`{"data":"aGk="}`:                 "hi",
		` { "data" : "aGk=" } `:           "hi",
		`{"data":"aGk\u003d"}`:            "hi",
		`{"data":"aGk=","more":1}`:        "hi",
		`{"more":"aGk=","data":"aGk="}`:   "hi",
		`{}`:                              "",
		`{"data":""}`:                     "",
		`{"data":"a"}`:                    "error",
		`{"data":"aGk="`:                  "error",
		`{"data":"aGk=","data":"aGk="}`:   "error",
		`["data"]`:                        "error",
		`{"data":7}`:                      "error",
		`{"data":"aGk*"}`:                 "error",
		`{"data":"aGk=" "data":"aGk="}`:   "error",
		`{"data":"aGk="}{"data":"aGk="}`:  "error",
		`{"data":"aGk=","data2":"unended`: "error",
	} {
		var res page.CaptureScreenshotResult
		err := decode(json.RawMessage(text), &res)
		if got := string(res.Data); err == nil && got != want || err != nil && want != "error" {
			t.Errorf("%s gives %q, %v; want %q", text, got, err, want)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	theirIn, ourOut, _ := os.Pipe()
	ourIn, theirOut, _ := os.Pipe()
	c := NewConn(ourOut, ourIn)
	defer c.Close()
	go func() {
		in := bufio.NewReader(theirIn)
		for {
			text, err := in.ReadBytes(0)
			if err != nil {
				return
			}
			var cmd command
			_ = json.Unmarshal(text[:len(text)-1], &cmd)
			fmt.Fprintf(theirOut, `{"id":%d,"result":{"frameId":"F"}}`+"\x00", cmd.ID)
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Call(b.Context(), c.Browser(), page.Navigate, page.NavigateParams{URL: "about:blank"}); err != nil {
			b.Fatal(err)
		}
	}
}

// A page of which every event is handled ends all the same when there are too many of them.
func TestFloodOfEvents(t *testing.T) {
	c, p := dial(t)
	s, other := c.Attach("S"), c.Attach("other")
	n := 0
	s.Listen(func(string, json.RawMessage) { n++ })
	long := strings.Repeat("x", maxBounded/2)
	p.work.Go(func() {
		for range maxSpent/len(long) + 10 {
			p.say(`{"method":"A.said","params":{"text":"%s"},"sessionId":"S"}`, long)
		}
		p.echo()
	})
	await(t, "the session's end", s.Done())
	if err := s.Err(); !errors.Is(err, ErrFlooded) || s.Spent() <= maxSpent {
		t.Errorf("got %v after %d bytes", err, s.Spent())
	}
	if err := other.Execute(within(t), "Any.thing", nil, nil); err != nil || other.Spent() > 0 {
		t.Errorf("another session got %v, and has spent %d", err, other.Spent())
	}
}
