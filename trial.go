package savepage

// Trial is the result of a test event that was sent to a receiver.
type Trial struct {
	Outcome   AttemptOutcome `json:"outcome" doc:"How it ended: delivered for a 2xx, status for any other status."`
	Status    int            `json:"status,omitempty" doc:"HTTP status of the receiver's answer, if there was one."`
	LatencyMS int64          `json:"latency_ms" doc:"Milliseconds from the DNS lookup to the end of the answer."`
	Error     string         `json:"error,omitempty" doc:"Why the event was not delivered."`
	// Answer is empty where only a rule of the operator allows the address.
	Answer string   `json:"answer,omitempty" doc:"First 1 KiB of the receiver's answer, if its address is public."`
	Sent   Sent     `json:"sent" doc:"The request that was sent."`
	Hints  []string `json:"hints" doc:"What to check next."`
}

// Sent is an event as it was sent.
type Sent struct {
	Headers map[string]string `json:"headers" doc:"Names and values. Values that the request gave are replaced by dots."`
	Body    string            `json:"body" doc:"The raw body: the signatures cover exactly these bytes."`
}
