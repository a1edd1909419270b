package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	cdpio "github.com/chromedp/cdproto/io"
	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/picture"
)

const (
	mostPDF = 512 << 20 // bytes of a PDF
	pdfPart = 1 << 20   // bytes that are read at once
)

// print makes a PDF of the whole page.
func (j *job) print(ctx context.Context) error {
	if _, err := j.inTime(ctx, j.wakeForPrint); err != nil {
		return err
	}
	stream, err := j.printed(ctx)
	if err != nil {
		return err
	}
	size, err := j.readStream(ctx, stream)
	if err != nil {
		return err
	}
	if err := j.keepPDF(size); err != nil {
		return err
	}
	return j.broken()
}

// printed has the browser print, once more if the page went to another document meanwhile.
func (j *job) printed(ctx context.Context) (cdpio.StreamHandle, error) {
	j.awaiting = "the browser to print the page"
	var res cdpage.PrintToPDFResult
	ask := func() error {
		return j.wait(ctx, j.s.Send(cdpage.CommandPrintToPDF, printing(j.o)), j.drawing(), &res)
	}
	err := ask()
	if refused, is := errors.AsType[*cdp.Error](err); is && j.o.PDFPages != "" {
		return "", savepage.Errorf(savepage.CodeInvalidRequest, "the pages %q can not be printed: %s", j.o.PDFPages, refused.Message)
	}
	if errors.Is(err, errMoved) {
		if err := j.load(ctx); err != nil {
			return "", err
		}
		err = ask()
	}
	if err != nil {
		return "", fmt.Errorf("print the page: %w", err)
	}
	return res.Stream, nil
}

// keepPDF takes what was spooled for the picture.
func (j *job) keepPDF(size int64) (err error) {
	if j.large, err = j.out.take(); err != nil {
		return err
	}
	var all io.ReaderAt = j.large
	if j.large == nil {
		j.bytes = j.out.held.Bytes()
		all = bytes.NewReader(j.bytes)
	}
	read, err := picture.ReadPDF(all, size)
	if err != nil {
		return fmt.Errorf("read the pdf: %w", err)
	}
	j.width, j.height, j.pages = read.Width, read.Height, read.Pages
	return nil
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

// printing is what the browser is asked for.
func printing(o savepage.Options) cdpage.PrintToPDFParams {
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

// readStream spools a stream of the browser's to its end, part by part, and returns its size in bytes.
func (j *job) readStream(ctx context.Context, handle cdpio.StreamHandle) (size int64, err error) {
	defer j.s.Send(cdpio.CommandClose, cdpio.CloseParams{Handle: handle})
	j.out = &spool{dir: j.cfg.Spool, most: j.cfg.Hold}
	for {
		var part cdpio.ReadResult
		if err := j.s.Execute(ctx, cdpio.CommandRead, cdpio.ReadParams{Handle: handle, Size: pdfPart}, &part); err != nil {
			return 0, fmt.Errorf("read what was printed: %w", err)
		}
		if _, err := j.out.Write(part.Data); err != nil {
			return 0, err
		}
		if size += int64(len(part.Data)); size > mostPDF {
			return 0, savepage.Errorf(savepage.CodeTooLarge, "the pdf has more than %d MiB: print some of its pages with pdf_pages", mostPDF>>20)
		}
		if part.EOF {
			return size, nil
		}
	}
}
