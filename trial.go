package savepage

// Trial is what came of a test event that was sent to a receiver.
type Trial struct {
	Outcome   AttemptOutcome `json:"outcome" enum:"delivered,status,timeout,connection_failed,tls_error,name_not_resolved,address_blocked" doc:"How it ended: delivered is a 2xx, status any other."`
	Status    int            `json:"status,omitempty" doc:"HTTP status of the receiver, where it answered."`
	LatencyMS int64          `json:"latency_ms" doc:"From the lookup to the end of the answer, in milliseconds."`
	Error     string         `json:"error,omitempty" doc:"Why it is not delivered."`
	Answer    string         `json:"answer,omitempty" doc:"First 1 KiB of the receiver's answer. Left out where only a rule of the operator opens the address."`
	Sent      Sent           `json:"sent" doc:"What the receiver was sent."`
	Hints     []string       `json:"hints" doc:"What to look at next."`
}

// Sent is an event as it went out.
type Sent struct {
	Headers map[string]string `json:"headers" doc:"Names and values; those that the request gave are dots."`
	Body    string            `json:"body" doc:"The raw body: the signatures are over exactly these bytes."`
}
