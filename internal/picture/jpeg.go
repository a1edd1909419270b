package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"github.com/savepage/savepage"
)

// bandRows is the height of the bands that are encoded one by one: a multiple of 16, the height of an MCU of 4:2:0, and
// few enough that the MCUs of a band of the widest picture fit the 16 bits of a restart interval.
const bandRows = 128

// jpegWriter writes one baseline jpeg as a stream. Each band is encoded alone, and its scan becomes one restart interval
// of the whole (ITU T.81, B.2.4.4): a restart sets the predictors back, so that bands do not depend on each other. The
// encoder's tables are the same for every band.
type jpegWriter struct {
	w             io.Writer
	height        int
	quality       int
	band          *image.RGBA
	filled        int // rows in band
	bands         int // written
	missing       int // rows still to come
	width, stride int
}

func newJPEGWriter(w io.Writer, width, height, quality int) (*jpegWriter, error) {
	if limit := savepage.FormatJPEG.Info().MaxSide; width < 1 || height < 1 || width > limit || height > limit {
		return nil, fmt.Errorf("jpeg of %d x %d pixels: a side has 1 to %d", width, height, limit)
	}
	band := image.NewRGBA(image.Rect(0, 0, width, min(bandRows, height)))
	return &jpegWriter{w: w, width: width, height: height, quality: quality, band: band, missing: height, stride: band.Stride}, nil
}

// pixels takes one row of RGB or RGBA. Alpha is not looked at.
func (j *jpegWriter) pixels(row []byte, channels int) error {
	line := j.band.Pix[j.filled*j.stride:][:j.stride]
	for from, to := 0, 0; to < len(line); from, to = from+channels, to+4 {
		line[to], line[to+1], line[to+2], line[to+3] = row[from], row[from+1], row[from+2], 0xff
	}
	j.filled++
	j.missing--
	if j.filled == bandRows || j.missing == 0 {
		return j.flush()
	}
	return nil
}

// flush encodes the band and appends its scan.
func (j *jpegWriter) flush() error {
	var file bytes.Buffer
	band := j.band.SubImage(image.Rect(0, 0, j.width, j.filled))
	if err := jpeg.Encode(&file, band, &jpeg.Options{Quality: j.quality}); err != nil {
		return fmt.Errorf("encode jpeg: %w", err)
	}
	head, scan, err := splitJPEG(file.Bytes())
	if err != nil {
		return err
	}
	if j.bands == 0 {
		err = j.header(head)
	} else {
		_, err = j.w.Write([]byte{0xff, 0xd0 | byte((j.bands-1)&7)}) // RSTm
	}
	if err != nil {
		return err
	}
	j.bands++
	j.filled = 0
	_, err = j.w.Write(scan)
	return err
}

// header writes the first band's header with the whole picture's height and, before the scan, the restart interval.
func (j *jpegWriter) header(head []byte) error {
	frame, scan := jpegMarker(head, 0xc0), jpegMarker(head, 0xda)
	if frame < 0 || scan < 0 {
		return corrupt("jpeg without a frame")
	}
	binary.BigEndian.PutUint16(head[frame+5:], uint16(j.height)) //nolint:gosec // checked against the format's MaxSide
	perBand := (j.width + 15) / 16 * (bandRows / 16)
	restart := binary.BigEndian.AppendUint16([]byte{0xff, 0xdd, 0, 4}, uint16(perBand)) //nolint:gosec // at most 4096 x 8
	for _, part := range [][]byte{head[:scan], restart, head[scan:]} {
		if _, err := j.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func (j *jpegWriter) close() error {
	_, err := j.w.Write([]byte{0xff, 0xd9})
	return err
}

// splitJPEG parts a file of one scan into everything before its entropy-coded data, and that data without EOI.
func splitJPEG(file []byte) (head, scan []byte, err error) {
	at := jpegMarker(file, 0xda)
	if at < 0 || len(file) < at+4 {
		return nil, nil, corrupt("jpeg without a scan")
	}
	at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
	if len(file) < at+2 {
		return nil, nil, corrupt("jpeg is cut off")
	}
	return file[:at], file[at : len(file)-2], nil
}

// jpegMarker is the offset of the first segment with this marker code, or -1. It walks the segments up to the scan.
func jpegMarker(file []byte, code byte) int {
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		if file[at+1] == code {
			return at
		}
		if file[at+1] == 0xda {
			return -1
		}
		at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
	}
	return -1
}
