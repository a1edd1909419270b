package session

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/savepage/savepage/internal/cdp"
)

// Read decodes an event. One that cannot be read is passed over: its content is then not known.
func Read(params json.RawMessage, into any) bool { return cdp.Decode(params, into) == nil }

// OfDocument reports whether an event of the network may be one of a document. Most are not: those need not be decoded.
func OfDocument(params json.RawMessage) bool { return bytes.Contains(params, []byte(`"Document"`)) }

// OfPage reports that an address names something that the page has already.
func OfPage(url string) bool {
	return strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:")
}

// MainDocument reads a Network.requestWillBeSent. It reports false when the request is not for a document of the frame.
func MainDocument(params json.RawMessage, frame string) (url, request string, is bool) {
	var e struct {
		RequestID string `json:"requestId"`
		LoaderID  string `json:"loaderId"`
		FrameID   string `json:"frameId"`
		Type      string `json:"type"`
		Request   struct {
			URL string `json:"url"`
		} `json:"request"`
	}
	if !OfDocument(params) || !Read(params, &e) || OfPage(e.Request.URL) {
		return "", "", false
	}
	return e.Request.URL, e.RequestID, e.Type == "Document" && e.FrameID == frame && e.RequestID == e.LoaderID
}
