package api

import (
	"strconv"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/near"
)

// checkDevice refuses an unknown preset and names the closest one.
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
