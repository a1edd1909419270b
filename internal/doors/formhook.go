package doors

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/savepage/savepage"
)

// formCallback reads the headers of Gotenberg's webhook: the file is the body of the callback. It reports whether there is one.
func formCallback(o *order, h http.Header, trace string) (bool, error) {
	address := h.Get("Gotenberg-Webhook-Url")
	if address == "" {
		return false, nil
	}
	failures := h.Get("Gotenberg-Webhook-Error-Url")
	if failures == "" {
		return false, savepage.Errorf(savepage.CodeInvalidRequest, "the header Gotenberg-Webhook-Error-Url is required: failures go there")
	}
	for _, name := range []string{"Gotenberg-Webhook-Events-Url", "Gotenberg-Webhook-Error-Method"} {
		if h.Get(name) != "" {
			o.ignored = append(o.ignored, name)
		}
	}
	set := func(header, option string, value any) {
		o.name = header
		o.set(option, value)
	}
	set("Gotenberg-Webhook-Url", "callback_url", address)
	set("Gotenberg-Webhook-Error-Url", "callback_error_url", failures)
	o.options["callback_format"] = savepage.CallbackGotenberg
	if method := h.Get("Gotenberg-Webhook-Method"); method != "" {
		set("Gotenberg-Webhook-Method", "callback_method", strings.ToUpper(method))
	}
	if name := fileStem(h.Get("Gotenberg-Output-Filename")); name != "" {
		set("Gotenberg-Output-Filename", "callback_filename", name)
	}
	headers := map[string]string{}
	if given := h.Get("Gotenberg-Webhook-Extra-Http-Headers"); given != "" {
		if err := json.Unmarshal([]byte(given), &headers); err != nil {
			return false, savepage.Errorf(savepage.CodeInvalidRequest,
				"the header Gotenberg-Webhook-Extra-Http-Headers must be a JSON object with string values")
		}
	}
	headers["Gotenberg-Trace"] = trace
	set("Gotenberg-Webhook-Extra-Http-Headers", "callback_headers", headers)
	return true, nil
}
