package hostile

import (
	"slices"
	"strings"
)

// Spelling is one way to write a host that is, or might be taken for, loopback.
type Spelling struct {
	ID      string
	Host    string // as a page writes it before ":port"
	Control Control
}

// Reasons why a spelling reaches nothing, even with everything allowed.
const (
	noHost   Control = "Chromium takes it for no host"
	noRoute  Control = "this address leads nowhere on a machine without a translator"
	noLookup Control = "the resolver of the rig does not know it"
)

// Spellings are the hosts of D66. Numbers, escapes and other scripts are Chromium's to resolve; names are the guard's.
func Spellings() []Spelling {
	var list []Spelling
	for _, kind := range []struct {
		control Control
		hosts   []string
	}{
		{Reaches, slices.Concat(numbers(), letters(), names(), sixes())},
		{noHost, []string{"127.65536", "4294967297", "127.0.0.1.1", "256.0.0.1", "[::1%25lo]", "[::1%lo]"}},
		{noRoute, []string{"127.0.256", "[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::7f00:1]"}},
		{noLookup, []string{"٣.0.0.1"}},
	} {
		for _, host := range kind.hosts {
			list = append(list, Spelling{ID: "D66/" + two(len(list)+1), Host: host, Control: kind.control})
		}
	}
	return list
}

func numbers() []string {
	return strings.Fields(`127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0X7F000001 0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 017700000001
		0177.1 0177.0.0.1 0177.0000.0000.0001 00000177.0.0.1 127.0.0.1. 127.0x0.00.1 0x7f.0.1`)
}

// letters are escapes and the digits and letters of other scripts.
func letters() []string {
	return append(strings.Fields(`%31%32%37.0.0.1 127%2e0%2e0%2e1 %3127.0.0.1 127.0.0.%31 １２７.０.０.１ ①②⑦.⓪.⓪.①
		127。0。0。1 127．0．0．1 127｡0｡0｡1 𝟏𝟐𝟕.𝟎.𝟎.𝟏 ｌｏｃａｌｈｏｓｔ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ %6cocalhost`),
		"127.0.0.\u00ad1", "\u200b127.0.0.1", "lo\u00adcalhost")
}

func names() []string {
	return strings.Fields(`localhost LOCALHOST localhost. a.localhost a.localhost. localhost6 localhost.localdomain name.inside.test
		NAME.inside.test. name.six.inside.test 7f000001.inside.test`)
}

func sixes() []string {
	return strings.Fields(`[::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::ffff:127.0.0.1] [::ffff:7f00:1]
		[::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1]`)
}

func two(n int) string { return string([]byte{'0' + byte(n/10%10), '0' + byte(n%10)}) } //nolint:gosec // two digits
