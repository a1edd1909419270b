package mcp

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestPieces holds for pictures of many sizes: the pieces show every row, none is longer than asked, what follows repeats a part
// of what came before, and the factor is that of every piece.
func TestPieces(t *testing.T) {
	for _, size := range [][2]int{
		{1440, 900}, {1440, 60_000}, {320, 240}, {3840, 2160}, {3840, 30_000}, {1, 1}, {1568, 1568}, {1568, 1569}, {20, 9000},
	} {
		for _, v := range []view{{1568, true, 1}, {1568, false, 1}, {64, true, 1}, {2000, true, 1}, {640, false, 1}} {
			all, factor := v.pieces(size[0], size[1])
			if factor > 1 || factor <= 0 || !v.tiles && len(all) != 1 {
				t.Fatalf("%v %+v: %d pieces, factor %v", size, v, len(all), factor)
			}
			seen := 0
			for i, one := range all {
				if one.width > v.side || one.height > v.side || one.width < 1 || one.height < 1 {
					t.Fatalf("%v %+v: piece %d is %d×%d", size, v, i, one.width, one.height)
				}
				if one.top > seen || i > 0 && one.top >= seen && one.rows > overlapPart || one.top+one.rows <= seen {
					t.Fatalf("%v %+v: piece %d has rows %d to %d after %d", size, v, i, one.top, one.top+one.rows, seen)
				}
				if shown := float64(one.rows) * factor; shown-float64(one.height) > 1 || float64(one.height)-shown > 1 {
					t.Fatalf("%v %+v: piece %d of %d rows is %d high at factor %v", size, v, i, one.rows, one.height, factor)
				}
				seen = one.top + one.rows
			}
			if seen != size[1] {
				t.Fatalf("%v %+v: %d rows of %d are shown", size, v, seen, size[1])
			}
		}
	}
}

func TestViewIsRead(t *testing.T) {
	read := func(text string) (view, *arguments) {
		given, err := readArguments([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return readView(given, usualSide), given
	}
	v, left := read(`{"url":"x","longest_side":800.0,"tiles":true,"first_tile":3}`)
	if v != (view{800, true, 3}) || len(left.given) != 1 || left.fault() != nil {
		t.Errorf("%+v %v", v, left)
	}
	if v, left := read(`{"tiles":null}`); left.fault() != nil || v != (view{usualSide, false, 1}) {
		t.Errorf("%+v %v", v, left)
	}
	for _, wrong := range []string{
		`{"longest_side":63}`, `{"longest_side":2001}`, `{"longest_side":"big"}`, `{"first_tile":0}`, `{"tiles":1}`,
	} {
		if _, left := read(wrong); left.fault() == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
	if _, err := readArguments([]byte(`[7]`)); err == nil || !strings.Contains(err.Error(), "arguments is [7]: must be an object") {
		t.Error(err)
	}
}

func TestOptionsForModels(t *testing.T) {
	properties := optionProperties("url", "html")
	for _, name := range usual {
		if _, there := properties[name]; !there {
			t.Errorf("there is no option %s", name)
		}
	}
	if kind := properties["hide"].(schema)["type"]; kind != "array" {
		t.Errorf("hide is %v", kind)
	}
	if words := properties["format"].(schema)["enum"].([]string); len(words) != len(savepage.Formats())+1 {
		t.Errorf("formats are %v", words)
	}
}
