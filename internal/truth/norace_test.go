//go:build !race

package truth_test

// raced: the race detector is on, and cases that join large pictures are left out.
const raced = false
