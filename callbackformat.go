package savepage

import "slices"

// CallbackFormat is what a callback looks like.
type CallbackFormat string

// The formats of callbacks. The names of other services are for receivers that were written for them.
const (
	CallbackEvent             CallbackFormat = "event"              // JSON that describes the capture
	CallbackFile              CallbackFormat = "file"               // the picture itself; a failure is an event
	CallbackGotenberg         CallbackFormat = "gotenberg"          // the picture itself; a failure is {"status","message"}
	CallbackScreenshotOne     CallbackFormat = "screenshotone"      // the picture itself; a failure is {"error_code",…}
	CallbackScreenshotOneJSON CallbackFormat = "screenshotone_json" // {"screenshot_url"}; a failure is {"error_code",…}
	CallbackUrlbox            CallbackFormat = "urlbox"             // {"event","renderId","result",…}
)

// IsFile reports whether the callback of a success has the picture as its body.
func (f CallbackFormat) IsFile() bool {
	return f == CallbackFile || f == CallbackGotenberg || f == CallbackScreenshotOne
}

// Tells reports whether the callback of a capture that ended in a state is wanted.
func (o Options) Tells(end State) bool {
	return o.CallbackURL != "" && (len(o.CallbackOn) == 0 || slices.Contains(o.CallbackOn, string(end)))
}

// CallbackTo is where the callback of a capture that ended in a state goes.
func (o Options) CallbackTo(end State) string {
	if end == Failed && o.CallbackErrorURL != "" {
		return o.CallbackErrorURL
	}
	return o.CallbackURL
}
