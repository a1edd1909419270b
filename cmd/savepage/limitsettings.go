package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
)

// limitSettings are the limits of accounts that have none of their own.
func limitSettings() []setting {
	usual := savepage.DefaultLimits()
	rows := make([]setting, 0, len(savepage.LimitTable()))
	for _, limit := range savepage.LimitTable() {
		form := fmt.Sprintf("a whole number from %d to %d", limit.Min, limit.Max)
		if limit.Min == 0 {
			form += "; 0 is no limit"
		}
		rows = append(rows, setting{
			name: limitSetting(limit.Name), kind: "number", value: strconv.Itoa(*usual.Limit(limit.Name)), form: form,
			doc: "For each account without a limit of its own: " + strings.ToLower(limit.Doc[:1]) + limit.Doc[1:],
			set: func(s *Settings, text string) error {
				n, err := strconv.Atoi(text)
				if err != nil || n < limit.Min || n > limit.Max {
					return errForm
				}
				*s.Limits.Limit(limit.Name) = n
				return nil
			},
		})
	}
	return rows
}

// limitSetting is the name of the setting of a limit.
func limitSetting(limit string) string {
	if limit == "requests_per_minute" {
		return "RATE_LIMIT"
	}
	return "ACCOUNT_" + strings.ToUpper(limit)
}
