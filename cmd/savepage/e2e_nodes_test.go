package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestNodes has three processes serve one database and one picture folder: captures are submitted to each, one is killed while it
// renders and sends callbacks, and another has its clock wrong. Everything ends, once, every callback arrives, and pictures of
// each are served by the others.
func TestNodes(t *testing.T) {
	t.Parallel()
	server := newPostgres(t)
	site, pictures := startSite(t), filepath.Join(t.TempDir(), "pictures")
	first := ward{newProgramOn(t, server.Address("records"), "--blobs", pictures, "--concurrency", "2")}
	hook := newReceiver(t, first.secret, takes)
	others := []*program{
		first.another("--blobs", pictures, "--concurrency", "2", "--database", server.Address("records")),
		first.another("--blobs", pictures, "--roles", "api,deliver", "--database", server.Address("records")),
	}
	nodes := []ward{first, {others[0]}, {others[1]}}
	for _, p := range nodes {
		p.start()
	}
	var ids []string
	for i := range 30 {
		ids = append(ids, nodes[i%3].submit(map[string]any{
			"url": fmt.Sprintf("%s/bands?height=300&n=%d", site, i), "width": 320, "height": 240, "callback_url": hook.URL,
		}))
	}
	first.eventually("each node that renders has something", func() bool {
		running := 0
		for _, one := range nodes[2].listed() {
			if one.Running > 0 {
				running++
			}
		}
		return running == 2
	})
	nodes[1].kill()
	// A client that waits at a node which renders nothing gets its picture.
	const picture = "/v1/?response=image&width=320&height=240&url="
	status, _, got := nodes[2].call(http.MethodGet, picture+url.QueryEscape(site+"/bands?height=300"), nil)
	if status != http.StatusOK || !strings.HasPrefix(string(got), "\x89PNG") {
		t.Errorf("a client that waits got status %d, %d bytes", status, len(got))
	}
	first.eventually("everything ends", func() bool {
		for _, id := range ids {
			if !savepage.State(nodes[2].lookup(id).Status).Final() {
				return false
			}
		}
		return true
	})
	first.eventually("every callback", func() bool { return hook.taken(ids) == len(ids) })
	hook.check()
	for _, id := range ids {
		seen := nodes[2].lookup(id)
		if seen.Status != "success" {
			t.Errorf("%s: %+v", id, seen)
			continue
		}
		at, err := url.Parse(seen.Image)
		first.must(err)
		if status, _, picture := nodes[2].call(http.MethodGet, at.Path, nil); status != http.StatusOK || len(picture) != seen.Size {
			t.Errorf("the picture of %s: status %d, %d bytes of %d", id, status, len(picture), seen.Size)
		}
	}
	var list []savepage.Node
	first.eventually("the end of the killed node is noted, whose captures may all have ended before", func() bool {
		list = nodes[2].listed()
		return len(list) == 3 && !list[1].EndedAt.IsZero()
	})
	if !list[0].EndedAt.IsZero() || list[2].Pages != 0 {
		t.Errorf("the nodes: %+v", list)
	}
	for _, p := range []ward{nodes[0], nodes[2]} {
		if err := p.terminate(); err != nil {
			t.Errorf("the end: %v", err)
		}
	}
}

// another is one more process with the key of this one.
func (p ward) another(args ...string) *program {
	p.t.Helper()
	dir := p.t.TempDir()
	logs, err := os.Create(filepath.Join(dir, "log"))
	p.must(err)
	other := &program{
		t: p.t, path: p.path, data: filepath.Join(dir, "data"), listen: freeAddress(p.t), args: args, logs: logs,
		account: p.account, key: p.key, secret: p.secret,
	}
	other.base = "http://" + other.listen
	p.t.Cleanup(other.end)
	return other
}

// listed are the nodes as the command line lists them.
func (p ward) listed() (all []savepage.Node) {
	p.t.Helper()
	database := p.args[len(p.args)-1]
	out, err := exec.CommandContext(p.t.Context(), p.path, "nodes", "--json", "--database", database).Output()
	p.must(err)
	p.must(json.Unmarshal(out, &all))
	return all
}
