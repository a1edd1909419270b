package postgres

import "testing"

func TestSpelling(t *testing.T) {
	t.Parallel()
	s := newSpeller()
	for from, want := range map[string]string{
		`SELECT 1`:                           `SELECT 1`,
		`INSERT INTO t (a, b) VALUES (?, ?)`: `INSERT INTO t (a, b) VALUES ($1, $2)`,
		`SELECT ?2, ?1, '?' FROM t`:          `SELECT $2, $1, '?' FROM t`,
		"-- name: River :one\nSELECT m ? 'a' FROM t WHERE id = $1":   "-- name: River :one\nSELECT m ? 'a' FROM t WHERE id = $1",
		`SELECT id FROM captures INDEXED BY captures_flight WHERE 1`: `SELECT id FROM captures WHERE 1`,
		`WHERE d.capture = ? AND +d.account = ?`:                     `WHERE d.capture = $1 AND d.account = $2`,
		`WHERE account = ? AND +url = ?`:                             `WHERE account = $1 AND left(url, 500) = left($2, 500) AND url = $2`,
		`INSERT INTO t (a) VALUES ($1) -- ?`:                         `INSERT INTO t (a) VALUES ($1) -- ?`,
		`SELECT callback_url = ?`:                                    `SELECT callback_url = $1`,
		`json_extract(j.args, '$.turn')`:                             `((j.args->>'turn')::bigint)`,
		`json_extract(args, '$.account')`:                            `((args->>'account') COLLATE "C")`,
		`unique_key = CAST(? AS BLOB)`:                               `unique_key = convert_to($1, 'UTF8')`,
		`CAST(r.id AS BLOB), CAST(j.unique_key AS TEXT)`:             `convert_to(r.id, 'UTF8'), convert_from(j.unique_key, 'UTF8')`,
		`id IN (SELECT value FROM json_each(?))`:                     `id = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS jsonb))))`,
	} {
		for range 2 { // as it is made, and as it is remembered
			if got := s.spell(from); got != want {
				t.Errorf("%s\n got %s\nwant %s", from, got, want)
			}
		}
	}
}
