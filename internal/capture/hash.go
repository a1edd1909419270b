package capture

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/savepage/savepage"
)

// longText is how long a text is that is hashed by itself: the captures of a batch often have the same ones.
const longText = 4096

// hasher names what pictures depend on. It remembers the long texts of the options before.
type hasher struct {
	html, css, js struct{ text, digest string }
}

// hash names what the picture depends on: two captures with the same hash ask for the same picture. What is left out
// says who gets the result, how long it may take, and which picture will do.
func (h *hasher) hash(o savepage.Options) (string, error) {
	o.CallbackURL, o.CallbackHeaders, o.CallbackSecret = "", nil, ""
	o.CallbackFormat, o.CallbackMethod, o.CallbackOn, o.CallbackErrorURL, o.CallbackFilename = "", "", nil, "", ""
	o.Async, o.Metadata, o.CacheTTL, o.Store = false, nil, 0, nil
	o.Timeout, o.OnTimeout = 0, "" // what is taken at the timeout is not kept
	o.FailOn = slices.Compact(slices.Sorted(slices.Values(o.FailOn)))
	if format := o.Format.Info(); format.Paged {
		o.Fullpage = false // it has the whole page in any case
	} else if !format.Quality {
		o.Quality = 0
	}
	if !o.Fullpage {
		o.MaxHeight = 0
	}
	for _, one := range []struct {
		text *string
		last *struct{ text, digest string }
	}{{&o.HTML, &h.html}, {&o.CSS, &h.css}, {&o.JS, &h.js}} {
		if len(*one.text) < longText {
			continue
		}
		if one.last.text != *one.text {
			digest := sha256.Sum256([]byte(*one.text))
			one.last.text, one.last.digest = *one.text, "sha256:"+hex.EncodeToString(digest[:])
		}
		*one.text = one.last.digest
	}
	canonical, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(canonical)
	return hex.EncodeToString(digest[:]), nil
}
