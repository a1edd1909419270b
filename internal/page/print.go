package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	cdpio "github.com/chromedp/cdproto/io"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/picture"
)

const (
	// mostPDF bounds the memory of a PDF, in bytes.
	mostPDF = 256 << 20
	pdfPart = 1 << 20 // bytes that are read at once
)

// print makes a PDF of the whole page.
func (j *job) print(ctx context.Context) error {
	if _, err := j.inTime(ctx, j.wakeForPrint); err != nil {
		return err
	}
	j.awaiting = "the browser to print the page"
	var res cdpage.PrintToPDFResult
	err := j.wait(ctx, j.s.Send(cdpage.CommandPrintToPDF, printed(j.o)), j.drawing(), &res)
	if refused, is := errors.AsType[*cdp.Error](err); is && j.o.PDFPages != "" {
		return savepage.Errorf(savepage.CodeInvalidRequest, "the pages %q can not be printed: %s", j.o.PDFPages, refused.Message)
	}
	if err != nil {
		return fmt.Errorf("print the page: %w", err)
	}
	if j.bytes, err = j.readStream(ctx, res.Stream); err != nil {
		return err
	}
	read, err := picture.ReadPDF(j.bytes)
	if err != nil {
		return fmt.Errorf("read the pdf: %w", err)
	}
	j.width, j.height, j.pages = read.Width, read.Height, read.Pages
	return j.broken()
}

// wakeForPrint has the page load what it only loads when it is seen: it is printed too.
func (j *job) wakeForPrint(ctx context.Context) error {
	j.awaiting = "pictures further down the page"
	var is extent
	if err := j.whole(ctx, time.Second, &is, "prepare"); err != nil {
		return err
	}
	_, _, err := j.wakeAll(ctx, is, j.cfg.MaxHeight)
	return err
}

// printed is what the browser is asked for.
func printed(o savepage.Options) cdpage.PrintToPDFParams {
	margins, _ := savepage.ParseMargins(or(o.PDFMargin, savepage.DefaultMargin)) // checked when it came
	width, height := o.PDFPaper.Size()
	background := o.PDFBackground == nil || *o.PDFBackground
	inches := func(points float64) *float64 { return new(points / 72) }
	return cdpage.PrintToPDFParams{
		Landscape: &o.PDFLandscape, PrintBackground: &background, Scale: o.PDFScale, PageRanges: o.PDFPages,
		PaperWidth: width / 72, PaperHeight: height / 72,
		MarginTop: inches(margins.Top), MarginRight: inches(margins.Right), MarginBottom: inches(margins.Bottom), MarginLeft: inches(margins.Left),
		TransferMode: cdpage.PrintToPDFTransferModeReturnAsStream,
	}
}

// readStream reads a stream of the browser's to its end, part by part.
func (j *job) readStream(ctx context.Context, handle cdpio.StreamHandle) ([]byte, error) {
	defer j.s.Send(cdpio.CommandClose, cdpio.CloseParams{Handle: handle})
	var all bytes.Buffer
	for {
		var part cdpio.ReadResult
		if err := j.s.Execute(ctx, cdpio.CommandRead, cdpio.ReadParams{Handle: handle, Size: pdfPart}, &part); err != nil {
			return nil, fmt.Errorf("read what was printed: %w", err)
		}
		all.Write(part.Data)
		if all.Len() > mostPDF {
			return nil, savepage.Errorf(savepage.CodeTooLarge, "the pdf has more than %d MiB: print some of its pages with pdf_pages", mostPDF>>20)
		}
		if part.EOF {
			return all.Bytes(), nil
		}
	}
}
