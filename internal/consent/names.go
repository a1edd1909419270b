package consent

import (
	"encoding/json"
	"strings"
)

// libraries are marks of libraries that the banners of several tools are made with, and the libraries' names. A rule that knows
// a banner by such a mark alone knows the library and not the tool that it is called after.
func libraries() map[string]string {
	return map[string]string{"cookieconsent:desc": "Cookie Consent by Osano"}
}

// namesOf are the right names of rules that are called after one of the tools which they may have found.
func namesOf(texts, rules []json.RawMessage) map[string]string {
	names := map[string]string{}
	for _, rule := range rules {
		var fields []json.RawMessage
		var name string
		marks, err := marksOf(texts, []json.RawMessage{rule})
		if err != nil || json.Unmarshal(rule, &fields) != nil || json.Unmarshal(fields[1], &name) != nil {
			continue // a rule of another form stops the loading elsewhere
		}
		for mark, library := range libraries() {
			if strings.Contains(strings.Join(marks, " "), mark) {
				names[name] = library
			}
		}
	}
	return names
}

// Tool is the name of the consent tool that a rule of this name has found.
func (r *Rules) Tool(rule string) string {
	if name, known := r.names[rule]; known {
		return name
	}
	return rule
}
