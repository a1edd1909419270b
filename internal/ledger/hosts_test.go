package ledger

import (
	"fmt"
	"testing"
	"time"
)

func due(host string) Due { return Due{Receiver: Receiver{Account: "a", Host: host}} }

// TestHostsOfNodes has three nodes want the same hosts: each host is asked for by one of them, and one that joins or ends moves only
// hosts of its own.
func TestHostsOfNodes(t *testing.T) {
	t.Parallel()
	nodes := []string{"node_1", "node_2", "node_3"}
	owners := func(nodes []string) map[string]string {
		of := map[string]string{}
		for _, self := range nodes {
			h := NewHosts()
			h.Serve(true)
			h.Set(self, nodes)
			for i := range 300 {
				h.Want(due(fmt.Sprintf("host%d.test", i)), time.Now())
			}
			for host := range h.Wanted(1000) {
				if of[host] != "" {
					t.Errorf("%s and %s ask for %s", of[host], self, host)
				}
				of[host] = self
			}
		}
		return of
	}
	all, two := owners(nodes), owners(nodes[:2])
	count := map[string]int{}
	for host, node := range all {
		count[node]++
		if node != "node_3" && two[host] != node {
			t.Errorf("%s went from %s to %s when another ended", host, node, two[host])
		}
	}
	for _, node := range nodes {
		if count[node] < 60 {
			t.Errorf("hosts of the nodes: %v", count)
		}
	}
	if len(all) != 300 || len(two) != 300 {
		t.Errorf("%d and %d of 300 hosts are asked for", len(all), len(two))
	}
}

// TestHostsComeAndGo asks for hosts, is given one of two, gives it back when another node is to have it, and forgets all as another
// node.
func TestHostsComeAndGo(t *testing.T) {
	t.Parallel()
	h, at := NewHosts(), time.Now()
	h.Want(due("early.test"), at)
	if h.Serve(true); len(h.Wanted(10)) != 0 || h.Mine("a.test") {
		t.Error("hosts are wanted by one that does not serve")
	}
	h.Set("me", []string{"me"})
	h.Want(due("a.test"), at.Add(time.Second))
	h.Want(due("a.test"), at)
	h.Want(due("b.test"), at)
	if got := h.Wanted(1); len(got) != 1 {
		t.Errorf("%v", got)
	}
	owed := h.Given("me", map[string]bool{"a.test": true, "b.test": false})
	if len(owed) != 1 || !owed[due("a.test")].Equal(at) || !h.Mine("a.test") || h.Mine("b.test") {
		t.Errorf("%v", owed)
	}
	if h.Want(due("b.test"), at); len(h.Wanted(10)) != 0 {
		t.Error("what another has is wanted")
	}
	h.Freed([]string{"b.test"})
	if h.Want(due("b.test"), at); len(h.Wanted(10)) != 1 || len(h.Leaving()) != 0 {
		t.Error("what is free is not wanted")
	}
	h.Serve(false)
	if got := h.Leaving(); len(got) != 1 || got[0] != "a.test" {
		t.Errorf("to be given back: %v", got)
	}
	if h.Left([]string{"a.test"}); h.Mine("a.test") {
		t.Error("given back, and still here")
	}
	h.Serve(true)
	h.Given("me", map[string]bool{"c.test": true})
	if h.Set("me again", []string{"me again"}); h.Mine("c.test") {
		t.Error("another node has the hosts of the former one")
	}
	h.Want(due("d.test"), at)
	if h.Given("me", map[string]bool{"d.test": true}); h.Mine("d.test") {
		t.Error("what the former node was given counts")
	}
	var alone *Hosts
	if !alone.Mine("x.test") || !new(Hosts).Mine("x.test") {
		t.Error("one that is alone has not every host")
	}
}

// TestShutHost sends nothing more to a host that is shut, and forgets what it was owed.
func TestShutHost(t *testing.T) {
	t.Parallel()
	l, now := Gate{NewLanes(Limits{Workers: 10, PerHost: 4})}, time.Now()
	r := Receiver{Account: "a", Host: "a.test"}
	l.Note(r, Fresh, now)
	reading, _, found := l.take(now)
	if !found || reading.id != "" || l.Shut("a.test") {
		t.Fatalf("%+v: what is being read is not idle", reading)
	}
	l.read(reading, []string{"1", "2"}, time.Time{})
	if s, _, found := l.take(now); found {
		t.Errorf("%+v is sent to a host that is shut", s)
	}
	l.Open("a.test")
	s, _, found := l.take(now)
	if !found || s.id != "1" || l.Shut("a.test") {
		t.Fatalf("%+v, and what is on its way counts as idle", s)
	}
	l.answered(s, nil, now)
	l.recorded(s, time.Time{}, now)
	if !l.Shut("a.test") {
		t.Error("not idle")
	}
	l.Drop(func(host string) bool { return host == "a.test" })
	if s, _, found := l.take(now); found || len(l.lanes) != 0 || len(l.shut) != 0 {
		t.Errorf("%+v, lanes %v, shut %v", s, l.lanes, l.shut)
	}
}
