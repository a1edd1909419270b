package picture

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
)

// PDF is what can be read of a PDF as Chromium writes it: with a plain table of objects (ISO 32000-1, 7.5.4).
type PDF struct {
	Pages         int
	Width, Height int // of the first page in points of 1/72 inch
}

// ReadPDF follows the table of objects to the tree of pages. It looks at nothing else.
func ReadPDF(data []byte) (PDF, error) {
	f, err := openPDF(data)
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
	data    []byte
	table   []byte // entries of 20 bytes
	trailer []byte
}

func openPDF(data []byte) (pdfFile, error) {
	if !bytes.HasPrefix(data, []byte("%PDF-")) {
		return pdfFile{}, corrupt("no pdf header")
	}
	at := number(submatch(pdfStart, data[max(0, len(data)-256):]))
	if at <= 0 || at >= len(data) {
		return pdfFile{}, corrupt("pdf without an end")
	}
	head := pdfTable.Find(data[at:min(at+64, len(data))])
	count := number(submatch(pdfTable, head))
	from, size := at+len(head), 20*count
	if head == nil || size > len(data)-from {
		return pdfFile{}, corrupt("pdf without a table of objects")
	}
	return pdfFile{data: data, table: data[from : from+size], trailer: data[from+size:]}, nil
}

// object is the text of an object, or nothing.
func (f pdfFile) object(id int) []byte {
	if id <= 0 || 20*id >= len(f.table) {
		return nil
	}
	at, err := strconv.Atoi(string(f.table[20*id : 20*id+10]))
	if err != nil || at < 0 || at >= len(f.data) {
		return nil
	}
	text, _, found := bytes.Cut(f.data[at:], []byte("endobj"))
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
