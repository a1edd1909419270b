package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/near"
)

// nameArguments has every command say in its own words which arguments are missing or too many.
func nameArguments(root *cobra.Command) {
	for _, cmd := range commandsOf(root) {
		check := cmd.Args
		if check == nil {
			continue
		}
		names := operands(cmd.Use)
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			switch {
			case check(cmd, args) == nil:
				return nil
			case len(args) < len(names):
				return usageError{fmt.Errorf("%s is missing\nSee %s --help", names[len(args)], cmd.CommandPath())}
			case len(names) == 0:
				return usageError{fmt.Errorf("%s takes no argument: %q is one too many\nSee %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())}
			default:
				return usageError{fmt.Errorf("%s takes one %s: %q is one too many\nSee %s --help", cmd.CommandPath(),
					strings.Join(names, " and one "), args[len(names)], cmd.CommandPath())}
			}
		}
	}
}

// operands are the names of a command's arguments in its line of usage.
func operands(use string) []string {
	var names []string
	for _, word := range strings.Fields(use)[1:] {
		if strings.HasPrefix(word, "-") {
			break // flags that are always needed follow
		}
		names = append(names, word)
	}
	return names
}

// flagError says what is wrong with a flag: its name, with the one that was most likely meant, or its value.
func flagError(cmd *cobra.Command, err error) error {
	said := err.Error()
	if unknown, is := errors.AsType[*pflag.NotExistError](err); is {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		said += near.Hint("--"+unknown.GetSpecifiedName(), known)
	}
	if missing, is := errors.AsType[*pflag.ValueRequiredError](err); is {
		said = "--" + missing.GetFlag().Name + " needs a value"
	}
	if invalid, is := errors.AsType[*pflag.InvalidValueError](err); is {
		said = fmt.Sprintf("--%s is %q: want %s", invalid.GetFlag().Name, invalid.GetValue(), formOf(invalid.GetFlag().Value.Type()))
	}
	return usageError{fmt.Errorf("%s\nSee %s --help", said, cmd.CommandPath())}
}

// formOf describes the values of a flag of Go's own kinds.
func formOf(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration such as 90s or 24h"
	default:
		return "a " + kind
	}
}

// unknownCommand is the fault of a command line that names no command of cmd, which only groups others.
func unknownCommand(cmd *cobra.Command, args []string) error {
	var known []string
	for _, one := range cmd.Commands() {
		if !one.Hidden {
			known = append(known, one.Name())
		}
	}
	if len(args) == 0 {
		return usageError{fmt.Errorf("a command is missing: %s; see %s --help", strings.Join(known, ", "), cmd.CommandPath())}
	}
	return usageError{fmt.Errorf("unknown command %q%s\nSee %s --help", args[0], near.Hint(args[0], known), cmd.CommandPath())}
}

// asFlags rewrites the faults of options with the names of flags.
func asFlags(err error) error {
	fault, known := errors.AsType[*savepage.Error](err)
	if !known || len(fault.Fields) == 0 {
		return err
	}
	lines := []string{"invalid options:"}
	for _, field := range fault.Fields {
		name := "--" + optionFlagName(field.Location)
		if field.Location == "url" {
			name = "URL"
		}
		lines = append(lines, "  "+name+": "+inFlags(field.Message))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// mention finds words that may be names of options: those with an underscore, and those after words that lead to one.
var mention = regexp.MustCompile(`\b(?:(with|than|needs|without|or) )?([a-z]+(?:_[a-z]+)*)\b`)

// inFlags writes the options that a message of the API mentions as the command line has them.
func inFlags(message string) string {
	names := []string{}
	for _, f := range api.OptionFields() {
		names = append(names, f.Name)
	}
	return mention.ReplaceAllStringFunc(message, func(found string) string {
		lead, name, led := strings.Cut(found, " ")
		if !led {
			lead, name = "", found
		} else {
			lead += " "
		}
		switch {
		case !slices.Contains(names, name), !led && !strings.Contains(name, "_"), lead == "or " && name != "html":
			return found
		case name == "url":
			return lead + "a URL"
		default:
			return lead + "--" + optionFlagName(name)
		}
	})
}
