package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/offshoot-ml/offshoot/slm"
)

// ggufFile is an open GGUF whose header was read and checked; it is a [Source] of its tensors under the names of
// transformers, in the order that transformers has their rows.
type ggufFile struct {
	path       string
	file       *os.File
	size       int64
	data       int64 // where the tensors begin
	config     slm.Config
	vocabulary Vocabulary
	tensors    map[string]placedTensor // by the names of transformers
}

// placedTensor is a stored tensor and the weight that it is.
type placedTensor struct {
	ggufTensor
	role slm.Role
}

// openGGUF opens a teacher's file, named after it. Nothing but the header, and the few factors of rotary frequencies, is
// read.
func openGGUF(path, name string) (*ggufFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	g := &ggufFile{path: path, file: file}
	if err := g.open(name); err != nil {
		file.Close()
		return nil, err
	}
	return g, nil
}

func (g *ggufFile) open(name string) error {
	stat, err := g.file.Stat()
	if err != nil {
		return err
	}
	if !stat.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	g.size = stat.Size()
	header, err := parseGGUF(g.file, g.size)
	if err != nil {
		return err
	}
	if err = header.checkExtent(g.size); err != nil {
		return err
	}
	g.data = header.data
	if g.config, err = header.config(name); err != nil {
		return err
	}
	if err = g.readFactors(header); err != nil {
		return err
	}
	if err = g.config.Validate(); err != nil {
		return err
	}
	if g.vocabulary, err = header.vocabulary(g.config); err != nil {
		return err
	}
	return g.place(header)
}

// readFactors reads the divisors of rotary frequencies where the file has some.
func (g *ggufFile) readFactors(header *gguf) error {
	for _, t := range header.tensors {
		if t.name != ropeFactors {
			continue
		}
		n, _ := elements(t.shape)
		if n > int64(g.config.HeadSize) {
			return fmt.Errorf("tensor %q has %d values for heads of %d dimensions", t.name, n, g.config.HeadSize)
		}
		factors := make([]float32, n)
		if err := g.read(t, factors); err != nil {
			return err
		}
		useFactors(&g.config, factors)
	}
	return nil
}

// place finds the weight that each tensor is, and holds their shapes against the architecture.
func (g *ggufFile) place(header *gguf) error {
	stored := make(map[string]ggufTensor, len(header.tensors))
	for _, t := range header.tensors {
		if _, twice := stored[t.name]; twice {
			return fmt.Errorf("tensor %q is there twice", t.name)
		}
		stored[t.name] = t
	}
	delete(stored, ropeFactors)
	if g.config.Layers > len(stored) { // before names for that many are made
		return fmt.Errorf("its header claims %d layers, but holds only %d tensors", g.config.Layers, len(stored))
	}
	g.tensors = make(map[string]placedTensor, len(stored))
	shapes := make(map[string][]int, len(stored))
	for ggufName, w := range ggufWeights(g.config) {
		if t, ok := stored[ggufName]; ok {
			g.tensors[w.name], shapes[w.name] = placedTensor{t, w.Role}, t.shape
			delete(stored, ggufName)
		}
	}
	for name, t := range stored { // under its own name it is part of no architecture
		shapes[name] = t.shape
	}
	return checkTeacher(shapes, g.config)
}

// Shape implements [Source].
func (g *ggufFile) Shape(name string) ([]int, bool) {
	t, ok := g.tensors[name]
	return t.shape, ok
}

// Read implements [Source].
func (g *ggufFile) Read(name string, dst []float32) error {
	t, ok := g.tensors[name]
	if !ok {
		return fmt.Errorf("read %s: tensor %q is missing", g.path, name)
	}
	if n, _ := elements(t.shape); n != int64(len(dst)) {
		return fmt.Errorf("read %s: tensor %q has shape %v, want %d values", g.path, name, t.shape, len(dst))
	}
	err := g.readOrdered(t, dst)
	if err != nil {
		return fmt.Errorf("read %s: tensor %q: %w", g.path, name, err)
	}
	return nil
}

func (g *ggufFile) read(t ggufTensor, dst []float32) error {
	kind := ggmlTypes[t.kind]
	return readPieces(g.file, g.data+t.offset, dst, kind.values, kind.bytes, kind.decode)
}

// readOrdered puts each run of rows into its place.
func (g *ggufFile) readOrdered(t placedTensor, dst []float32) error {
	rows, place := runOrder(g.config, t.role)
	if place == nil {
		return g.read(t.ggufTensor, dst)
	}
	kind, run := ggmlTypes[t.kind], rows*len(dst)/t.shape[0]
	if run%kind.values != 0 {
		return fmt.Errorf("%s blocks reach over the bounds of heads", kind.name)
	}
	for i := range len(dst) / run {
		at := g.data + t.offset + int64(i*run/kind.values*kind.bytes)
		to := place(i) * run
		if err := readPieces(g.file, at, dst[to:to+run], kind.values, kind.bytes, kind.decode); err != nil {
			return err
		}
	}
	return nil
}

// Close ends reading.
func (g *ggufFile) Close() error { return g.file.Close() }

// cutShort reports an error that says that a file ends too early.
func cutShort(err error) bool {
	var cut *truncatedError
	return errors.As(err, &cut) || errors.Is(err, errShort) || errors.Is(err, io.ErrUnexpectedEOF)
}
