package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// completeValues tells shells the values of every flag that takes words, and which flags and arguments are files. All others
// are completed with nothing.
func completeValues(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	for _, cmd := range commandsOf(root) {
		if slices.Contains([]string{"batch FILE", "backup DIR", "restore DIR", "manpage FOLDER"}, cmd.Use) {
			cmd.ValidArgsFunction = files
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if complete := completionOf(f); complete != nil {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails only for a flag that is not there, or has one
			}
		})
	}
}

// commandsOf lists a command and all below it.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, one := range cmd.Commands() {
		all = append(all, commandsOf(one)...)
	}
	return all
}

// completionOf returns what completes the flag's value; nil for nothing.
func completionOf(f *pflag.Flag) cobra.CompletionFunc {
	if slices.Contains([]string{"output", "body", "headers", "secret-file", "folder", configFlag}, f.Name) && f.Value.Type() == "string" {
		return files
	}
	switch value := f.Value.(type) {
	case *optionFlag:
		return completeOption(f.Name)
	case *textFlag:
		switch value.kind {
		case "path", "folder":
			return files
		case "word":
			return words(settingWords(f.Name))
		}
	}
	return nil
}

// completeOption offers the words of an option, also after others of a list that commas separate.
func completeOption(flag string) cobra.CompletionFunc {
	if flag == "device" {
		return words(deviceWords())
	}
	for _, f := range api.OptionFields() {
		switch {
		case optionFlagName(f.Name) != flag:
		case len(f.Enum) > 0 && f.Kind == api.KindList:
			return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
				before := typed[:strings.LastIndexByte(typed, ',')+1]
				var offered []string
				for _, word := range f.Enum {
					offered = append(offered, before+word)
				}
				return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
			}
		case len(f.Enum) > 0:
			return words(f.Enum)
		case f.Kind == api.KindBoolean:
			return words([]string{"true", "false"})
		}
	}
	return nil
}

// deviceWords are the presets in a spelling that needs no quotes, with their viewports.
func deviceWords() []string {
	var all []string
	for _, d := range savepage.Devices() {
		name := strings.ReplaceAll(strings.ToLower(d.Name), " ", "-")
		all = append(all, cobra.CompletionWithDesc(name, fmt.Sprintf("%d×%d at %v", d.Width, d.Height, d.Scale)))
	}
	return all
}

// settingWords are the values of a setting that takes one of a few words: its form lists them.
func settingWords(flag string) []string {
	for _, row := range settingTable() {
		if row.flag() == flag {
			return strings.Split(strings.Replace(row.form, " or ", ", ", 1), ", ")
		}
	}
	return nil
}

func words(all []string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}
