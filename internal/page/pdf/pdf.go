// Package pdf has the browser print a page. It lays nothing out: paper and margins are the browser's to apply.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	cdpio "github.com/chromedp/cdproto/io"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/spool"
	"github.com/savepage/savepage/internal/picture"
)

const (
	maxPDF    = 512 << 20 // bytes of a PDF
	partBytes = 1 << 20   // bytes that are read at once
)

// Page is asked by scripts beside its own.
type Page interface {
	// Ask calls a function of a script; the text of the script stands before its name.
	Ask(ctx context.Context, slack time.Duration, into any, function string, args ...any) error
	// Await waits for an answer that a script of the page may hold up, for as long as makes sense.
	Await(ctx context.Context, sent *cdp.Pending, slack time.Duration)
}

// Notes keeps what is waited for.
type Notes interface {
	Await(what string)
}

// Config is the page, and the parts of the render that this one needs.
type Config struct {
	Options  savepage.Options
	To       session.Sender
	Page     Page
	Budget   *budget.Budget
	Notes    Notes
	NewSpool func() *spool.Spool
	Load     func(context.Context) error // waits for the load event of a document that the page goes to
}

// Document is a printed page.
type Document struct {
	Bytes         []byte
	Large         *os.File // in place of Bytes, when they are too many to be held
	Width, Height int      // of the first page, as picture.ReadPDF says it
	Pages         int
}

// Printer prints one page. Its methods are for the goroutine of the render.
type Printer struct {
	Config
	spool  *spool.Spool
	height float64 // of the paper, in points
}

// New returns a Printer. Close must be called.
func New(c Config) *Printer { return &Printer{Config: c} }

// Close drops what was printed and not returned.
func (p *Printer) Close() { p.spool.Drop() }

// Print prints the whole page. The document's file is the caller's to close, also when there is an error.
func (p *Printer) Print(ctx context.Context) (made Document, err error) {
	_, p.height = p.Options.PaperSize()
	if p.Options.PDFSinglePage {
		return p.printLong(ctx)
	}
	return p.print(ctx)
}

// print prints on paper of the height that was chosen.
func (p *Printer) print(ctx context.Context) (made Document, err error) {
	stream, err := p.stream(ctx)
	if err != nil {
		return made, err
	}
	size, err := p.readStream(ctx, stream)
	if err != nil {
		return made, err
	}
	if made.Large, err = p.spool.Take(); err != nil {
		return made, err
	}
	var all io.ReaderAt = made.Large
	if made.Large == nil {
		if made.Bytes, err = p.spool.All(); err != nil {
			return made, err
		}
		all = bytes.NewReader(made.Bytes)
	}
	read, err := picture.ReadPDF(all, size)
	if err != nil {
		return made, fmt.Errorf("read the pdf: %w", err)
	}
	made.Width, made.Height, made.Pages = read.Width, read.Height, read.Pages
	return made, nil
}

// stream has the browser print, once more if the page went to another document meanwhile.
func (p *Printer) stream(ctx context.Context) (cdpio.StreamHandle, error) {
	p.Notes.Await("the browser to print the page")
	var res cdpage.PrintToPDFResult
	params, err := p.printing()
	if err != nil {
		return "", err
	}
	ask := func() error {
		sent := p.To.Send(cdpage.CommandPrintToPDF, params)
		p.Page.Await(ctx, sent, p.Budget.Drawing())
		return session.Answered(ctx, sent, &res)
	}
	err = ask()
	if refused, is := errors.AsType[*cdp.Error](err); is && p.Options.PDFPages != "" {
		return "", savepage.Errorf(savepage.CodeInvalidRequest, "the pages %q cannot be printed: %s", p.Options.PDFPages, refused.Message)
	}
	if errors.Is(err, session.ErrMoved) {
		if err := p.Load(ctx); err != nil {
			return "", err
		}
		err = ask()
	}
	if err != nil {
		return "", fmt.Errorf("print the page: %w", err)
	}
	return res.Stream, nil
}

// printing is what the browser is asked for.
func (p *Printer) printing() (params cdpage.PrintToPDFParams, err error) {
	o := p.Options
	margins := o.Margins()
	width, _ := o.PaperSize()
	yes, outline := true, o.PDFOutline == nil || *o.PDFOutline
	background := o.PDFBackground == nil || *o.PDFBackground
	inches := func(points float64) *float64 { return new(points / 72) }
	header, footer, err := edges(o)
	if err != nil {
		return params, err
	}
	params = cdpage.PrintToPDFParams{
		PrintBackground: &background, Scale: o.PDFScale, PageRanges: o.PDFPages,
		PaperWidth: width / 72, PaperHeight: p.height / 72, PreferCSSPageSize: &o.PDFCSSPageSize,
		MarginTop: inches(margins.Top), MarginRight: inches(margins.Right),
		MarginBottom: inches(margins.Bottom), MarginLeft: inches(margins.Left),
		GenerateTaggedPDF: &yes, GenerateDocumentOutline: &outline, // the outline is made of the tags
		TransferMode: cdpage.PrintToPDFTransferModeReturnAsStream,
	}
	if header != nothing || footer != nothing {
		params.DisplayHeaderFooter, params.HeaderTemplate, params.FooterTemplate = &yes, header, footer
	}
	return params, nil
}

// readStream spools a stream of the browser's to its end, part by part, and returns its size in bytes.
func (p *Printer) readStream(ctx context.Context, handle cdpio.StreamHandle) (size int64, err error) {
	defer p.To.Send(cdpio.CommandClose, cdpio.CloseParams{Handle: handle})
	p.spool.Drop()
	p.spool = p.NewSpool()
	for {
		var part cdpio.ReadResult
		if err := p.To.Execute(ctx, cdpio.CommandRead, cdpio.ReadParams{Handle: handle, Size: partBytes}, &part); err != nil {
			return 0, fmt.Errorf("read the printed pages: %w", err)
		}
		if _, err := p.spool.Write(part.Data); err != nil {
			return 0, err
		}
		if size += int64(len(part.Data)); size > maxPDF {
			return 0, savepage.Errorf(savepage.CodeTooLarge, "the pdf has more than %d MiB: print some of its pages with pdf_pages", maxPDF>>20)
		}
		if part.EOF {
			return size, nil
		}
	}
}
