// Package agent knows how browsers name themselves: user agents, client hints, platforms. It makes the names agree with each
// other, and hides from nobody what the browser is driven by.
package agent

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Brand is a browser, or what it is built of, with its version.
type Brand struct {
	Brand   string `json:"brand"`
	Version string `json:"version"`
}

// Metadata is what client hints are made of, as Emulation.setUserAgentOverride takes it. Unlike cdproto's type it leaves nothing
// out: what is missing the browser fills in from itself.
type Metadata struct {
	Brands          []Brand  `json:"brands"`
	FullVersionList []Brand  `json:"fullVersionList"`
	FullVersion     string   `json:"fullVersion"`
	Platform        string   `json:"platform"`
	PlatformVersion string   `json:"platformVersion"`
	Architecture    string   `json:"architecture"`
	Model           string   `json:"model"`
	Mobile          bool     `json:"mobile"`
	Bitness         string   `json:"bitness"`
	Wow64           bool     `json:"wow64"`
	FormFactors     []string `json:"formFactors"`
}

// Override is the parameters of Emulation.setUserAgentOverride.
type Override struct {
	UserAgent      string    `json:"userAgent"`
	AcceptLanguage string    `json:"acceptLanguage,omitempty"`
	Platform       string    `json:"platform,omitempty"`
	Metadata       *Metadata `json:"userAgentMetadata,omitempty"` // nil: a browser that sends no client hints
}

// InWorker is an expression that has a worker say what its page does, where the browser's override does not reach.
func (o Override) InWorker() string {
	names, _ := json.Marshal(map[string]string{"userAgent": o.UserAgent, "platform": o.Platform})
	expression := fmt.Sprintf(`for (const [name, value] of Object.entries(%s)) if (value) `+
		`Object.defineProperty(WorkerNavigator.prototype, name, {get: () => value, configurable: true, enumerable: true});`, names)
	if o.Metadata == nil {
		expression += "delete WorkerNavigator.prototype.userAgentData;"
	}
	return expression
}

// Ordinary is the user agent of an ordinary Chrome in the place of that of the headless one: without its word, and with the
// version reduced to the major one, as Chrome has it.
func Ordinary(userAgent string) string {
	return regexp.MustCompile(`\b(?:Headless)?Chrome/(\d+)[\d.]*`).ReplaceAllString(userAgent, "Chrome/$1.0.0.0")
}

// Platform is what navigator.platform says in a browser with this user agent; empty leaves it as it is.
func Platform(userAgent string) string {
	for _, known := range [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Linux armv81"},
		{"Windows", "Win32"},
		{"Macintosh", "MacIntel"},
		{"Linux", "Linux x86_64"},
	} {
		if strings.Contains(userAgent, known[0]) {
			return known[1]
		}
	}
	return ""
}

// Hints are the client hints of a browser with this user agent (https://wicg.github.io/ua-client-hints), or nil when it is
// none that sends them. product is the browser that runs, as Chrome/156.0.8078.79: a user agent of its own major version has
// its whole version.
func Hints(userAgent, product string) *Metadata {
	version := regexp.MustCompile(`\bChrome/(\d+)([\d.]*)`).FindStringSubmatch(userAgent)
	if version == nil || strings.Contains(userAgent, " Edge/") {
		return nil
	}
	major, _ := strconv.Atoi(version[1])
	if major < 89 {
		return nil
	}
	full := version[1] + version[2]
	if _, own, found := strings.Cut(product, "Chrome/"); found && version[2] == ".0.0.0" && strings.HasPrefix(own, version[1]+".") {
		full = own
	}
	brand, brandMajor, brandFull := "Google Chrome", version[1], full
	if edge := regexp.MustCompile(`\bEdg[A]?/((\d+)[\d.]*)`).FindStringSubmatch(userAgent); edge != nil {
		brand, brandMajor, brandFull = "Microsoft Edge", edge[2], edge[1]
	}
	odd, oddVersion := grease(major)
	m := &Metadata{
		Brands:          inOrder(major, Brand{odd, oddVersion}, Brand{"Chromium", version[1]}, Brand{brand, brandMajor}),
		FullVersionList: inOrder(major, Brand{odd, oddVersion + ".0.0.0"}, Brand{"Chromium", full}, Brand{brand, brandFull}),
		FullVersion:     brandFull,
		Mobile:          strings.Contains(userAgent, " Mobile"),
		FormFactors:     []string{"Desktop"},
	}
	describeSystem(m, userAgent)
	return m
}

// Headers are the hints that every request to a trusted address carries.
func (m *Metadata) Headers() map[string]any {
	brands := make([]string, len(m.Brands))
	for i, b := range m.Brands {
		brands[i] = fmt.Sprintf("%q;v=%q", b.Brand, b.Version)
	}
	mobile := "?0"
	if m.Mobile {
		mobile = "?1"
	}
	return map[string]any{
		"Sec-CH-UA": strings.Join(brands, ", "), "Sec-CH-UA-Mobile": mobile, "Sec-CH-UA-Platform": strconv.Quote(m.Platform),
	}
}

// grease is the brand that no browser has, which Chromium makes of its version so that sites do not rely on a list of brands
// (components/embedder_support/user_agent_utils.cc).
func grease(major int) (brand, version string) {
	marks := []string{" ", "(", ":", "-", ".", "/", ")", ";", "=", "?", "_"}
	versions := []string{"8", "99", "24"}
	return "Not" + marks[major%len(marks)] + "A" + marks[(major+1)%len(marks)] + "Brand", versions[major%len(versions)]
}

// inOrder shuffles the brands as Chromium does, by its version.
func inOrder(major int, odd, chromium, own Brand) []Brand {
	order := [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}[major%6]
	list := make([]Brand, len(order))
	list[order[0]], list[order[1]], list[order[2]] = odd, chromium, own
	return list
}

// describeSystem fills in what the user agent says of the machine.
func describeSystem(m *Metadata, userAgent string) {
	if android := regexp.MustCompile(`Android (\d+)[\d.]*; ([^;)]*?)(?: Build/[^)]*)?\)`).FindStringSubmatch(userAgent); android != nil {
		m.Platform, m.PlatformVersion, m.Model = "Android", android[1]+".0.0", android[2]
		m.FormFactors = []string{"Tablet"}
		if m.Mobile {
			m.FormFactors = []string{"Mobile"}
		}
		return
	}
	m.Architecture, m.Bitness = "x86", "64"
	switch {
	case strings.Contains(userAgent, "Windows NT"):
		m.Platform, m.PlatformVersion = "Windows", "10.0.0"
	case strings.Contains(userAgent, "Mac OS X"):
		m.Platform, m.PlatformVersion = "macOS", "10.15.7"
	case strings.Contains(userAgent, "CrOS"):
		m.Platform = "Chrome OS"
	default:
		m.Platform = "Linux"
	}
}
