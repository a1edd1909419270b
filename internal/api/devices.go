package api

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/near"
)

// DeviceList is the answer of GET /v1/devices.
type DeviceList struct {
	Devices []savepage.Device `json:"devices" doc:"The presets of the option device."`
}

func (a *API) listDevices(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	a.answer(w, r, http.StatusOK, DeviceList{Devices: savepage.Devices()})
}

func docDevices() *huma.Operation {
	op := operation("listDevices", tagCaptures, "The device presets", map[int]reflect.Type{http.StatusOK: schemaOf[DeviceList]()})
	op.Description = "Names for the option device, with what each sets. Needs no key."
	op.Security = []map[string][]string{}
	return op
}

// checkDevice names the preset that was most likely meant.
func checkDevice(given string) []savepage.FieldError {
	if given == "" {
		return nil
	}
	if _, known := savepage.FindDevice(given); known {
		return nil
	}
	var known []string
	for _, d := range savepage.Devices() {
		known = append(known, d.Name)
	}
	message := "unknown device; did you mean " + strconv.Quote(near.Closest(given, known)) + "? GET /v1/devices lists them"
	return []savepage.FieldError{{Location: "device", Message: message, Value: echo(given)}}
}
