package ledger

// laneHeap orders lanes by the time for which they wait.
type laneHeap []*lane

// Len is part of heap.Interface.
func (h laneHeap) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h laneHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

// Swap is part of heap.Interface.
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is part of heap.Interface.
func (h *laneHeap) Push(x any) {
	one, _ := x.(*lane)
	one.index = len(*h)
	*h = append(*h, one)
}

// Pop is part of heap.Interface.
func (h *laneHeap) Pop() any {
	old := *h
	one := old[len(old)-1]
	old[len(old)-1], *h = nil, old[:len(old)-1]
	one.index = -1
	return one
}
