package api

import "github.com/savepage/savepage"

// OptionGroup is a part of the list of options.
type OptionGroup struct {
	Title  string
	Fields []Field
}

// OptionGroups lists every option, grouped, in the order of savepage.Options.
func OptionGroups() []OptionGroup {
	fields := OptionFields()
	var groups []OptionGroup
	for _, group := range savepage.OptionGroups() {
		groups = append(groups, OptionGroup{group.Title, fields[:len(group.Options)]})
		fields = fields[len(group.Options):]
	}
	return groups
}
