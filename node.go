package savepage

import "time"

// Node describes a process that serves, alone or beside others on one database.
type Node struct {
	ID       string    `json:"id" doc:"Id of the node. A process that was cut off for long goes on under another."`
	Name     string    `json:"name" doc:"Name of its machine, or the one that SAVEPAGE_NODE_NAME gives."`
	Roles    []string  `json:"roles" enum:"api,render,deliver" doc:"Its tasks."`
	Version  string    `json:"version" doc:"Version of the program."`
	Since    time.Time `json:"since" doc:"When it began, by the clock of the database."`
	LastSeen time.Time `json:"last_seen" doc:"When it last said that it lives, by the clock of the database."`
	EndedAt  time.Time `json:"ended_at,omitzero" doc:"When it ended, or was found dead; for an hour afterwards."`
	Pages    int       `json:"pages" doc:"Pages that it renders at once; 0 without the role render."`
	Running  int       `json:"running" doc:"Captures that it renders now."`
	AheadMS  int64     `json:"clock_ahead_ms" doc:"Milliseconds by which its clock is ahead of the database's; negative: behind."`
	Leads    bool      `json:"leads" doc:"Whether it is the one that removes what has expired and looks after the queue."`
}
