package picture

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
)

// PDF is what can be read of a PDF as Chromium writes it: with a plain table of objects (ISO 32000-1, 7.5.4).
type PDF struct {
	Pages         int
	Width, Height int // of the first page in points of 1/72 inch
}

// ReadPDF follows the table of objects of a file of size bytes to the tree of pages. It looks at nothing else.
func ReadPDF(r io.ReaderAt, size int64) (PDF, error) {
	f, err := openPDF(r, size)
	if err != nil {
		return PDF{}, err
	}
	root := f.reference(f.trailer, "Root")
	tree := f.object(f.reference(f.object(root), "Pages"))
	pages, err := strconv.Atoi(submatch(pdfCount, tree))
	if err != nil {
		return PDF{}, corrupt("pdf without a count of pages")
	}
	node := tree
	for range 64 { // the tree's depth
		box := pdfBox.FindSubmatch(node)
		if box != nil {
			width, _ := strconv.ParseFloat(string(box[1]), 64)
			height, _ := strconv.ParseFloat(string(box[2]), 64)
			return PDF{Pages: pages, Width: int(math.Round(width)), Height: int(math.Round(height))}, nil
		}
		node = f.object(number(submatch(pdfKids, node)))
	}
	return PDF{}, corrupt("pdf without a page")
}

var (
	pdfCount = regexp.MustCompile(`/Count (\d{1,9})`)
	pdfBox   = regexp.MustCompile(`/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]`)
	pdfKids  = regexp.MustCompile(`/Kids \[\s*(\d{1,9}) 0 R`)
	pdfStart = regexp.MustCompile(`startxref\s+(\d{1,12})\s+%%EOF\s*$`)
	pdfTable = regexp.MustCompile(`^xref\s+0 (\d{1,9})\s*\n`)
)

// pdfFile is a file with its table.
type pdfFile struct {
	r       io.ReaderAt
	table   int64 // where its entries of 20 bytes begin
	objects int
	trailer []byte
}

// pdfPart is how much is read of an object or of the end: those that matter are small.
const pdfPart = 64 << 10

// part reads up to n bytes.
func part(r io.ReaderAt, at int64, n int) []byte {
	if at < 0 {
		n, at = n+int(at), 0
	}
	text := make([]byte, max(n, 0))
	read, err := r.ReadAt(text, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return text[:read]
}

func openPDF(r io.ReaderAt, size int64) (pdfFile, error) {
	if !bytes.HasPrefix(part(r, 0, 16), []byte("%PDF-")) {
		return pdfFile{}, corrupt("no pdf header")
	}
	at := int64(number(submatch(pdfStart, part(r, size-256, 256))))
	head := part(r, at, 64)
	if at <= 0 || at >= size || !pdfTable.Match(head) {
		return pdfFile{}, corrupt("pdf without a table of objects")
	}
	f := pdfFile{r: r, objects: number(submatch(pdfTable, head)), table: at + int64(len(pdfTable.Find(head)))}
	f.trailer = part(r, f.table+20*int64(f.objects), pdfPart)
	return f, nil
}

// object is the text of an object, or nothing.
func (f pdfFile) object(id int) []byte {
	if id <= 0 || id >= f.objects {
		return nil
	}
	at, err := strconv.ParseInt(string(part(f.r, f.table+20*int64(id), 10)), 10, 64)
	if err != nil || at < 0 {
		return nil
	}
	text, _, found := bytes.Cut(part(f.r, at, pdfPart), []byte("endobj"))
	if !found {
		return nil
	}
	return text
}

// reference is the object that a dictionary's entry refers to, or 0.
func (f pdfFile) reference(dictionary []byte, key string) int {
	return number(submatch(regexp.MustCompile(`/`+key+` (\d{1,9}) 0 R`), dictionary))
}

func submatch(re *regexp.Regexp, in []byte) string {
	if found := re.FindSubmatch(in); found != nil {
		return string(found[1])
	}
	return ""
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
