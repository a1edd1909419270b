// Package layout has the lengths of a page: boxes as the browser measures them, areas of whole pixels as they are drawn.
package layout

import "math"

// Box is where an element stands in the document, in CSS pixels.
type Box struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Area is a part of the document in CSS pixels.
type Area struct {
	X, Y, Width, Height int
	Viewport            bool // exactly what the viewport shows
}

// Enclose is the smallest area of whole pixels around a box. What lies left of or above the document cannot be drawn.
func Enclose(b Box) Area {
	const hair = 1e-3 // layout counts in 64ths of a pixel
	left, top := max(0, int(math.Floor(b.X+hair))), max(0, int(math.Floor(b.Y+hair)))
	right, bottom := int(math.Ceil(b.X+b.Width-hair)), int(math.Ceil(b.Y+b.Height-hair))
	return Area{X: left, Y: top, Width: max(1, right-left), Height: max(1, bottom-top)}
}

// DevicePixels is a length of the picture as the browser rounds it.
func DevicePixels(css int, scale float64) int { return int(math.Round(float64(css) * scale)) }
