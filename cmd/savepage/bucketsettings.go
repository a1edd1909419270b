package main

import "time"

// BucketTries is how often and how long a bucket of an account is tried.
type BucketTries struct {
	StoreTimeout     time.Duration
	StoreRetryBase   time.Duration
	StoreMaxAttempts int
	StorePatience    time.Duration
}

// bucketSettings are those of stores that accounts have of their own.
func bucketSettings() []setting {
	return []setting{
		{
			name: "STORE_RETRY_BASE", kind: "duration", value: "2s", form: "a duration from 10ms to 10m",
			doc: "Wait before a bucket of an account is tried again with a picture. Each further wait is three times as long, at most 10 minutes.",
			set: duration(10*time.Millisecond, 10*time.Minute, func(s *Settings) *time.Duration { return &s.StoreRetryBase }),
		},
		{
			name: "STORE_MAX_ATTEMPTS", kind: "number", value: "10", form: "a whole number from 1 to 50",
			doc: "Maximum number of attempts to put a picture into a bucket of an account; 4 at most where the bucket answers that it may not.",
			set: number(50, func(s *Settings) *int { return &s.StoreMaxAttempts }),
		},
		{
			name: "STORE_PATIENCE", kind: "duration", value: "1h", form: "a duration from 1s to 720h",
			doc: "How long a capture waits for its bucket before it ends with store_failed, also where the bucket was tried rarely because it " +
				"took no picture at all.",
			set: duration(time.Second, 720*time.Hour, func(s *Settings) *time.Duration { return &s.StorePatience }),
		},
		{
			name: "STORE_TIMEOUT", kind: "duration", value: "30s", form: "a duration from 100ms to 10m",
			doc: "Time for a bucket of an account to take a picture; a second more for each MiB.",
			set: duration(100*time.Millisecond, 10*time.Minute, func(s *Settings) *time.Duration { return &s.StoreTimeout }),
		},
	}
}
