package page_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// red is a picture of one colour.
func red(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 100, 50))
	for i := range img.Pix {
		img.Pix[i] = []uint8{255, 0, 0, 255}[i%4]
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const withFiles = `<!doctype html><title>files</title><link rel="stylesheet" href="css/style.css?v=1">
<body><img src="img/red one.png"><script src="js/app.js"></script>
<iframe src="frame.html" onload="document.title += ' ' + this.contentDocument.body.textContent"></iframe>`

func files(t *testing.T) []savepage.Asset {
	t.Helper()
	return []savepage.Asset{
		{Name: "css/style.css", Data: []byte("body{margin:0;background:rgb(0,0,255)}img{display:block}iframe{border:0}")},
		{Name: "img/red one.png", Data: red(t)},
		{Name: "js/app.js", Data: []byte("document.title = 'ran'")},
		{Name: "frame.html", Data: []byte("<body>framed")},
	}
}

// The files of a document are found from beside it, at an origin of its own and at an address that is named.
func TestDocumentWithFiles(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	for _, base := range []string{"", w.url("/reports/today?x=1#part"), "https://reports.example/a/"} {
		shot := render(t, savepage.Options{HTML: withFiles, BaseURL: base, Assets: files(t), Width: 400, Height: 300})
		if r := shot.Report; r.Title != "ran framed" || r.HTTPStatus != 200 || r.FinalURL != "" || r.Requests.Failed != 0 {
			t.Errorf("%q: %+v", base, r)
		}
		img := decode(t, shot)
		if !near(img.At(50, 25), color.RGBA{255, 0, 0, 255}, 0) || !near(img.At(300, 40), color.RGBA{0, 0, 255, 255}, 0) {
			t.Errorf("%q: %v and %v", base, img.At(50, 25), img.At(300, 40))
		}
	}
	if seen := w.site.Seen("/reports/today"); len(seen) > 0 {
		t.Errorf("the address of the document was asked for %d times", len(seen))
	}
}

// A document with an address has the pictures, the origin, the cookies and the headers of that address.
func TestDocumentAtAnAddress(t *testing.T) {
	t.Parallel()
	w := ownSite(t)
	shot := render(t, savepage.Options{
		HTML: `<!doctype html><body style="margin:0"><img style="display:block" src="../picture/400x300-5.png">
			<script>document.title = location.href; fetch("/echo.json")</script>`,
		BaseURL: w.url("/reports/"), Headers: savepage.Headers{"X-Secret": "s3cret"}, Cookies: savepage.Cookies{{Name: "a", Value: "1"}},
	})
	if shot.Report.Title != w.url("/reports/") {
		t.Errorf("%+v", shot.Report)
	}
	if img := decode(t, shot); !near(img.At(200, 150), testsite.PictureColor(5), 0) {
		t.Errorf("the picture is %v", img.At(200, 150))
	}
	seen := w.site.Seen("/echo.json")
	if len(seen) == 0 || seen[0].Header.Get("X-Secret") != "s3cret" || seen[0].Header.Get("Cookie") != "a=1" {
		t.Errorf("%+v", seen)
	}
	if w.site.Seen("/reports/") != nil {
		t.Error("the address of the document was asked for")
	}
}

// A document of ours may show what is on the machine, where the operator allows it. With its checks for local networks the
// browser ends one renderer in sixty then.
func TestDocumentWithLocalPictures(t *testing.T) {
	o := savepage.Options{HTML: `<!doctype html><body style="margin:0"><img src="` + shared.url("/picture/160x100-1.png") + `">`}
	for i := range 60 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			if got := decode(t, render(t, patient(o))).At(80, 50); !near(got, testsite.PictureColor(1), 0) {
				t.Error(got)
			}
		})
	}
}
