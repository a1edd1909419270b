package main

import (
	"net/url"
	"strings"
)

// anyOrigin as an origin stands for all.
const anyOrigin = "*"

func corsSettings() []setting {
	return []setting{{
		name: "CORS_ORIGINS", kind: "list", shown: "none", form: "origins such as https://app.example.com,http://localhost:3000, or *",
		doc: "Origins whose pages may call the API from a browser, with a key; * for all. Pages of every origin may read pictures, signed " +
			"links and the older API.",
		set: setOrigins,
	}}
}

func setOrigins(s *Settings, text string) error {
	s.Origins = nil
	for origin := range strings.SplitSeq(text, ",") {
		origin = strings.TrimSpace(origin)
		if u, err := url.Parse(origin); origin != anyOrigin &&
			(err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin) {
			return errForm
		}
		s.Origins = append(s.Origins, origin)
	}
	return nil
}
