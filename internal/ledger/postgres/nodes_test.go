package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/postgres"
)

// cluster is several nodes on one database, in one process.
type cluster struct {
	t       *testing.T
	address string
	account string

	mu   sync.Mutex
	sent map[string][]string // by delivery: the names of the nodes that sent it
	at   map[string]int      // by host: deliveries on their way
	most map[string]int      // by host: the most of them at once
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t: t, address: server.fresh(t), sent: map[string][]string{}, at: map[string]int{}, most: map[string]int{}}
}

// open opens a node. The end of the test closes it.
func (c *cluster) open(name string, cfg ledger.Config) ledger.Store {
	c.t.Helper()
	cfg.Node.Name = name
	l := open(c.t, c.address, cfg)
	if c.account == "" {
		issued, _, err := l.Bootstrap(c.t.Context())
		check(c.t, err)
		c.account = issued.Account
	}
	return l
}

// work has a node work until the function it returns, or the end of the test.
func (c *cluster) work(l ledger.Store, h ledger.Handlers) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.Work(ctx, h) }()
	stop = sync.OnceFunc(func() {
		cancel()
		check(c.t, <-done)
	})
	c.t.Cleanup(stop)
	return stop
}

func (c *cluster) accept(l ledger.Store) string {
	c.t.Helper()
	sub := submission(c.account)
	_, err := l.Accept(c.t.Context(), sub)
	check(c.t, err)
	return sub.Capture.ID
}

func (c *cluster) await(l ledger.Store, id string) savepage.Capture {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	got, err := l.Await(ctx, id)
	check(c.t, err)
	return got
}

// finish is a Render that ends captures, which owe a delivery to each host.
func (c *cluster) finish(l ledger.Store, hosts ...string) func(context.Context, capture.Claim) error {
	return func(ctx context.Context, claim capture.Claim) error {
		now := time.Now()
		o := capture.Outcome{State: savepage.Success, FinishedAt: now}
		for _, host := range hosts {
			o.Deliveries = append(o.Deliveries, savepage.Delivery{
				ID: capture.NewID("msg_", now), CaptureID: claim.Capture.ID, Account: claim.Capture.Account, URL: "http://" + host + "/",
				Body: []byte(`{}`), State: savepage.Pending, CreatedAt: now,
			})
		}
		return l.Finish(ctx, claim, o)
	}
}

// deliver is a Deliver that notes who sent what.
func (c *cluster) deliver(node string) func(context.Context, savepage.Delivery, []string) savepage.Verdict {
	return func(_ context.Context, d savepage.Delivery, _ []string) savepage.Verdict {
		c.mu.Lock()
		c.sent[d.ID] = append(c.sent[d.ID], node+" "+d.Receiver)
		c.at[d.Receiver]++
		c.most[d.Receiver] = max(c.most[d.Receiver], c.at[d.Receiver])
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.at[d.Receiver]--
		}()
		return savepage.Verdict{
			State: savepage.Delivered, Attempt: savepage.Attempt{At: time.Now(), Outcome: savepage.AttemptDelivered, Status: 200},
		}
	}
}

// senders returns the nodes that sent to each host.
func (c *cluster) senders() map[string][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := map[string][]string{}
	for _, all := range c.sent {
		for _, one := range all {
			node, host, _ := strings.Cut(one, " ")
			if !slices.Contains(of[host], node) {
				of[host] = append(of[host], node)
			}
		}
	}
	return of
}

func (c *cluster) delivered(l ledger.Store) {
	c.t.Helper()
	eventually(c.t, "nothing is owed", func() bool {
		n, err := l.PendingDeliveries(c.t.Context())
		check(c.t, err)
		return n == 0
	})
}

// TestNodesShareTheWork accepts at one node, renders at another and waits at a third. Each tells the others in time; what one
// counts the others count.
func TestNodesShareTheWork(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	front, worker, third := c.open("front", ledger.Config{}), c.open("worker", ledger.Config{Workers: 2}), c.open("third", ledger.Config{})
	ended := make(chan time.Time, 100)
	finish := c.finish(worker)
	c.work(worker, ledger.Handlers{Render: func(ctx context.Context, claim capture.Claim) error {
		err := finish(ctx, claim)
		ended <- time.Now()
		return err
	}})
	for range 20 {
		id := c.accept(front)
		if got := c.await(third, id); got.State != savepage.Success {
			t.Fatalf("%+v", got)
		}
		t.Logf("known at the third node %s after its end", time.Since(<-ended))
	}
	usage, err := third.Usage(t.Context(), c.account)
	check(t, err)
	nodes, err := front.Nodes(t.Context())
	check(t, err)
	if len(nodes) != 3 || nodes[0].Name != "front" || !nodes[0].Leads || nodes[1].Leads || nodes[1].Pages != 2 || usage.Pending.Used != 0 {
		t.Errorf("nodes %+v, usage %+v", nodes, usage)
	}
	if !front.Leads() || worker.Leads() || third.Leads() {
		t.Error("not the first one leads, alone")
	}
	check(t, front.Close())
	eventually(t, "the second one leads", func() bool { return worker.Leads() && !third.Leads() })
}

// TestPendingIsOneNumber fills the queue through two nodes: each knows what the other has let in, and what has ended there.
func TestPendingIsOneNumber(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.open("a", ledger.Config{MaxPending: 20}), c.open("b", ledger.Config{MaxPending: 20})
	var ids []string
	for i := range 18 {
		ids = append(ids, c.accept([]ledger.Store{a, b}[i%2]))
	}
	for _, l := range []ledger.Store{a, b} {
		eventually(t, "the account has all that it may have", func() bool {
			_, err := l.Accept(t.Context(), submission(c.account))
			fault, is := errors.AsType[*savepage.Error](err)
			return is && (fault.Code == savepage.CodeTooManyPending || fault.Code == savepage.CodeQueueFull)
		})
	}
	for _, id := range ids {
		_, err := a.Cancel(t.Context(), c.account, id)
		check(t, err)
	}
	eventually(t, "there is room at the other node", func() bool {
		_, err := b.Accept(t.Context(), submission(c.account))
		return err == nil
	})
}

// TestCancelAcrossNodes cancels at one node what another renders: the render ends.
func TestCancelAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	front, worker := c.open("front", ledger.Config{}), c.open("worker", ledger.Config{})
	begun, stopped := make(chan struct{}), make(chan time.Time, 1)
	c.work(worker, ledger.Handlers{Render: func(ctx context.Context, _ capture.Claim) error {
		close(begun)
		<-ctx.Done()
		stopped <- time.Now()
		return ctx.Err()
	}})
	id := c.accept(front)
	<-begun
	_, err := front.Cancel(t.Context(), c.account, id)
	check(t, err)
	at := time.Now()
	t.Logf("the render ended %s after the cancellation", (<-stopped).Sub(at))
	if got := c.await(worker, id); got.State != savepage.Canceled {
		t.Errorf("%+v", got)
	}
}

// TestStepsAcrossNodes passes the steps of a render on to another node.
func TestStepsAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	steps := make(chan string, 10)
	front := c.open("front", ledger.Config{OnStep: func(id string, s capture.Step) {
		steps <- fmt.Sprint(id, s.Seq, s.Phase, s.At.UnixMicro())
	}})
	worker := c.open("worker", ledger.Config{})
	eventually(t, "they know each other", func() bool { return front.Leads() && !worker.Leads() })
	step := capture.Step{Seq: 12, Kind: capture.StepPhase, Attempt: 1, Phase: capture.PhaseNavigate, At: time.Now()}
	worker.Relay("cap_1", step)
	if got, want := <-steps, fmt.Sprint("cap_1", 12, capture.PhaseNavigate, step.At.UnixMicro()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestKeysAcrossNodes revokes a key at one node: the other refuses it, at once, although it has just taken it.
func TestKeysAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	stands := clock.Manual(time.Now()) // what is remembered of keys does not grow old
	a, b := c.open("a", ledger.Config{}), c.open("b", ledger.Config{Clock: stands})
	issued, err := a.Admin().Create(t.Context(), c.account, savepage.KeyTerms{})
	check(t, err)
	_, err = b.Authenticate(t.Context(), issued.Key)
	check(t, err)
	check(t, a.Admin().Revoke(t.Context(), c.account, issued.Key))
	eventually(t, "the key is refused", func() bool {
		_, err := b.Authenticate(t.Context(), issued.Key)
		return err != nil
	})
}

// TestHostsAreDivided has two nodes deliver to many hosts: each delivery is sent once, each host has one node at a time and four
// deliveries at most, and both nodes have some. One that stops hands its hosts over.
func TestHostsAreDivided(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.open("a", ledger.Config{Workers: 8}), c.open("b", ledger.Config{})
	stop := c.work(b, ledger.Handlers{Deliver: c.deliver("b")})
	var hosts []string
	for i := range 30 {
		hosts = append(hosts, fmt.Sprintf("host%d.test", i))
	}
	c.work(a, ledger.Handlers{Render: c.finish(a, hosts...), Deliver: c.deliver("a")})
	eventually(t, "both deliver", func() bool {
		var n int
		check(t, raw(t, c.address).QueryRowContext(t.Context(), `SELECT count(*) FROM nodes WHERE delivers = 1`).Scan(&n))
		return n == 2
	})
	round := func() {
		t.Helper()
		var ids []string
		for range 10 {
			ids = append(ids, c.accept(b))
		}
		for _, id := range ids {
			c.await(b, id)
		}
		c.delivered(b)
	}
	round()
	count := map[string]int{}
	for host, nodes := range c.senders() {
		for _, node := range nodes {
			count[node]++
		}
		if c.most[host] > 4 {
			t.Errorf("%d deliveries to %s at once", c.most[host], host)
		}
	}
	if count["a"] < 5 || count["b"] < 5 || len(c.sent) != 300 {
		t.Errorf("hosts by nodes %v, %d deliveries sent", count, len(c.sent))
	}
	for id, by := range c.sent {
		if len(by) != 1 {
			t.Errorf("%s was sent by %v", id, by)
		}
	}
	stop()
	c.sent = map[string][]string{}
	round()
	for host, nodes := range c.senders() {
		if !slices.Equal(nodes, []string{"a"}) {
			t.Errorf("%s got something from %v", host, nodes)
		}
	}
}

// TestCutOff cuts a node off from the database: others take over what it renders and what it owes. When it is back it can write
// nothing of that, and works on as another node.
func TestCutOff(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	line := newLine(t, server.server.Socket())
	far := &cluster{t: t, address: line.address(c.address), sent: c.sent, at: c.at, most: c.most}
	near := c.open("near", ledger.Config{Workers: 1})
	far.account = c.account
	lost := far.open("far", ledger.Config{Workers: 1, Grace: time.Minute})
	taken, late := make(chan capture.Claim), make(chan error, 1)
	done := make(chan struct{})
	var once sync.Once
	c.work(lost, ledger.Handlers{Render: func(ctx context.Context, claim capture.Claim) error {
		first := false
		once.Do(func() { first = true })
		if !first {
			return c.finish(lost)(ctx, claim)
		}
		taken <- claim
		<-ctx.Done()
		<-done
		var err error
		eventually(t, "its late end is refused", func() bool {
			err = c.finish(lost, "late.test")(context.WithoutCancel(ctx), claim)
			_, fault := health.Find(err)
			return !fault
		})
		late <- err
		return ctx.Err()
	}})
	id := c.accept(near)
	claim := <-taken
	before, err := near.Nodes(t.Context())
	check(t, err)
	if before[1].Running != 1 {
		t.Errorf("%+v", before)
	}
	line.hold()
	cutAt := time.Now()
	c.work(near, ledger.Handlers{Render: c.finish(near), Deliver: c.deliver("near")})
	if got := c.await(near, id); got.State != savepage.Success || got.Attempt != claim.Capture.Attempt+1 {
		t.Errorf("%+v", got)
	}
	t.Logf("rendered elsewhere %s after the cut", time.Since(cutAt))
	line.release()
	close(done)
	if err := <-late; !errors.Is(err, capture.ErrLost) {
		t.Errorf("its late end: %v", err)
	}
	eventually(t, "it works on as another node", func() bool {
		after, err := near.Nodes(t.Context())
		check(t, err)
		return len(after) == 3 && !after[1].EndedAt.IsZero() && after[1].ID == before[1].ID && after[2].Name == "far" && after[2].EndedAt.IsZero()
	})
	list, err := near.Deliveries(t.Context(), c.account, id)
	if err != nil || len(list) != 0 {
		t.Errorf("%v, what its late end owed: %v", err, list)
	}
	c.await(near, c.accept(lost))
}

// TestOwnerDies has a node die that has hosts: another sends what is owed.
func TestOwnerDies(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	line := newLine(t, server.server.Socket())
	near := c.open("near", ledger.Config{Workers: 4})
	far := &cluster{t: t, address: line.address(c.address), account: c.account, sent: c.sent, at: c.at, most: c.most}
	owner := far.open("owner", ledger.Config{})
	var hosts []string
	for i := range 10 {
		hosts = append(hosts, fmt.Sprintf("host%d.test", i))
	}
	hang := make(chan struct{})
	began := make(chan struct{}, 100)
	c.work(owner, ledger.Handlers{Deliver: func(ctx context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
		began <- struct{}{}
		<-hang
		return far.deliver("owner")(ctx, d, secrets)
	}})
	t.Cleanup(func() { close(hang) })
	eventually(t, "it delivers", func() bool {
		var n int
		check(t, raw(t, c.address).QueryRowContext(t.Context(), `SELECT count(*) FROM nodes WHERE delivers = 1`).Scan(&n))
		return n == 1
	})
	c.work(near, ledger.Handlers{Render: c.finish(near, hosts...)})
	c.await(near, c.accept(near))
	for range hosts {
		<-began
	}
	line.hold()
	second := c.open("second", ledger.Config{})
	c.work(second, ledger.Handlers{Deliver: c.deliver("second")})
	c.delivered(near)
	line.release()
	for host, nodes := range c.senders() {
		if !slices.Equal(nodes, []string{"second"}) {
			t.Errorf("%s got something from %v", host, nodes)
		}
	}
}

// TestClockOfANode has a node's clock be wrong: it says so, and goes by the database's time.
func TestClockOfANode(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.open("a", ledger.Config{})
	wrong := clock.System()
	wrong.Step(-3 * time.Hour)
	b := c.open("b", ledger.Config{Clock: wrong, Node: ledger.Node{Follow: true}})
	if apart := time.Until(wrong.Now()).Abs(); apart > ledger.MaxApart {
		t.Errorf("its clock is wrong by %s", apart)
	}
	eventually(t, "its clock is listed as wrong", func() bool {
		nodes, err := a.Nodes(t.Context())
		check(t, err)
		ahead := time.Duration(nodes[1].AheadMS) * time.Millisecond
		return (ahead + 3*time.Hour).Abs() < time.Minute
	})
	for _, by := range []time.Duration{5 * time.Hour, -9 * time.Hour} {
		wrong.Step(by)
		if apart := time.Until(wrong.Now()).Abs(); apart > ledger.MaxApart {
			t.Errorf("its clock is wrong by %s as soon as the machine's date is set by %s", apart, by)
		}
	}
	eventually(t, "the step is listed", func() bool {
		nodes, err := a.Nodes(t.Context())
		check(t, err)
		ahead := time.Duration(nodes[1].AheadMS) * time.Millisecond
		return (ahead + 7*time.Hour).Abs() < time.Minute
	})
	c.work(a, ledger.Handlers{Render: c.finish(a)})
	c.await(a, c.accept(b))
}

// TestOnlyOne opens a database that must not have another node.
func TestOnlyOne(t *testing.T) {
	t.Parallel()
	address := server.fresh(t)
	first := open(t, address, ledger.Config{})
	if _, err := postgres.At(address).Open(t.Context(), ledger.Config{Alone: true}, logger(t)); !errors.Is(err, ledger.ErrServed) {
		t.Errorf("opened beside a node: %v", err)
	}
	check(t, first.Close())
	alone, err := postgres.At(address).Open(t.Context(), ledger.Config{Alone: true}, logger(t))
	check(t, err)
	check(t, alone.Close())
}

// line passes connections on to a server, and holds what they carry for a while.
type line struct {
	listener net.Listener
	mu       sync.Mutex
	held     chan struct{} // closed when it is let go
	group    sync.WaitGroup
}

func newLine(t *testing.T, socket string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	l := &line{listener: listener, held: make(chan struct{})}
	close(l.held)
	l.group.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			l.group.Go(func() {
				to, err := net.Dial("unix", socket)
				if err != nil {
					_ = from.Close()
					return
				}
				var both sync.WaitGroup
				both.Go(func() { l.pass(from, to) })
				both.Go(func() { l.pass(to, from) })
				both.Wait()
			})
		}
	})
	t.Cleanup(func() {
		check(t, listener.Close())
		l.group.Wait()
	})
	return l
}

func (l *line) address(of string) string { return (&cut{listener: l.listener}).address(of) }

func (l *line) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = make(chan struct{})
}

func (l *line) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held)
}

func (l *line) pass(from, to net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		held := l.held
		l.mu.Unlock()
		<-held
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
