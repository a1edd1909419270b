// Package docs holds the files of this folder, for the pages of the manual that the server shows. It does nothing with them.
package docs

import (
	"embed"
	"io/fs"
)

//go:embed *.md webhook-vectors.json pictures/*.webp pictures/options.json
var files embed.FS

// Files are the files of the folder.
func Files() fs.FS { return files }
