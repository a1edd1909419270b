package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// findings is what became of everything.
type findings struct {
	counts   map[string]int
	wrong    []string
	pictures map[string]bool // that records name
	rendered int             // renders beyond one of each capture
	repeated int             // events that were taken again
	dead     int
}

// recorded is what is read of a capture at the end.
type recorded struct {
	told
	Image      string `json:"image"`
	Size       int    `json:"size"`
	Attempts   int    `json:"attempts"`
	Deliveries []struct {
		State string `json:"state"`
	} `json:"deliveries"`
}

// audit waits for the end of everything, looks at every record, picture and callback, and says what is wrong.
func (c *chaos) audit(ctx context.Context, grace time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	c.finish(limited)
	missing := c.site.missing(c.owed())
	for limited.Err() == nil && len(missing) > 0 {
		pause(limited, time.Second)
		missing = c.site.missing(missing)
		missing = c.withoutDead(limited, missing)
	}
	f := &findings{counts: map[string]int{}, pictures: map[string]bool{}}
	for _, id := range missing {
		f.wrong = append(f.wrong, "event not delivered: "+id)
	}
	c.lock.Lock()
	ids := make([]string, 0, len(c.accepted))
	for id := range c.accepted {
		ids = append(ids, id)
	}
	c.lock.Unlock()
	slices.Sort(ids)
	for _, id := range ids {
		c.check(limited, id, f)
	}
	c.strays(f)
	return c.tell(f)
}

// finish waits until everything that was accepted has ended.
func (c *chaos) finish(ctx context.Context) {
	for ctx.Err() == nil && c.opened() > 0 {
		c.lock.Lock()
		open := slices.Clone(c.open)
		c.lock.Unlock()
		for _, id := range open {
			if !c.look(ctx, id) {
				pause(ctx, 20*time.Millisecond)
			}
		}
	}
}

// withoutDead are the captures and batches whose event was not given up.
func (c *chaos) withoutDead(ctx context.Context, ids []string) []string {
	dead := map[string]bool{}
	for cursor, more := "", true; more; more = cursor != "" {
		query := url.Values{"state": {"dead"}, "limit": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		status, text, err := c.ask.call(ctx, http.MethodGet, "/v1/deliveries?"+query.Encode(), nil)
		var page struct {
			Deliveries []struct {
				CaptureID string `json:"capture_id"`
				BatchID   string `json:"batch_id"`
			} `json:"deliveries"`
			Next string `json:"next_cursor"`
		}
		if err != nil || status != http.StatusOK || json.Unmarshal(text, &page) != nil {
			return ids // it is asked again
		}
		for _, one := range page.Deliveries {
			dead[one.CaptureID], dead[one.BatchID] = true, true
		}
		cursor = page.Next
	}
	return slices.DeleteFunc(ids, func(id string) bool { return dead[id] })
}

// check looks at a capture, its picture and its callbacks.
func (c *chaos) check(ctx context.Context, id string, f *findings) {
	c.lock.Lock()
	a := *c.accepted[id]
	c.lock.Unlock()
	status, text, err := c.ask.call(ctx, http.MethodGet, "/v1/captures/"+id, nil)
	var got recorded
	switch {
	case err != nil:
		f.wrong = append(f.wrong, fmt.Sprintf("%s: %v", id, err))
		return
	case status == http.StatusNotFound && a.deleted:
		f.counts["deleted"]++
		return
	case status != http.StatusOK || json.Unmarshal(text, &got) != nil:
		f.wrong = append(f.wrong, fmt.Sprintf("lost: %s: status %d", id, status))
		f.counts["lost"]++
		return
	}
	f.counts[got.Status]++
	f.rendered += max(0, got.Attempts-1)
	switch got.Status {
	case "success":
		c.checkPicture(ctx, id, got, f)
	case "canceled":
	case "failed":
		f.wrong = append(f.wrong, fmt.Sprintf("falsely failed: %s: %+v: %s", id, *got.Error, text))
	default:
		f.wrong = append(f.wrong, fmt.Sprintf("stuck: %s is %s", id, got.Status))
	}
	for _, d := range got.Deliveries {
		switch d.State {
		case "dead":
			f.dead++
		case "delivered":
		default:
			f.wrong = append(f.wrong, fmt.Sprintf("a callback of %s is %s", id, d.State))
		}
	}
}

// checkPicture reads the picture of a record.
func (c *chaos) checkPicture(ctx context.Context, id string, got recorded, f *findings) {
	at, err := url.Parse(got.Image)
	if err != nil {
		f.wrong = append(f.wrong, fmt.Sprintf("the picture of %s is at %q", id, got.Image))
		return
	}
	f.pictures[path.Base(at.Path)] = true
	status, picture, err := c.ask.call(ctx, http.MethodGet, at.Path, nil)
	if err != nil || status != http.StatusOK || len(picture) != got.Size || got.Size == 0 {
		f.wrong = append(f.wrong, fmt.Sprintf("the picture of %s: status %d, %d bytes of %d, %v", id, status, len(picture), got.Size, err))
	}
}

// strays counts pictures that no record names. The sweep removes them later.
func (c *chaos) strays(f *findings) {
	dir := c.dir
	if dir == "" {
		dir = filepath.Join(c.nodes[0].data(), "pictures")
	}
	_ = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		base, half := filepath.Base(name), filepath.Base(filepath.Dir(name)) == ".tmp"
		if err == nil && !entry.IsDir() && len(path.Ext(name)) >= 4 && !half && !f.pictures[base] {
			f.counts["pictures for the sweep"]++
		}
		return nil
	})
}

// tell prints what was found.
func (c *chaos) tell(f *findings) error {
	c.site.mu.Lock()
	f.repeated = c.site.count - len(c.site.taken)
	if c.site.taken[""] { // of a batch's event, which names no capture
		f.repeated++
	}
	c.site.mu.Unlock()
	c.lock.Lock()
	defer c.lock.Unlock()
	f.wrong = append(f.wrong, c.mismatch...)
	for _, text := range f.wrong {
		fmt.Println("wrong:", text)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(name string, value any) { _, _ = fmt.Fprintf(table, "%s\t%v\n", name, value) } // Flush tells
	for _, one := range c.list {
		row(one.name, c.done[one.name])
	}
	for name, n := range c.absent {
		row(name+": was not possible", n)
	}
	row("nodes that ended by themselves", c.crashes.Load())
	row("captures accepted", len(c.accepted))
	row("batches", len(c.batches))
	for _, state := range []string{"success", "canceled", "deleted", "failed", "lost"} {
		row(state, f.counts[state])
	}
	row("pictures read whole", len(f.pictures))
	row("pictures for the sweep", f.counts["pictures for the sweep"])
	row("renders again", f.rendered)
	row("events taken", c.site.count)
	row("events taken again", f.repeated)
	row("dead letters", f.dead)
	c.still.mu.Lock()
	row("nothing ended for", c.still.longest.Round(100*time.Millisecond))
	c.still.mu.Unlock()
	row("refused", c.refused)
	row("wrong", len(f.wrong))
	if err := table.Flush(); err != nil {
		return err
	}
	if len(f.wrong) > 0 {
		return errFailed
	}
	return nil
}
