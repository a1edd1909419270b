package postgres

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// The statements of package records are written once, in SQL that SQLite and PostgreSQL have alike, as far as there is such:
// the rest stands there as SQLite spells it and is spelled anew here, once for each text.

// spelling is a piece of SQLite's SQL and what stands for it in PostgreSQL's. It is applied after the values have their numbers.
type spelling struct {
	sqlite   *regexp.Regexp
	postgres string
}

// spellings are in the order in which they are applied.
func spellings() []spelling {
	text := func(of, is string) spelling { return spelling{regexp.MustCompile(of), is} }
	return []spelling{
		// What SQLite is not to see.
		text(`/\*([^*]*)\*/`, `$1`),
		// Hints for SQLite's planner: which index, and + before a column whose index is not to be used.
		text(` INDEXED BY \w+`, ``),
		text(`([ (])\+((?:d\.)?(?:account|url) = )`, `$1$2`),
		// An index takes no address of any length: it has their beginnings.
		text(`\burl = (\$\d+)`, `left(url, 500) = left($1, 500) AND url = $1`),
		// What jobs have, and their keys and times.
		text(`json_extract\((\w+\.)?args, '\$\.account'\)`, `((${1}args->>'account') COLLATE "C")`),
		text(`json_extract\((\w+\.)?args, '\$\.(\w+)'\)`, `((${1}args->>'$2')::bigint)`),
		text(`CAST\((\w+\.)?unique_key AS TEXT\)`, `convert_from(${1}unique_key, 'UTF8')`),
		text(`CAST\(([\w.$]+) AS BLOB\)`, `convert_to($1, 'UTF8')`),
		text(`json_extract\(attempted_by, '\$\[#-1\]'\)`, `attempted_by[array_upper(attempted_by, 1)]`),
		text(`CAST\(scheduled_at AS TEXT\)`, `to_char(scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`),
		text(`CAST\(unixepoch\('subsec'\) \* 1000000 AS INTEGER\)`, `CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)`),
		text(`strftime\('[^']+', scheduled_at, (\$\d+)\)`, `scheduled_at + CAST($1 AS interval)`),
		// The condition of River's unique index.
		text(`CASE state\s+WHEN 'available' THEN unique_states [^;]*?END >= 1`, `river_job_state_in_bitmask(unique_states, state)`),
		// How large the database is.
		text(`page_count \* page_size FROM pragma_page_count\(\), pragma_page_size\(\)`, `pg_database_size(current_database())`),
		// Lists that a statement brings along, and bytes.
		text(`IN \(SELECT value FROM json_each\((\$\d+)\)\)`, `= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS jsonb))))`),
		text(`zeroblob\((\$\d+)\)`, `convert_to(repeat('x', $1), 'UTF8')`),
	}
}

// speller spells statements and remembers how.
type speller struct {
	rules []spelling
	known sync.Map // texts by the ledger's own
}

func newSpeller() *speller { return &speller{rules: spellings()} }

// isSpelled reports whether a statement is one of River or goose, which is PostgreSQL's already.
func isSpelled(query string) bool {
	return strings.HasPrefix(query, "-- name: ") || strings.Contains(query, "$1")
}

// spell returns a statement as PostgreSQL takes it.
func (s *speller) spell(query string) string {
	if known, is := s.known.Load(query); is {
		text, _ := known.(string)
		return text
	}
	spelled := query
	if !isSpelled(query) {
		spelled = number(query)
		for _, rule := range s.rules {
			spelled = rule.sqlite.ReplaceAllString(spelled, rule.postgres)
		}
	}
	s.known.Store(query, spelled)
	return spelled
}

// number writes the places of values as PostgreSQL does: ? is the next one, ?3 the third.
func number(query string) string {
	var out strings.Builder
	next, quoted := 1, false
	for i := 0; i < len(query); i++ {
		c := query[i]
		quoted = quoted != (c == '\'')
		if c != '?' || quoted {
			out.WriteByte(c)
			continue
		}
		end := i + 1
		for end < len(query) && query[end] >= '0' && query[end] <= '9' {
			end++
		}
		place := query[i+1 : end]
		if place == "" {
			place = strconv.Itoa(next)
			next++
		}
		out.WriteString("$" + place)
		i = end - 1
	}
	return out.String()
}
