// Package blocklist knows the hosts of advertisements and trackers, and how cookie banners look. It owns the embedded
// lists and the matching of host names. It refuses nothing itself, looks at no address, path or page, and loads nothing
// from the network: data/README.md says where the lists come from and how they are renewed.
package blocklist

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the lists
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed data/ads.txt.gz
var ads []byte

//go:embed data/trackers.txt.gz
var trackers []byte

//go:embed data/cookies.css
var cookies string

// Lists are the lists, unpacked: about 5 MB. They never change and are safe for concurrent use. Make them with Load.
type Lists struct {
	ads, trackers hosts
}

// Load unpacks the lists, which takes some milliseconds. Keep them. The error says that the program itself is broken.
func Load() (*Lists, error) {
	a, err := unpack(ads)
	if err != nil {
		return nil, fmt.Errorf("unpack the list of advertisers: %w", err)
	}
	t, err := unpack(trackers)
	if err != nil {
		return nil, fmt.Errorf("unpack the list of trackers: %w", err)
	}
	return &Lists{ads: a, trackers: t}, nil
}

// Blocked reports whether a host, or a domain above it, is on one of the lists that are asked for. The host is a name or
// an address without a port, in ASCII; its case and a last dot do not matter.
func (l *Lists) Blocked(host string, ads, trackers bool) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return ads && l.ads.cover(host) || trackers && l.trackers.cover(host)
}

// CookieCSS is a style sheet that hides cookie banners.
func (l *Lists) CookieCSS() string { return cookies }

// hosts are names in order. They share the bytes of one text.
type hosts []string

func unpack(packed []byte) (hosts, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// cover reports whether the name or a domain above it is listed.
func (h hosts) cover(name string) bool {
	for strings.Contains(name, ".") { // no list names a top-level domain
		if _, listed := slices.BinarySearch(h, name); listed {
			return true
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false
}
