package main

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/savepage/savepage/internal/blob/stores"
)

func storeSettings() []setting {
	return []setting{
		{
			name: "DATA", kind: "folder", value: "./data", form: "a folder",
			doc: "Folder of the database and the pictures. The server creates it.",
			set: func(s *Settings, text string) error { s.Data = text; return nil },
		},
		{
			name: "DATABASE", kind: "database", value: "sqlite", form: databaseForms(), secret: true,
			doc: "Store of records and the queue: sqlite is a file in the data folder, postgres:// a database of a PostgreSQL server, version " +
				"15 or newer, which several servers may share.",
			set: setDatabase,
		},
		{
			name: "BLOBS", kind: "store", shown: "pictures in the data folder", form: stores.Forms(),
			doc: "Where pictures are kept.",
			set: setBlobs,
		},
		{
			name: "PICTURE_LINKS", kind: "duration", value: "0s", form: "0s, or a duration from 1m to 168h",
			doc: "How long the address is valid to which GET /captures/{name} redirects, if pictures are kept in a bucket: whoever asks " +
				"reads from there, signed by the server's credentials. 0s: the server sends pictures itself.",
			set: setPictureLinks,
		},
		{
			name: "RETENTION", kind: "duration", value: "720h", form: "a duration from 1s to 87600h, such as 720h",
			doc: "How long pictures and records are kept after the capture was requested.",
			set: duration(time.Second, 87600*time.Hour, func(s *Settings) *time.Duration { return &s.Retention }),
		},
	}
}

func setBlobs(s *Settings, text string) error {
	s.Blobs = text
	return stores.Check(text)
}

func setPictureLinks(s *Settings, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d != 0 && (d < time.Minute || d > 168*time.Hour) {
		return errForm
	}
	s.PictureLinks = d
	return nil
}

// blobs is where the pictures are kept.
func (s Settings) blobs() string { return cmp.Or(s.Blobs, filepath.Join(s.Data, "pictures")) }

// fileThat takes the path of a file that is there.
func fileThat(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		if info, err := os.Stat(text); err != nil || info.IsDir() {
			return errForm
		}
		*field(s) = text
		return nil
	}
}

func setProxies(s *Settings, text string) error {
	s.Proxies = nil
	for one := range strings.SplitSeq(text, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(one))
		if err != nil {
			return errForm
		}
		s.Proxies = append(s.Proxies, network.Masked())
	}
	return nil
}
