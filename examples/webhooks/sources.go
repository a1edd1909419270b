package webhooks

import (
	"embed"
	"fmt"
)

//go:embed verify.py verify.mjs verify.go verify.php verify.rb
var files embed.FS

// Source is a verifier to copy.
type Source struct{ Language, Text string }

// Sources are the verifiers, in the order in which people look for them.
func Sources() ([]Source, error) {
	var all []Source
	for _, one := range []struct{ language, file string }{
		{"Python", "verify.py"}, {"JavaScript", "verify.mjs"}, {"Go", "verify.go"}, {"PHP", "verify.php"}, {"Ruby", "verify.rb"},
	} {
		text, err := files.ReadFile(one.file)
		if err != nil {
			return nil, fmt.Errorf("the verifier in %s: %w", one.language, err)
		}
		all = append(all, Source{one.language, string(text)})
	}
	return all, nil
}
