package page

import (
	"context"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
)

const mostFrames = 50 // of a page that scripts of ours run in

// sessions are the routes to the processes of the page and its frames, the page's own first. Frames of the same site as
// their parent have no process of their own.
func (j *job) sessions(ctx context.Context) []*cdp.Session {
	asked := map[*cdp.Session]bool{}
	for {
		j.w.mu.Lock()
		all, follows := append([]*cdp.Session{j.s}, j.w.asks.children...), len(j.w.asks.enable()) > 0
		j.w.mu.Unlock()
		var below []*cdp.Pending
		for _, s := range all[:min(len(all), mostFrames)] {
			if !asked[s] && !follows { // otherwise they have come by themselves
				below = append(below, s.Send(target.CommandSetAutoAttach, map[string]any{
					"autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true, "filter": []map[string]any{{"type": "iframe"}},
				}))
			}
			asked[s] = true
		}
		if len(below) == 0 {
			return all
		}
		for _, p := range below {
			_ = p.Wait(ctx, nil) // a frame that has gone has none below it
		}
	}
}

// stage is a frame that scripts of ours can run in.
type stage struct {
	s     *cdp.Session
	world *cdp.Pending // Page.createIsolatedWorld in it
	done  *cdp.Pending // Runtime.evaluate there
}

// inFrames runs an expression in every frame but the page's own, in all at once, and waits for its end. Frames that go
// away or do not answer are passed over.
func (j *job) inFrames(ctx context.Context, expression string) {
	stages := j.stages(ctx)
	yes := true
	for _, st := range stages {
		var world cdpage.CreateIsolatedWorldResult
		if st.world.Wait(ctx, &world) != nil {
			continue
		}
		st.done = st.s.Send(runtime.CommandEvaluate, runtime.EvaluateParams{
			Expression: expression, ContextID: world.ExecutionContextID, AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes,
		})
	}
	for _, st := range stages {
		if st.done != nil {
			_ = st.done.Wait(ctx, nil)
		}
	}
}

func (j *job) stages(ctx context.Context) []*stage {
	var list []*stage
	sessions := j.sessions(ctx)
	trees := make([]*cdp.Pending, len(sessions))
	for i, s := range sessions {
		trees[i] = s.Send(cdpage.CommandGetFrameTree, nil)
	}
	for i, s := range sessions {
		var res struct {
			FrameTree frameTree `json:"frameTree"`
		}
		if trees[i].Wait(ctx, &res) != nil {
			continue
		}
		for _, id := range res.FrameTree.ids(nil) {
			if id == j.w.frame || len(list) >= mostFrames {
				continue
			}
			world := s.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": id, "worldName": besideWorld})
			list = append(list, &stage{s: s, world: world})
		}
	}
	return list
}

type frameTree struct {
	Frame struct {
		ID string `json:"id"`
	} `json:"frame"`
	ChildFrames []frameTree `json:"childFrames"`
}

func (t frameTree) ids(list []string) []string {
	list = append(list, t.Frame.ID)
	for _, child := range t.ChildFrames {
		list = child.ids(list)
	}
	return list
}
