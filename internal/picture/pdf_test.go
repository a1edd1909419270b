package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/savepage/savepage/internal/picture"
)

// pdfOf writes objects, the first with the number 1, as a file with a table of them.
func pdfOf(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	table := bytes.NewBufferString("0000000000 65535 f \n")
	for i, object := range objects {
		fmt.Fprintf(table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n%strailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table, trailer, at)
	return b.Bytes()
}

func nested() []byte {
	return pdfOf("/Size 6\n/Root 2 0 R\n/Info 1 0 R",
		"<</Title (/Type /Pages /Count 999 /MediaBox [0 0 1 1])>>",
		"<</Type /Catalog\n/Pages 3 0 R>>",
		"<</Type /Pages\n/Count 9\n/Kids [4 0 R 5 0 R]>>",
		"<</Type /Pages\n/Count 8\n/Kids [5 0 R]>>",
		"<</Type /Page\n/MediaBox [0 0 595.91998 841.91998]>>")
}

func read(data []byte) (picture.PDF, error) {
	return picture.ReadPDF(bytes.NewReader(data), int64(len(data)))
}

func TestReadPDF(t *testing.T) {
	got, err := read(nested())
	if want := (picture.PDF{Pages: 9, Width: 596, Height: 842}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadPDFRefusesWhatIsNone(t *testing.T) {
	whole := nested()
	for name, data := range map[string][]byte{
		"empty": nil, "png": []byte("\x89PNG\r\n\x1a\n"), "cut off": whole[:len(whole)-20], "without a table": bytes.Replace(whole,
			[]byte("xref\n0"), []byte("xxxx\n0"), 1),
		"no catalog": pdfOf("/Root 9 0 R", "<<>>"), "a circle": pdfOf("/Root 1 0 R", "<</Pages 2 0 R>>", "<</Count 1 /Kids [2 0 R]>>"),
	} {
		if got, err := read(data); !errors.Is(err, picture.ErrCorrupt) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzReadPDF(f *testing.F) {
	f.Add(nested())
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = read(data) })
}
