package picture

import "math"

// axis is the size of one side before and after.
type axis struct{ from, to int }

// tap says which source samples make one result sample, and how much of each.
type tap struct {
	first   int
	weights []float32
}

// taps computes the samples of a side with the Catmull-Rom kernel (B=0, C=0.5 of Mitchell and Netravali), widened by the
// factor of a reduction so that every source pixel counts: a large reduction stays free of aliasing, as with an area
// average, and a small one stays sharp.
func (a axis) taps() []tap {
	step := float64(a.from) / float64(a.to)
	stretch := max(1, step)
	all := make([]tap, a.to)
	for i := range all {
		centre := (float64(i)+0.5)*step - 0.5
		first := max(0, int(math.Ceil(centre-2*stretch)))
		last := min(a.from-1, int(math.Floor(centre+2*stretch)))
		all[i] = tap{first, kernel(first, last, centre, stretch)}
	}
	return all
}

func kernel(first, last int, centre, stretch float64) []float32 {
	weights, sum := make([]float64, last-first+1), 0.0
	for i := range weights {
		weights[i] = catmullRom((float64(first+i) - centre) / stretch)
		sum += weights[i]
	}
	norm := make([]float32, len(weights))
	for i, w := range weights {
		norm[i] = float32(w / sum)
	}
	return norm
}

func catmullRom(t float64) float64 {
	t = math.Abs(t)
	switch {
	case t < 1:
		return (1.5*t-2.5)*t*t + 1
	case t < 2:
		return ((-0.5*t+2.5)*t-4)*t + 2
	default:
		return 0
	}
}

// scaler scales rows as they come: each is scaled across, kept as long as the kernel reaches it, and summed down.
type scaler struct {
	out          rowWriter
	channels     int
	across, down []tap
	ring         [][]float32 // source rows, scaled across; row y stands at y modulo its length
	source       []float32   // the row that came, colours multiplied by alpha
	sum          []float32
	line         []byte
	seen, done   int // rows come, rows written
}

func newScaler(out rowWriter, channels int, across, down axis) *scaler {
	s := &scaler{out: out, channels: channels, across: across.taps(), down: down.taps()}
	longest := 0
	for _, t := range s.down {
		longest = max(longest, len(t.weights))
	}
	s.ring = make([][]float32, longest)
	for i := range s.ring {
		s.ring[i] = make([]float32, across.to*channels)
	}
	s.source = make([]float32, across.from*channels)
	s.sum = make([]float32, across.to*channels)
	s.line = make([]byte, across.to*channels)
	return s
}

func (s *scaler) pixels(row []byte, _ int) error {
	s.load(row)
	s.scaleAcross(s.ring[s.seen%len(s.ring)])
	s.seen++
	for s.done < len(s.down) {
		t := s.down[s.done]
		if t.first+len(t.weights) > s.seen {
			return nil
		}
		s.scaleDown(t)
		if err := s.out.pixels(s.line, s.channels); err != nil {
			return err
		}
		s.done++
	}
	return nil
}

func (s *scaler) close() error { return s.out.close() }

// load multiplies colours by alpha: invisible pixels must not bleed into its neighbours.
func (s *scaler) load(row []byte) {
	if s.channels == 3 {
		for i, v := range row {
			s.source[i] = float32(v)
		}
		return
	}
	for i := 0; i < len(row); i += 4 {
		alpha := float32(row[i+3])
		share := alpha / 255
		s.source[i] = float32(row[i]) * share
		s.source[i+1] = float32(row[i+1]) * share
		s.source[i+2] = float32(row[i+2]) * share
		s.source[i+3] = alpha
	}
}

func (s *scaler) scaleAcross(to []float32) {
	if s.channels == 4 {
		s.scaleAcross4(to)
		return
	}
	for x, t := range s.across {
		from := s.source[t.first*3:]
		var r, g, b float32
		for i, w := range t.weights {
			pixel := from[i*3 : i*3+3]
			r += w * pixel[0]
			g += w * pixel[1]
			b += w * pixel[2]
		}
		to[x*3], to[x*3+1], to[x*3+2] = r, g, b
	}
}

func (s *scaler) scaleAcross4(to []float32) {
	for x, t := range s.across {
		from := s.source[t.first*4:]
		var r, g, b, a float32
		for i, w := range t.weights {
			pixel := from[i*4 : i*4+4]
			r += w * pixel[0]
			g += w * pixel[1]
			b += w * pixel[2]
			a += w * pixel[3]
		}
		to[x*4], to[x*4+1], to[x*4+2], to[x*4+3] = r, g, b, a
	}
}

func (s *scaler) scaleDown(t tap) {
	clear(s.sum)
	for i, w := range t.weights {
		row := s.ring[(t.first+i)%len(s.ring)]
		for x, v := range row[:len(s.sum)] {
			s.sum[x] += w * v
		}
	}
	if s.channels == 4 {
		for i := 0; i < len(s.sum); i += 4 {
			s.divide(i)
		}
	}
	for i, v := range s.sum {
		s.line[i] = byte(min(max(v, 0), 255) + 0.5)
	}
}

// divide takes alpha out of the colours of the pixel at i.
func (s *scaler) divide(i int) {
	alpha := s.sum[i+3]
	if alpha < 0.5 {
		clear(s.sum[i : i+4])
		return
	}
	share := 255 / min(alpha, 255)
	s.sum[i] *= share
	s.sum[i+1] *= share
	s.sum[i+2] *= share
}
