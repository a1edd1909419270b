package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/keeper"
	"github.com/savepage/savepage/internal/ledger"
)

// destination is where an installation is moved to.
type destination struct{ database, blobs string }

// check returns what is wrong with the flags.
func (t destination) check(s Settings) error {
	var wrong settingsError
	if t.database != "" {
		if engine, err := engineOf(t.database); err != nil || !engine.Shared {
			wrong = append(wrong, "--to: want a database such as "+sharedForms()+", so that records are moved from SQLite")
		}
		if engine, err := engineOf(s.Database.Reveal()); err == nil && engine.Shared {
			wrong = append(wrong, "SAVEPAGE_DATABASE: the records to be moved are those of SQLite in the data folder")
		}
	}
	if t.blobs != "" {
		if err := stores.Check(t.blobs); err != nil {
			wrong = append(wrong, fmt.Sprintf("--blobs: %q: want %s: %v", t.blobs, stores.Forms(), err))
		}
		if t.blobs == s.blobs() {
			wrong = append(wrong, fmt.Sprintf("--blobs: %q is where the pictures are: name another store", t.blobs))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// sharedForms says what a setting may look like that names a database for several servers.
func sharedForms() string {
	var forms []string
	for _, engine := range engines() {
		if engine.Shared {
			forms = append(forms, engine.Form)
		}
	}
	return strings.Join(forms, " or ")
}

// move carries the installation of the settings to the destination.
func (t destination) move(ctx context.Context, s Settings, env environment) (err error) {
	if err := t.check(s); err != nil {
		return err
	}
	database, err := s.database()
	if err != nil {
		return err
	}
	log := newLog(s, env.err)
	records, err := database.Leave(ctx, log)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, records.Close()) }()
	show := startMeter(env.err)
	m := &keeper.Move{Records: records, Log: log, OnProgress: show.show}
	if t.database != "" {
		to, err := databaseAt(t.database, s.Data)
		if err != nil {
			return err
		}
		m.To, m.Name = to, to.String()
	}
	closePictures, err := t.openPictures(ctx, s, m)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, closePictures()) }()
	moved, err := m.Run(ctx)
	show.stop()
	switch {
	case errors.Is(err, ledger.ErrMoved):
		_, err = fmt.Fprintf(env.out, "%s holds this installation already: there is nothing to do\n", m.Name)
		return err
	case err != nil:
		return fmt.Errorf("migrate: %w", err)
	}
	return t.report(env.out, s, m.Name, moved)
}

// openPictures opens both stores of pictures, if they are moved.
func (t destination) openPictures(ctx context.Context, s Settings, m *keeper.Move) (closeAll func() error, err error) {
	if t.blobs == "" {
		return func() error { return nil }, nil
	}
	from, err := stores.Open(ctx, s.blobs())
	if err != nil {
		return nil, fmt.Errorf("open the pictures: %w", err)
	}
	var into blob.Store
	if into, err = stores.Open(ctx, t.blobs); err != nil {
		return nil, errors.Join(fmt.Errorf("open the new store of pictures: %w", err), from.Close())
	}
	m.Pictures, m.Into = from, into
	return func() error { return errors.Join(into.Close(), from.Close()) }, nil
}

// report says what was found on both sides, and what to do now.
func (t destination) report(out io.Writer, s Settings, name string, moved keeper.Moved) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say := func(format string, values ...any) { _, _ = fmt.Fprintf(table, format, values...) } // Flush tells
	say("The same on both sides:\n")
	for _, one := range moved.Tables {
		say("  %s\t%d rows\tsha256 %.16s\n", one.Name, one.Rows, one.SHA256)
	}
	if t.blobs != "" {
		say("  pictures\t%d\t%d bytes, compared byte by byte\n", moved.Pictures, moved.Bytes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if moved.Altered > 0 {
		say("%d texts had bytes that the database does not take: U+FFFD stands for them now.\n", moved.Altered)
	}
	if len(moved.Missing) > 0 {
		say("%d pictures that captures name were missing before: see the log.\n", len(moved.Missing))
	}
	if t.database != "" {
		say("%d captures wait and go on at the first start. Start servers with\n  SAVEPAGE_DATABASE  %s, with its user\n", moved.Waiting, name)
	} else {
		say("Start the server with\n")
	}
	if t.blobs != "" {
		say("  SAVEPAGE_BLOBS  %s\n", t.blobs)
	} else {
		say("  SAVEPAGE_BLOBS  %s, where the pictures still are\n", s.blobs())
	}
	if moved.MasterKey {
		say("  SAVEPAGE_MASTER_KEY  as before: some secrets are sealed with it\n")
	}
	if t.database != "" {
		say("No server starts with the records in %s any more.\n", s.Data)
	}
	return table.Flush()
}

// showEvery is how often progress is shown where nobody watches it.
const showEvery = 5 * time.Second

// meter shows how far a step is: as a bar on a terminal, and elsewhere in a line now and then.
type meter struct {
	to    io.Writer
	bar   *progressbar.ProgressBar // nil: no terminal
	step  string
	shown time.Time
}

func startMeter(to io.Writer) *meter { return &meter{to: to} }

// show shows the progress. A step begins with a line of its own.
func (m *meter) show(p keeper.Progress) {
	if isTerminal(m.to) {
		if p.Step != m.step {
			m.stop()
			m.bar = progressbar.NewOptions(p.Total, progressbar.OptionSetWriter(m.to), progressbar.OptionSetDescription(p.Step),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		m.step = p.Step
		_ = m.bar.Set(p.Done)
		return
	}
	if p.Step == m.step && p.Done < p.Total && time.Since(m.shown) < showEvery {
		return
	}
	m.step, m.shown = p.Step, time.Now()
	_, _ = fmt.Fprintf(m.to, "%s: %d of %d\n", p.Step, p.Done, p.Total)
}

// stop ends the line of the bar.
func (m *meter) stop() {
	if m.bar != nil {
		_ = m.bar.Finish()
		_, _ = fmt.Fprintln(m.to)
		m.bar = nil
	}
}
