package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage/internal/near"
)

const (
	envPrefix  = "SAVEPAGE_"
	fileSuffix = "_FILE"
	// configName is the settings file in the working folder, read if it exists.
	configName = "savepage.yaml"
	configFlag = "config"
	configEnv  = envPrefix + "CONFIG"
)

// settingsError holds every fault of the settings.
type settingsError []string

// Error names every fault on its own line.
func (e settingsError) Error() string {
	noun := "settings"
	if len(e) == 1 {
		noun = "setting"
	}
	return fmt.Sprintf("%d invalid %s:\n  %s", len(e), noun, strings.Join(e, "\n  "))
}

// layer is one source of settings.
type layer struct {
	values *koanf.Koanf
	// called is the setting's name in this source, for messages.
	called func(s setting) string
}

// addSettingFlags gives a command the flags of settings: of all, or of those that are named.
func addSettingFlags(flags *pflag.FlagSet, names ...string) {
	for _, group := range settingGroups() {
		for _, s := range group.rows {
			if s.noFlag || len(names) > 0 && !slices.Contains(names, s.name) {
				continue
			}
			title := titleSettings
			if len(names) == 0 {
				title = group.title
			}
			titled(flags.VarPF(&textFlag{kind: s.kind, text: s.value}, s.flag(), "", s.usage()), title)
		}
	}
	flags.String(configFlag, "", "settings file (default "+configName+" in the working directory, if it exists)")
	titled(flags.Lookup(configFlag), titleSettings)
}

func (s setting) usage() string {
	usage := strings.TrimSuffix(s.doc, ".") + " [" + s.variable() + "]"
	if s.shown != "" {
		usage += " (default: " + s.shown + ")"
	}
	return usage
}

// textFlag is the text of a flag. It is interpreted when all sources have been read.
type textFlag struct{ kind, text string }

// String returns the text.
func (f *textFlag) String() string { return f.text }

// Set takes the text as it is.
func (f *textFlag) Set(text string) error { f.text = text; return nil }

// Type is the word that the help shows for the value.
func (f *textFlag) Type() string { return f.kind }

// loadSettings reads the settings: flags win, then variables, then the settings file, then the defaults. All faults come
// back in one settingsError.
func loadSettings(flags *pflag.FlagSet, environ []string) (Settings, error) {
	var wrong settingsError
	fromEnv, err := readEnv(environ)
	if err != nil {
		return Settings{}, err
	}
	path, err := configPath(flags, environ)
	if err != nil {
		return Settings{}, settingsError{err.Error()}
	}
	fromFile, err := readFile(path)
	if err != nil {
		return Settings{}, settingsError{err.Error()}
	}
	fromFlags, err := readFlags(flags)
	if err != nil {
		return Settings{}, err
	}
	wrong = append(wrong, unknownVariables(fromEnv)...)
	wrong = append(wrong, unknownKeys(fromFile, path)...)
	wrong = append(wrong, readSecretFiles(fromEnv)...)
	s, faults := settle([]layer{
		{fromFlags, func(s setting) string { return "--" + s.flag() }},
		{fromEnv, setting.variable},
		{fromFile, func(s setting) string { return s.key() + " in " + path }},
	})
	if wrong = append(wrong, faults...); len(wrong) > 0 {
		return Settings{}, wrong
	}
	return s, nil
}

// settle takes each setting from the first layer that has it.
func settle(layers []layer) (s Settings, wrong []string) {
	for _, row := range settingTable() {
		text, called := row.value, ""
		for _, l := range layers {
			if given := textOf(l.values.Get(row.key())); given != "" {
				text, called = given, l.called(row)
				break
			}
		}
		if text == "" {
			continue
		}
		if err := row.set(&s, text); err != nil {
			wrong = append(wrong, complaint(row, called, text, err))
		}
	}
	return s, wrong
}

func complaint(row setting, called, text string, err error) string {
	shown := fmt.Sprintf("%q", text)
	if row.secret {
		shown = dots
	}
	line := fmt.Sprintf("%s is %s: want %s", called, shown, row.form)
	if !errors.Is(err, errForm) {
		line += " (" + strings.ReplaceAll(err.Error(), "\n", "; ") + ")"
	}
	return line
}

// textOf writes a value as a flag would have it. A list of the settings file becomes its items with commas between.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = textOf(one)
		}
		return strings.Join(parts, ",")
	default:
		return strings.TrimSpace(fmt.Sprint(v))
	}
}

func readEnv(environ []string) (*koanf.Koanf, error) {
	k := koanf.New(".")
	err := k.Load(env.Provider(".", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			if name == configEnv {
				return "", nil
			}
			return strings.ToLower(strings.TrimPrefix(name, envPrefix)), value
		},
	}), nil)
	return k, err
}

func readFlags(flags *pflag.FlagSet) (*koanf.Koanf, error) {
	k := koanf.New(".")
	err := k.Load(posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
		if _, ours := f.Value.(*textFlag); !ours || !f.Changed {
			return "", nil
		}
		return strings.ReplaceAll(f.Name, "-", "_"), f.Value.String()
	}), nil)
	return k, err
}

// configPath returns the settings file to read, or nothing where none was named and none exists.
func configPath(flags *pflag.FlagSet, environ []string) (string, error) {
	path := ""
	for _, one := range environ {
		if value, found := strings.CutPrefix(one, configEnv+"="); found {
			path = value
		}
	}
	if f := flags.Lookup(configFlag); f != nil && f.Changed {
		path = f.Value.String()
	}
	if path != "" {
		return path, nil
	}
	_, err := os.Stat(configName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return configName, err
}

func readFile(path string) (*koanf.Koanf, error) {
	k := koanf.New(".")
	if path == "" {
		return k, nil
	}
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("settings file %s: %w", path, err)
	}
	return k, nil
}

// readSecretFiles replaces SAVEPAGE_X_FILE by the content of the file that it names.
func readSecretFiles(fromEnv *koanf.Koanf) (wrong []string) {
	for _, row := range settingTable() {
		named := fromEnv.String(strings.ToLower(row.name + fileSuffix))
		if !row.secret || named == "" {
			continue
		}
		if fromEnv.String(row.key()) != "" {
			wrong = append(wrong, fmt.Sprintf("%s and %s are both set: want one of them", row.variable(), row.variable()+fileSuffix))
			continue
		}
		content, err := os.ReadFile(named)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s is %q: want a readable file (%s)", row.variable()+fileSuffix, named, err))
			continue
		}
		if err := fromEnv.Set(row.key(), strings.TrimSpace(string(content))); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %s", row.variable()+fileSuffix, err))
		}
	}
	return wrong
}

func unknownVariables(fromEnv *koanf.Koanf) (wrong []string) {
	known := []string{configEnv}
	for _, row := range settingTable() {
		known = append(known, row.variable())
		if row.secret {
			known = append(known, row.variable()+fileSuffix)
		}
	}
	for _, key := range fromEnv.Keys() {
		name := envPrefix + strings.ToUpper(key)
		if !slices.Contains(known, name) && !slices.Contains(clientVariables(), name) {
			wrong = append(wrong, "unknown setting "+name+near.Hint(name, known))
		}
	}
	return wrong
}

// clientVariables are read by programs that call the service, those in examples among them. They are often set in the same
// shell, which is not a mistake.
func clientVariables() []string {
	return []string{envPrefix + "KEY", envPrefix + "BASE_URL", envPrefix + "CALLBACK_URL", envSecret, envSecret + fileSuffix,
		envLinkSecret, envLinkSecret + fileSuffix}
}

func unknownKeys(fromFile *koanf.Koanf, path string) (wrong []string) {
	var known []string
	for _, row := range settingTable() {
		known = append(known, row.key())
	}
	for _, key := range fromFile.Keys() {
		if !slices.Contains(known, key) {
			wrong = append(wrong, fmt.Sprintf("unknown setting %s in %s%s", key, path, near.Hint(key, known)))
		}
	}
	return wrong
}
