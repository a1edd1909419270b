package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

// engines are the kinds of databases that the program has.
func engines() []ledger.Engine {
	return []ledger.Engine{
		sqlite.Engine(), postgres.Engine(),
	}
}

// databaseForms says what a setting that names a database may look like.
func databaseForms() string {
	var forms []string
	for _, engine := range engines() {
		forms = append(forms, engine.Form)
	}
	return strings.Join(forms, " or ")
}

// engineOf returns the engine that takes the setting. An error tells nothing of the setting but its scheme: there may be a
// password in it.
func engineOf(setting string) (ledger.Engine, error) {
	for _, engine := range engines() {
		if !engine.Takes(setting) {
			continue
		}
		if engine.Check == nil {
			return engine, nil
		}
		return engine, engine.Check(setting)
	}
	if scheme, _, found := strings.Cut(setting, "://"); found {
		return ledger.Engine{}, fmt.Errorf("there is no engine for %s://", scheme)
	}
	return ledger.Engine{}, errors.New("there is no such engine")
}

// databaseAt returns the database that the setting names. dataFolder is for engines that keep files.
func databaseAt(setting, dataFolder string) (ledger.Database, error) {
	engine, err := engineOf(setting)
	if err != nil {
		return nil, err
	}
	return engine.At(setting, dataFolder), nil
}

const checkCommand = "check-database"

// newChecker is the program's second life in which it reads a whole database, which is no command for people: doctor is.
func newChecker() *cobra.Command {
	return &cobra.Command{
		Use: checkCommand, Hidden: true, DisableFlagParsing: true, Args: cobra.ExactArgs(1),
		Short: "Read the whole database of a data folder (started by the server)",
		Run:   func(cmd *cobra.Command, args []string) { os.Exit(sqlite.Check(cmd.Context(), args[0], os.Stdout)) },
	}
}
