package dash

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/inside"
)

// silentAfter is how long after its last sign of life a node counts as silent: others take it for dead after eight seconds.
const silentAfter = 8 * time.Second

// Browser is a browser that runs.
type Browser struct {
	PID      int
	Since    time.Time
	Kind     string // what it is for, if not for all captures
	Pages    int    // that captures use
	Captures int    // that have used it
	Memory   int64  // bytes that its processes share with no other
	Ending   string // why it ends with its last page; empty while it does not
}

// Replaced is a browser that was replaced, or that has died.
type Replaced struct {
	At     time.Time
	PID    int
	Reason string
}

// Storage is what the server keeps.
type Storage struct {
	At                 time.Time // when it was measured
	Database, Pictures string    // where it is
	DatabaseBytes      int64
	Captures           int // at most MostCaptures
	MostCaptures       int
	PictureCount       int
	PictureBytes       int64
	Free               *int64 // bytes left on the disk of the pictures; nil: no disk is known that could be full
}

// Low reports whether the disk is nearly full: less than a twentieth of what the pictures take, or than a gigabyte, is left.
func (s Storage) Low() bool {
	return s.Free != nil && *s.Free < max(s.PictureBytes/20, 1_000_000_000)
}

// node is a process that serves the database, with its state in a word.
type node struct {
	savepage.Node

	Is    string
	Alone bool // it gives no signs of life: it serves its database alone, or has just begun
}

// health is the answer of /readyz.
type health struct {
	Status string            `json:"status"`
	Wrong  map[string]string `json:"wrong"`
	Belts  map[string]string `json:"belts"`
}

// build is the answer of /version.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// system shows the server: what does not work first.
func (d *manager) system(w http.ResponseWriter, r *http.Request, s session) error {
	if !s.who.May(savepage.ScopeAdmin) {
		d.show(w, s, http.StatusForbidden, "system", view{"Title": "System", "Denied": true})
		return nil
	}
	var ready health
	if err := d.open(r, s, "/readyz", &ready); err != nil {
		return err
	}
	var version build
	if err := d.open(r, s, "/version", &version); err != nil {
		return err
	}
	v := view{"Title": "System", "Ready": ready, "Build": version, "Self": r.URL.RequestURI()}
	d.addNodes(s, v)
	d.addSources(r, v)
	d.show(w, s, http.StatusOK, "system", v)
	return nil
}

// storage shows what is stored. It looks at every picture, so the page has it when it comes.
func (d *manager) storage(w http.ResponseWriter, r *http.Request, s session) error {
	if !s.who.May(savepage.ScopeAdmin) {
		//nolint:contextcheck // the context is the request's
		d.show(w, s, http.StatusForbidden, "system", view{"Title": "System", "Denied": true})
		return nil
	}
	v := view{"Title": "Storage"}
	if d.parts.Storage != nil {
		stored, err := d.parts.Storage(r.Context())
		if err != nil {
			d.config.Log.ErrorContext(r.Context(), "storage cannot be measured", "error", err)
			v["Wrong"] = true
		} else {
			v["Storage"] = stored
		}
	}
	d.show(w, s, http.StatusOK, "storage", v) //nolint:contextcheck // the context is the request's
	return nil
}

// addNodes adds the processes that serve the database, or why they are not known: a database that does not answer is a reason to
// look at this page.
func (d *manager) addNodes(s session, v view) {
	var list api.NodeList
	_, err := d.ask(s, http.MethodGet, "/v1/nodes", nil, &list)
	var refused *problem
	switch {
	case errors.As(err, &refused):
		v["NodesWrong"] = sentence(refused.Detail)
	case err != nil:
		d.config.Log.ErrorContext(s.request.Context(), "nodes cannot be shown", "error", err)
		v["NodesWrong"] = "They cannot be read. The server's log says why."
	}
	v["Nodes"] = nodesOf(list.Nodes)
}

// nodesOf are the nodes with their states. Their times are those of the database, which the node that was seen last knows best.
func nodesOf(list []savepage.Node) []node {
	var newest time.Time
	for _, one := range list {
		if one.LastSeen.After(newest) {
			newest = one.LastSeen
		}
	}
	all := make([]node, len(list))
	for i, one := range list {
		all[i] = node{one, "lives", one.LastSeen.Equal(one.Since)}
		switch {
		case !one.EndedAt.IsZero():
			all[i].Is = "ended"
		case newest.Sub(one.LastSeen) > silentAfter:
			all[i].Is = "silent"
		}
	}
	return all
}

// open reads the JSON of an address that needs no key, whatever its status.
func (d *core) open(r *http.Request, s session, address string, result any) error {
	request, err := d.request(r, s, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Del("Authorization")
	return json.Unmarshal(inside.Ask(d.parts.API, request, "").Bytes(), result)
}

// addSources adds what the server counts. What cannot be read is left out: the part that is sick stands above it.
func (d *manager) addSources(r *http.Request, v view) {
	sources := d.parts.Sources
	if sources.Queues != nil {
		queues, err := sources.Queues(r.Context())
		if err == nil {
			v["Queues"] = queues
		}
	}
	if sources.Deliveries != nil {
		owed, err := sources.Deliveries(r.Context())
		if err == nil {
			v["Owed"] = owed
		}
	}
	if sources.Browsers != nil {
		v["Browsers"] = sources.Browsers()
	}
	if sources.Parts != nil {
		v["Parts"] = sources.Parts()
	}
	if d.parts.Browsers != nil {
		v["Running"], v["Replaced"] = d.parts.Browsers()
	}
}
