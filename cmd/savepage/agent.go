package main

import "strings"

// agentSettings say how the service names itself to the sites that it visits.
func agentSettings() []setting {
	return []setting{{
		name: "USER_AGENT_SUFFIX", kind: "text", shown: "none",
		form: "at most 200 printable ASCII characters, such as ExampleShots/1.0 (+https://example.com/bot)",
		doc: "Text behind the browser's user agent, by which sites can know the service. A capture that gives a user_agent of its own is " +
			"sent with that alone.",
		set: setAgentSuffix,
	}}
}

func setAgentSuffix(s *Settings, text string) error {
	const most = 200
	if len(text) > most || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return errForm
	}
	s.UserAgent = text
	return nil
}
