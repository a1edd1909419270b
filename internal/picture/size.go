package picture

import (
	"encoding/binary"
	"strings"
)

// Size reads the width and height in pixels of a png, jpeg or webp from its headers. It does not look at the rest.
func Size(data []byte) (width, height int, err error) {
	switch text := string(data[:min(len(data), 16)]); {
	case strings.HasPrefix(text, pngSignature):
		width, height, err = pngSize(data)
	case strings.HasPrefix(text, "\xff\xd8\xff"):
		width, height, err = jpegSize(data)
	case strings.HasPrefix(text, "RIFF") && len(text) == 16 && text[8:12] == "WEBP":
		width, height, err = webpSize(data)
	default:
		err = corrupt("neither png, jpeg nor webp")
	}
	if err == nil && (width < 1 || height < 1) {
		err = corrupt("picture of %d x %d pixels", width, height)
	}
	if err != nil {
		return 0, 0, err
	}
	return width, height, nil
}

func pngSize(data []byte) (width, height int, err error) {
	if len(data) < 24 || string(data[12:16]) != "IHDR" {
		return 0, 0, corrupt("no png header")
	}
	return int(binary.BigEndian.Uint32(data[16:]) & 0x7fffffff), int(binary.BigEndian.Uint32(data[20:]) & 0x7fffffff), nil
}

// jpegSize finds the frame header, SOF0 to SOF15 without the three codes in that range that are none (ITU T.81, B.1.1.3).
func jpegSize(data []byte) (width, height int, err error) {
	for code := byte(0xc0); code <= 0xcf; code++ {
		if code == 0xc4 || code == 0xc8 || code == 0xcc {
			continue
		}
		if at := jpegMarker(data, code); at >= 0 && len(data) >= at+9 {
			return int(binary.BigEndian.Uint16(data[at+7:])), int(binary.BigEndian.Uint16(data[at+5:])), nil
		}
	}
	return 0, 0, corrupt("jpeg without a frame")
}

// webpSize reads the first chunk of a webp (RFC 9649, 2.5 to 2.7 and 3.4; RFC 6386, 9.1).
func webpSize(data []byte) (width, height int, err error) {
	if len(data) < 30 {
		return 0, 0, corrupt("webp is cut off")
	}
	switch body := data[20:]; string(data[12:16]) {
	case "VP8 ":
		if string(body[3:6]) != "\x9d\x01\x2a" {
			return 0, 0, corrupt("webp without a key frame")
		}
		return int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff), nil
	case "VP8L":
		if body[0] != 0x2f {
			return 0, 0, corrupt("lossless webp without its signature")
		}
		bits := binary.LittleEndian.Uint32(body[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, nil
	case "VP8X":
		return uint24(body[4:]) + 1, uint24(body[7:]) + 1, nil
	default:
		return 0, 0, corrupt("webp with an unknown first chunk")
	}
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
