// Package engines finds the database that a setting names. It holds the one list of the kinds of databases, and refuses to
// know anything else about them.
package engines

import (
	"errors"
	"fmt"
	"strings"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// all are the kinds of databases that the program has.
func all() []ledger.Engine {
	return []ledger.Engine{
		sqlite.Engine(),
	}
}

// Forms says what a setting that names a database may look like.
func Forms() string {
	var forms []string
	for _, engine := range all() {
		forms = append(forms, engine.Form)
	}
	return strings.Join(forms, " or ")
}

// Check returns nil when an engine takes the setting, and else why none does. The error tells nothing of the setting but
// its scheme: there may be a password in it.
func Check(setting string) error {
	_, err := find(setting)
	return err
}

// At returns the database that the setting names. dataFolder is for engines that keep files.
func At(setting, dataFolder string) (ledger.Database, error) {
	engine, err := find(setting)
	if err != nil {
		return nil, err
	}
	return engine.At(setting, dataFolder), nil
}

func find(setting string) (ledger.Engine, error) {
	for _, engine := range all() {
		if engine.Takes(setting) {
			return engine, nil
		}
	}
	if scheme, _, found := strings.Cut(setting, "://"); found {
		return ledger.Engine{}, fmt.Errorf("there is no engine for %s://", scheme)
	}
	return ledger.Engine{}, errors.New("there is no such engine")
}
