//go:build !race

package truth_test

// raced: the race detector is on, and heavy cases are left out.
const raced = false
