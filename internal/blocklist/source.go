package blocklist

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the lists
	"fmt"
	"io"
)

//go:embed data/easylist.txt.gz
var easylist []byte

//go:embed data/easyprivacy.txt.gz
var easyprivacy []byte

//go:embed data/chats.txt
var chats string

//go:embed data/cookies.css
var cookies string

// CookieCSS is a style sheet that hides cookie banners.
func CookieCSS() string { return cookies }

// Load reads the embedded lists, which takes a tenth of a second and 15 MB. Keep them. The error says that the program
// itself is broken.
func Load() (*Lists, error) {
	l := &Lists{}
	for _, one := range []struct {
		name  string
		short string
		gz    []byte
		text  string
		into  **list
	}{
		{"EasyList", "ads", easylist, "", &l.ads},
		{"EasyPrivacy", "trackers", easyprivacy, "", &l.trackers},
		{"the list of chat windows", "chats", nil, chats, &l.chats},
	} {
		text := one.text
		if one.gz != nil {
			var err error
			if text, err = unpack(one.gz); err != nil {
				return nil, fmt.Errorf("unpack %s: %w", one.name, err)
			}
		}
		read, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", one.name, err)
		}
		read.name = one.short
		*one.into = read
	}
	return l, nil
}

func unpack(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("read gzip: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("read gzip: %w", err)
	}
	return string(text), nil
}
