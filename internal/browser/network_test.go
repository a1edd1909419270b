package browser

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/savepage/savepage/internal/guard"
)

// canary counts what reaches a loopback address, over TCP and UDP on one port.
type canary struct {
	port     string
	tcp, udp atomic.Int64
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{}
	listener, packets := listenTwice(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.tcp.Add(1)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, "canary")
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	_, c.port, _ = net.SplitHostPort(listener.Addr().String())
	ended := make(chan struct{})
	t.Cleanup(func() { packets.Close(); <-ended })
	go func() {
		defer close(ended)
		for buf := make([]byte, 2000); ; {
			if _, _, err := packets.ReadFrom(buf); err != nil {
				return
			}
			c.udp.Add(1)
		}
	}()
	return c
}

// listenTwice finds a port that is free for both.
func listenTwice(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	var taken error
	for range 20 {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenPacket("udp4", listener.Addr().String())
		if err == nil {
			return listener, packets
		}
		taken = err
		listener.Close()
	}
	t.Fatal(taken)
	return nil, nil
}

// routes are ways out of a page. Each resolves when it is known how it ended.
const routes = `(async () => {
	const at = '127.0.0.1:PORT';
	const get = u => fetch(u, {mode: 'no-cors'}).then(() => 'yes', () => 'no');
	const image = u => new Promise(r => { const i = new Image(); i.onload = i.onerror = () => r('no'); i.src = u });
	const socket = u => new Promise(r => { const s = new WebSocket(u); s.onclose = () => r('no'); s.onopen = () => r('yes') });
	const ice = async server => {
		const c = new RTCPeerConnection({iceServers: [server]});
		c.createDataChannel('x');
		await c.setLocalDescription(await c.createOffer());
		await new Promise(r => {
			const done = () => c.iceGatheringState == 'complete' && r();
			c.onicegatheringstatechange = done; done(); setTimeout(r, 1500);
		});
		c.close();
		return 'done';
	};
	return String(await Promise.all([
		get('http://' + at + '/fetch'), get('http://localhost:PORT/localhost'), get('http://[::1]:PORT/six'), image('http://' + at + '/image'),
		socket('ws://' + at + '/ws'), socket('ws://localhost:PORT/ws'),
		ice({urls: 'stun:' + at}), ice({urls: 'turn:' + at + '?transport=tcp', username: 'u', credential: 'c'}),
	]));
})()`

func TestNothingLeavesButThroughTheIdentity(t *testing.T) {
	c := newCanary(t)
	tab := take(t, sharedPool(t))
	mustEvaluate(t, tab, strings.ReplaceAll(routes, "PORT", c.port), `"no,no,no,no,no,no,done,done"`)
	if c.tcp.Load() != 0 || c.udp.Load() != 0 {
		t.Errorf("the canary saw %d requests and %d datagrams", c.tcp.Load(), c.udp.Load())
	}
	if got := tab.Identity().Events(); len(got) == 0 {
		t.Error("the identity knows of no refusal")
	}
}

// The same routes do reach the canary where the policy opens loopback, so the test above can fail.
func TestIdentityLetsThroughWhatIsAllowed(t *testing.T) {
	c := newCanary(t)
	allow, err := guard.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	p := poolWith(t, Config{Pages: 1}, guard.New(guard.Config{Allow: allow}))
	tab := take(t, p)
	got, err := evaluate(within(t), tab, strings.ReplaceAll(routes, "PORT", c.port))
	if err != nil || !strings.HasPrefix(got, `"yes,`) {
		t.Errorf("got %s, %v", got, err)
	}
	if c.tcp.Load() < 3 {
		t.Errorf("the canary saw %d requests", c.tcp.Load())
	}
	if c.udp.Load() != 0 {
		t.Errorf("the canary saw %d datagrams, which no proxy carries", c.udp.Load())
	}
}
