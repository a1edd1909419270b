package api

import (
	"context"
	"net/http"

	"github.com/savepage/savepage"
)

// Nodes is the processes that serve the database.
type Nodes interface {
	Nodes(ctx context.Context) ([]savepage.Node, error)
}

// NodeList is the processes that serve the database.
type NodeList struct {
	Nodes []savepage.Node `json:"nodes" doc:"In the order in which they began. Those that have ended stay for an hour."`
}

// nodeHandlers tell of the processes that serve the database.
type nodeHandlers struct {
	out   responder
	nodes Nodes
}

// list answers GET /v1/nodes.
func (h *nodeHandlers) list(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	all, err := h.nodes.Nodes(r.Context())
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, NodeList{Nodes: append([]savepage.Node{}, all...)})
	return nil
}
