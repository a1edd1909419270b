package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
	"github.com/savepage/savepage/internal/mcp"
)

// drawn are captures whose pictures are drawn: each row has its own colour.
type drawn struct {
	width, height int
	noise         bool // the picture packs badly
	format        savepage.Format
	state         savepage.State
}

func (d drawn) one(id, url string) client.Capture {
	c := client.Capture{
		CaptureID: id, Status: d.state, URL: url, Image: "http://pictures.test/captures/" + id + ".png", Format: d.format,
		Width: d.width, Height: d.height, Size: 1234, Report: &savepage.Report{Title: "A title", FinalURL: url, Blank: true},
	}
	if c.Status == "" {
		c.Status = savepage.Success
	}
	if c.Format == "" {
		c.Format = savepage.FormatPNG
	}
	if c.Status == savepage.Failed {
		c.Error = savepage.Errorf(savepage.CodeNameNotResolved, "%s", strings.Repeat("no such name ", 1000))
	}
	return c
}

func (d drawn) Capture(_ context.Context, o savepage.Options) (client.Capture, error) {
	return d.one("cap_1", o.URL), nil
}

func (d drawn) Batch(_ context.Context, urls []string, _ savepage.Options) (mcp.Batch, error) {
	b := mcp.Batch{ID: "bat_1"}
	for i, url := range urls {
		b.List = append(b.List, d.one(fmt.Sprintf("cap_%d", i), url))
	}
	return b, nil
}

// LookUpBatch returns a batch of as many captures as the id says.
func (d drawn) LookUpBatch(_ context.Context, id string) (mcp.Batch, error) {
	var n int
	if _, err := fmt.Sscanf(id, "bat_of_%d", &n); err != nil {
		return mcp.Batch{}, savepage.Errorf(savepage.CodeNotFound, "there is no batch %s", id)
	}
	b := mcp.Batch{ID: id}
	for i := range n {
		b.List = append(b.List, d.one(fmt.Sprintf("cap_%d", i), fmt.Sprintf("https://example.com/%d/%s", i, strings.Repeat("界", 3000))))
	}
	return b, nil
}

func (d drawn) LookUp(_ context.Context, id string) (client.Capture, error) {
	if id != "cap_1" {
		return client.Capture{}, savepage.Errorf(savepage.CodeNotFound, "there is no capture %s", id)
	}
	return d.one(id, "https://example.com/"), nil
}

// pictures are those that have been drawn, by what they are drawn of.
var pictures sync.Map

func (d drawn) Picture(context.Context, client.Capture) ([]byte, error) {
	if known, there := pictures.Load(d); there {
		return known.([]byte), nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, d.width, d.height))
	chance := rand.New(rand.NewPCG(1, 2))
	for y := range d.height {
		row := img.Pix[y*img.Stride : (y+1)*img.Stride]
		colour := rowColour(y)
		copy(row, []byte{colour.R, colour.G, colour.B, colour.A})
		for filled := 4; filled < len(row); filled *= 2 {
			copy(row[filled:], row[:filled])
		}
		for i := 0; d.noise && i < len(row); i++ {
			if i%4 < 3 {
				row[i] = uint8(chance.Uint32())
			}
		}
	}
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	pictures.Store(d, out.Bytes())
	return out.Bytes(), err
}

// rowColour says where in the picture a row is, in steps of 100 rows.
func rowColour(y int) color.NRGBA { return color.NRGBA{uint8(y / 100 % 250), 50, 100, 255} }

// connect returns a session of a real client.
func connect(t *testing.T, from mcp.Captures) *sdk.ClientSession {
	t.Helper()
	server := mcp.NewServer(mcp.Config{
		Version: "1", Of: func(*http.Request) mcp.Captures { return from },
		Notes: func(r savepage.Report) []string { return []string{fmt.Sprintf("blank is %v", r.Blank)} },
	})
	here, there := sdk.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// shown is what a model gets.
type shown struct {
	text     string
	pictures []image.Image
	links    []string
	tokens   int
	failed   bool
}

func call(t *testing.T, session *sdk.ClientSession, tool string, arguments map[string]any) shown {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	got := shown{failed: result.IsError}
	for _, content := range result.Content {
		switch c := content.(type) {
		case *sdk.TextContent:
			got.text += c.Text + "\n"
			got.tokens += len(c.Text) // no tokenizer makes more of a text than its bytes
		case *sdk.ImageContent:
			picture, format, err := image.Decode(bytes.NewReader(c.Data))
			if err != nil || "image/"+format != c.MIMEType || len(c.Data) > 2<<20 {
				t.Fatalf("a picture of %s and %d bytes: %v", c.MIMEType, len(c.Data), err)
			}
			got.pictures = append(got.pictures, picture)
			got.tokens += picture.Bounds().Dx() * picture.Bounds().Dy() / 750
		case *sdk.ResourceLink:
			got.links = append(got.links, c.URI)
		}
	}
	if got.tokens > mcp.MaxTokens {
		t.Errorf("%s answers with %d tokens", tool, got.tokens)
	}
	return got
}

func (s shown) want(t *testing.T, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(s.text, word) {
			t.Errorf("%q is not in %s", word, s.text)
		}
	}
}

func TestCaptureIsScaled(t *testing.T) {
	got := call(t, connect(t, drawn{width: 1440, height: 3136}), "capture", map[string]any{"url": "https://example.com/", "fullpage": true})
	if len(got.pictures) != 1 || got.pictures[0].Bounds().Dx() != 720 || got.pictures[0].Bounds().Dy() != 1568 {
		t.Fatalf("%d pictures", len(got.pictures))
	}
	if len(got.links) != 1 || got.links[0] != "http://pictures.test/captures/cap_1.png" {
		t.Errorf("links %v", got.links)
	}
	got.want(t, "Full picture: 1440×3136 px, png, 1234 bytes: http://pictures.test/captures/cap_1.png", "capture_id: cap_1", "Title: A title",
		"Note: blank is true", "Shown at 720×1568 px, factor 0.5: a pixel here is 2 of the full picture")
	if r, _, _, _ := got.pictures[0].At(300, 1075).RGBA(); r>>8 != 21 { // row 2150
		t.Errorf("row 1075 shows %d", r>>8)
	}
	got = call(t, connect(t, drawn{width: 1000, height: 700}), "capture", map[string]any{"url": "https://example.com/"})
	got.want(t, "factor 1: not scaled")
	got = call(t, connect(t, drawn{width: 320, height: 4000}), "capture", map[string]any{"url": "https://example.com/"})
	got.want(t, "The page is tall: look_up with tiles: true shows it in readable pieces.")
}

// TestTilesCoverTheWholePicture reads a tall page to its end, answer after answer.
func TestTilesCoverTheWholePicture(t *testing.T) {
	const height = 60_000
	session := connect(t, drawn{width: 200, height: height})
	var tiles []image.Image
	got := call(t, session, "capture", map[string]any{"url": "https://example.com/", "tiles": true})
	got.want(t, "Tile 2 of 41: rows 1470 to 3037 of the full picture, the first 98 of which are in tile 1 too. Shown at 200×1568 px, "+
		"factor 1: not scaled.")
	answers := 1
	for ; len(got.pictures) > 0; answers++ {
		tiles = append(tiles, got.pictures...)
		next := fmt.Sprintf("look_up with tiles: true, longest_side: 1568 and first_tile: %d shows them", len(tiles)+1)
		if !strings.Contains(got.text, next) {
			break
		}
		got = call(t, session, "look_up", map[string]any{"capture_id": "cap_1", "tiles": true, "first_tile": len(tiles) + 1})
	}
	if answers < 2 {
		t.Errorf("%d answers", answers)
	}
	top := 0
	for i, tile := range tiles {
		if tile.Bounds().Dx() != 200 {
			t.Fatalf("tile %d is %v", i, tile.Bounds())
		}
		for _, y := range []int{50, tile.Bounds().Dy() - 50} {
			if r, _, _, _ := tile.At(100, y).RGBA(); uint8(r>>8) != rowColour(top+y).R {
				t.Errorf("row %d of tile %d shows %d, want row %d", y, i, r>>8, top+y)
			}
		}
		if i == len(tiles)-1 && top+tile.Bounds().Dy() != height {
			t.Errorf("the tiles end at row %d of %d", top+tile.Bounds().Dy(), height)
		}
		top += 1568 - 1568/16
	}
	got = call(t, session, "look_up", map[string]any{"capture_id": "cap_1", "tiles": true, "first_tile": 100})
	if !got.failed {
		t.Error("a tile beyond the picture is shown")
	}
}

func TestPictureThatPacksBadlyIsSmall(t *testing.T) {
	got := call(t, connect(t, drawn{width: 1500, height: 1500, noise: true}), "capture", map[string]any{"url": "https://example.com/"})
	if len(got.pictures) != 1 {
		t.Fatal(got.text)
	}
}

func TestBatchShowsWhatFits(t *testing.T) {
	session := connect(t, drawn{width: 720, height: 450})
	var urls []string
	for i := range 500 {
		urls = append(urls, fmt.Sprintf("https://example.com/%d/%s", i, strings.Repeat("x", 500)))
	}
	got := call(t, session, "batch", map[string]any{"urls": urls, "color_scheme": "dark"})
	if n := len(got.pictures); n < 10 || n >= 50 || got.pictures[0].Bounds().Dx() != 640 {
		t.Errorf("%d pictures", n)
	}
	got.want(t, "500 pages: 500 captured.", "batch_id: bat_1", "1. https://example.com/0/",
		"more captures: look_up with batch_id and first_item: ")
	got = call(t, connect(t, drawn{state: savepage.Failed}), "batch", map[string]any{"urls": urls[:20]})
	got.want(t, "20 pages: 20 failed.", "20. ", "failed: name_not_resolved")
	got = call(t, session, "batch", map[string]any{"urls": urls[:3], "longest_side": 2000})
	if len(got.pictures) != 3 || got.pictures[2].Bounds().Dx() != 720 {
		t.Errorf("%d pictures", len(got.pictures))
	}
}

// TestBatchIsReadToItsEnd follows what each answer says until every capture has been named.
func TestBatchIsReadToItsEnd(t *testing.T) {
	session := connect(t, drawn{width: 64, height: 48})
	next := regexp.MustCompile(`first_item: (\d+) shows them`)
	first, answers := 1, 0
	for {
		got := call(t, session, "look_up", map[string]any{"batch_id": "bat_of_500", "first_item": first})
		answers++
		got.want(t, fmt.Sprintf("\n%d. https://example.com/%d/", first, first-1))
		found := next.FindStringSubmatch(got.text)
		if found == nil {
			got.want(t, "\n500. https://example.com/499/")
			break
		}
		last := first
		if first, _ = strconv.Atoi(found[1]); first <= last {
			t.Fatalf("after %d comes %d", last, first)
		}
	}
	if answers < 2 {
		t.Errorf("%d answers", answers)
	}
}

func TestWhatIsNotShown(t *testing.T) {
	got := call(t, connect(t, drawn{state: savepage.Failed}), "capture", map[string]any{"url": "https://example.com/"})
	if got.want(t, "failed: name_not_resolved"); !got.failed {
		t.Error("a page that failed is no error")
	}
	got = call(t, connect(t, drawn{format: savepage.FormatPDF}), "capture", map[string]any{"url": "https://example.com/", "format": "pdf"})
	got.want(t, "A pdf is not shown; it is at the link.", "Full picture: 0×0 pt, pdf")
	got = call(t, connect(t, drawn{state: savepage.Failed}), "look_up", map[string]any{"capture_id": "cap_1"})
	got.want(t, "failed: name_not_resolved: no such name")
	got = call(t, connect(t, drawn{state: savepage.Running}), "capture", map[string]any{"url": "https://example.com/"})
	got.want(t, "has not ended yet. look_up shows it later", "capture_id: cap_1")
	if len(got.links)+len(got.pictures) > 0 {
		t.Error("a capture that runs has a picture")
	}
}

func TestFaultsAreTold(t *testing.T) {
	session := connect(t, drawn{width: 100, height: 9000})
	for _, c := range []struct {
		tool, arguments string
		says            []string
	}{
		{"capture", `{}`, []string{"url: is required"}},
		{"capture", `{"url":"https://example.com","widht":3}`, []string{`widht`, `did you mean "width"?`}},
		{
			"capture", `{"url":"https://example.com","width":3,"longest_side":9,"tiles":"yes","first_tile":1.5,"options":{"timezone":"Mars"}}`,
			[]string{
				"width is 3: must be from 320 to 3840", "longest_side is 9: must be an integer from 64 to 2000",
				`tiles is "yes": must be true or false`, "first_tile is 1.5: must be an integer of at least 1", `timezone is "Mars": `,
			},
		},
		{"capture", `{"url":"https://example.com","fullpage":"sometimes"}`, []string{`fullpage is "sometimes": `}},
		{"capture", `{"url":"https://example.com","options":7}`, []string{"options is 7: must be an object"}},
		{"capture", `{"url":"https://example.com","first_tile":2}`, []string{"first_tile is 2: must be from 1 to 1: without tiles: true"}},
		{"capture", `{"url":"https://example.com","first_item":2}`, []string{"first_item"}},
		{"look_up", `{}`, []string{"one of capture_id and batch_id is needed"}},
		{"look_up", `{"capture_id":"cap_1","batch_id":"bat_1"}`, []string{"one of capture_id and batch_id is needed"}},
		{"look_up", `{"capture_id":7}`, []string{"capture_id is 7: must be a string"}},
		{"look_up", `{"capture_id":"cap_1","url":"x"}`, []string{`url is "x": there is no such argument`}},
		{"look_up", `{"capture_id":"nope"}`, []string{"not_found: there is no capture nope"}},
		{"look_up", `{"capture_id":"cap_1","tiles":true,"first_tile":8}`, []string{"first_tile is 8: must be from 1 to 7: ", "has 7 tiles"}},
		{"look_up", `{"batch_id":"nope"}`, []string{"not_found: there is no batch nope"}},
		{"look_up", `{"batch_id":"bat_of_3","first_item":4}`, []string{"first_item is 4: must be from 1 to 3: the batch has 3 captures"}},
		{"look_up", `{"batch_id":"bat_of_3","tiles":true}`, []string{"tiles is true: there is no such argument"}},
		{"batch", `{}`, []string{"urls: must be a list of 1 to 500 URLs"}},
		{"batch", `{"urls":[]}`, []string{"urls is []: must be a list of 1 to 500 URLs"}},
		{"batch", `{"urls":"https://example.com"}`, []string{`urls is "https://example.com": must be a list`}},
		{"batch", `{"urls":[` + strings.Repeat(`"https://example.com",`, 500) + `"https://example.com"]}`, []string{"; it has 501"}},
		{
			"batch", `{"urls":["https://example.com","nothing",7],"width":3}`,
			[]string{`urls[1] is "nothing": `, "urls[2] is 7: must be a string", "width is 3: must be from 320 to 3840"},
		},
		{"batch", `{"urls":["https://example.com"],"url":"x"}`, []string{`url is "x": is for one capture`}},
	} {
		var arguments map[string]any
		if err := json.Unmarshal([]byte(c.arguments), &arguments); err != nil {
			t.Fatal(err)
		}
		got := call(t, session, c.tool, arguments)
		if !got.failed {
			t.Errorf("%s %s is taken", c.tool, c.arguments)
		}
		got.want(t, c.says...)
	}
}

func handlerOf(from mcp.Captures) http.Handler {
	tools := mcp.NewServer(mcp.Config{
		Version: "1", Notes: func(savepage.Report) []string { return nil }, Of: func(*http.Request) mcp.Captures { return from },
	})
	return mcp.Handler(tools, func(_ context.Context, key string) (who savepage.Principal, err error) {
		switch key {
		case "good":
			return who, nil
		case "sick":
			return who, io.ErrUnexpectedEOF
		}
		return who, savepage.Errorf(savepage.CodeUnauthorized, "the key is not valid")
	}, slog.New(slog.DiscardHandler))
}

// TestHandlerNeedsAKey asks over HTTP.
func TestHandlerNeedsAKey(t *testing.T) {
	server := httptest.NewServer(handlerOf(drawn{width: 100, height: 100}))
	defer server.Close()
	for key, want := range map[string]int{"": 401, "bad": 401, "sick": 500} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want || (want == 401) != (answer.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%q: %d %v", key, answer.StatusCode, answer.Header)
		}
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: server.URL, HTTPClient: &http.Client{Transport: keyed("good")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if got := call(t, session, "capture", map[string]any{"url": "https://example.com/"}); len(got.pictures) != 1 {
		t.Error(got.text)
	}
}

// keyed sends a key.
type keyed string

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return http.DefaultTransport.RoundTrip(r)
}
