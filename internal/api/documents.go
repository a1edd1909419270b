package api

import (
	"net/http"
	"reflect"
	"runtime"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// documents serve what the API says about itself. describe fills them.
type documents struct {
	out      responder
	links    capture.Links
	waits    waits
	version  string
	decoder  *Decoder
	document []byte // OpenAPI
}

func (d *documents) getDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	write(w, http.StatusOK, "application/json", d.document)
}

// Version is the answer of GET /version.
type Version struct {
	Version string `json:"version" doc:"Version of the service."`
	Go      string `json:"go" doc:"Version of the Go compiler."`
}

func (d *documents) getVersion(w http.ResponseWriter, r *http.Request) {
	d.out.json(w, r, http.StatusOK, Version{Version: d.version, Go: runtime.Version()})
}

// DeviceList is the answer of GET /v1/devices.
type DeviceList struct {
	Devices []savepage.Device `json:"devices" doc:"Presets of the option device."`
}

func (d *documents) listDevices(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	d.out.json(w, r, http.StatusOK, DeviceList{Devices: savepage.Devices()})
}

func docDevices() *huma.Operation {
	op := operation("listDevices", tagCaptures, "List the device presets", map[int]reflect.Type{http.StatusOK: schemaOf[DeviceList]()})
	op.Description = "The values of the option device, and the settings of each. Needs no key."
	return open(op)
}

// schemaOf refers to the schema of T, which describe registers.
func schemaOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
