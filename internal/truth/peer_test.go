package truth_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/truth"
)

var peerName = flag.String("peer", "", "compare with another renderer: puppeteer")

// TestPeer renders the pages that need no option that a peer lacks, here and with the peer, in turns, and prints both columns.
func TestPeer(t *testing.T) {
	if *peerName == "" {
		return // it compares, and is asked for by name
	}
	if *peerName != "puppeteer" {
		t.Fatalf("the peer is %q, want puppeteer", *peerName)
	}
	other := startPeer(t)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\nPAGE\tSAVEPAGE\tMS\tPUPPETEER\tMS")
	var ours, theirs sums
	var ratios []float64
	for _, c := range truth.All(shared.site) {
		if !comparable(c) || !strings.Contains(c.Name+" "+c.Path, *only) {
			continue
		}
		out := truth.Run(t.Context(), shared.Renderer, shared.site, c)
		wrong := c.Wrong(out.Shot)
		if out.Shot.Width == 0 {
			wrong = append(wrong, out.Faults...)
		}
		missed, took := other.render(t, c)
		ours.add(len(wrong), out.Took)
		theirs.add(len(missed), took)
		ratios = append(ratios, float64(out.Took)/float64(took))
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\n", c.Name, verdict(wrong), out.Took.Milliseconds(), verdict(missed), took.Milliseconds())
	}
	slices.Sort(ratios)
	fmt.Fprintf(w, "right\t%d of %d\t%d\t%d of %d\t%d\n", ours.right, ours.pages, ours.median(), theirs.right, theirs.pages, theirs.median())
	fmt.Fprintf(w, "the median page takes %.2f of the peer's time\n", ratios[len(ratios)/2])
}

// comparable reports whether a case can be given to a peer, for which it asks for nothing but a page and a window.
func comparable(c truth.Case) bool {
	o := c.Options
	o.Fullpage, o.Device, o.Width, o.Height, o.Scale, o.HTML, o.Format, o.Timeout, o.OnTimeout = false, "", 0, 0, 0, "", "", 0, ""
	return c.Fails == "" && !c.Heavy && !c.Blank && c.Seen() && reflect.DeepEqual(o, savepage.Options{})
}

// sums are the results of one renderer.
type sums struct {
	pages, right int
	took         []time.Duration
}

func (s *sums) add(wrong int, took time.Duration) {
	s.pages++
	if wrong == 0 {
		s.right++
	}
	s.took = append(s.took, took)
}

func (s *sums) median() int64 {
	slices.Sort(s.took)
	return s.took[len(s.took)/2].Milliseconds()
}

func verdict(wrong []string) string {
	if len(wrong) == 0 {
		return "right"
	}
	return "wrong"
}

// peer is a process that renders what it is told.
type peer struct {
	folder string
	to     io.Writer
	from   *bufio.Scanner
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	path, _, err := browser.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "node", "peer.mjs", shared.site.Packages(), path)
	cmd.Stderr = os.Stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = to.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &peer{folder: t.TempDir(), to: to, from: bufio.NewScanner(from)}
}

// viewport is a window as puppeteer has it.
type viewport struct {
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Scale    float64 `json:"deviceScaleFactor"`
	IsMobile bool    `json:"isMobile"`
	HasTouch bool    `json:"hasTouch"`
}

// render has the peer render a case, and says what is wrong with its picture.
func (p *peer) render(t *testing.T, c truth.Case) (wrong []string, took time.Duration) {
	t.Helper()
	o := c.Options.WithDefaults()
	path := filepath.Join(p.folder, "picture."+string(o.Format))
	view := viewport{Width: o.Width, Height: o.Height, Scale: o.Scale}
	device, _ := savepage.FindDevice(o.Device)
	view.IsMobile, view.HasTouch = device.Mobile, device.Touch
	job := map[string]any{
		"url": shared.site.URL + c.Path, "html": o.HTML, "path": path, "viewport": view, "userAgent": device.UserAgent,
		"fullPage": o.Fullpage, "pdf": o.Format == savepage.FormatPDF, "timeout": cmp.Or(c.Options.Timeout, 30_000),
	}
	if err := json.NewEncoder(p.to).Encode(job); err != nil {
		t.Fatal(err)
	}
	var said struct {
		MS    float64 `json:"ms"`
		Error string  `json:"error"`
	}
	if !p.from.Scan() || json.Unmarshal(p.from.Bytes(), &said) != nil {
		t.Fatalf("the peer said %q: %v", p.from.Text(), p.from.Err())
	}
	took = time.Duration(said.MS * float64(time.Millisecond))
	if said.Error != "" {
		return []string{said.Error}, took
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shot := capture.Shot{Bytes: data}
	if o.Format != savepage.FormatPDF {
		cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		shot.Width, shot.Height = cfg.Width, cfg.Height
	}
	return c.Wrong(shot), took
}
