package httpd

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// Bounds of what is compressed.
const (
	compressFrom = 2 << 10 // bytes of an answer; less saves no packet worth its time
	lengthNoise  = 32      // bytes at most by which the length is blurred: it tells nothing of a secret beside words of a client
)

// Compress has text answers compressed for clients that accept gzip. Pictures are compressed already, and events go out one by
// one: both pass as they are.
func Compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false),
		gzhttp.ContentTypeFilter(isText), gzhttp.RandomJitter(lengthNoise, 0, false), gzhttp.SuffixETag("-gzip"))
	if err != nil {
		return nil, fmt.Errorf("compress answers: %w", err)
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPicture(r.URL.Path) || strings.HasSuffix(r.URL.Path, "/events") {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	}), nil
}

// isText reports whether a media type is one of texts that come as a whole.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	texts := []string{"application/json", "application/problem+json", "application/javascript", "image/svg+xml"}
	return strings.HasPrefix(media, "text/") && media != "text/event-stream" || slices.Contains(texts, media)
}
