package datasets

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// mixtureSource draws documents from several parts. Weights are shares of the text's bytes, since tokens are not known yet:
// the next document comes from the part that is the furthest behind its share, so no chance is needed.
//
// A part that is used up begins again, and the mixture ends when each has been given whole at least once. So a small part
// with a large weight is repeated, as mixtures for pretraining do. A document that comes again has the same ID.
type mixtureSource struct {
	data  slm.Data
	parts []mixturePart
}

type mixturePart struct {
	Source
	weight float64
	prefix string // of its IDs
}

func openMixture(ctx context.Context, data slm.Data, o Options) (*mixtureSource, error) {
	m := &mixtureSource{data: slm.Data{Mixture: make([]slm.Share, len(data.Mixture))}}
	taken := map[string]bool{}
	for i, share := range data.Mixture {
		source, err := openSource(ctx, share.Data, o)
		if err != nil {
			return nil, fmt.Errorf("part %d, %s: %w", i, share.Data, err)
		}
		for j, earlier := range m.parts {
			if reflect.DeepEqual(earlier.Data(), source.Data()) {
				return nil, fmt.Errorf("parts %d and %d are the same data; list it once, with the sum of their weights", j, i)
			}
		}
		part := mixturePart{Source: source, weight: share.Weight}
		if space := share.Data.Name; taken[space] { // so that IDs that two parts have in common differ
			part.prefix = fmt.Sprintf("part %d: ", i)
		} else {
			taken[space] = true
		}
		m.parts = append(m.parts, part)
		m.data.Mixture[i] = slm.Share{Data: source.Data(), Weight: share.Weight}
	}
	return m, nil
}

func (m *mixtureSource) Data() slm.Data { return m.data }

func (m *mixtureSource) name() string {
	var parts []string
	for _, p := range m.parts {
		parts = append(parts, fmt.Sprintf("%g %s", p.weight, nameOf(p.Source)))
	}
	return strings.Join(parts, " + ")
}

func (m *mixtureSource) Documents(ctx context.Context) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		streams := make([]*partStream, len(m.parts))
		for i := range m.parts {
			streams[i] = &partStream{mixturePart: m.parts[i], ctx: ctx, stop: func() {}}
			defer func() { streams[i].stop() }()
		}
		for whole := 0; whole < len(streams); {
			stream := furthestBehind(streams)
			document, err := stream.take()
			if !yield(document, err) || err != nil {
				return
			}
			if stream.passes == 1 && !stream.more {
				whole++
			}
		}
	}
}

// partStream is a part that is being read, again and again.
type partStream struct {
	mixturePart
	ctx    context.Context
	pull   func() (Document, error, bool)
	stop   func()
	head   Document // the next, read ahead so that the end is known with the last
	err    error    // in its place
	more   bool     // whether there is a next in this pass
	bytes  float64  // given
	passes int      // completed
}

// take is the part's next document. It begins the next pass when the one before is over.
func (p *partStream) take() (Document, error) {
	if !p.more {
		p.stop()
		p.pull, p.stop = iter.Pull2(p.Source.Documents(p.ctx))
		p.readAhead()
	}
	document, err := p.head, p.err
	if err != nil {
		return Document{}, err
	}
	p.readAhead()
	p.bytes += float64(len(document.Text))
	document.ID = p.prefix + document.ID
	return document, nil
}

func (p *partStream) readAhead() {
	if p.head, p.err, p.more = p.pull(); !p.more {
		p.passes++
	}
}

// furthestBehind is the part that has given the least for its weight; of equals, the first.
func furthestBehind(parts []*partStream) *partStream {
	least := parts[0]
	for _, p := range parts[1:] {
		if p.bytes/p.weight < least.bytes/least.weight {
			least = p
		}
	}
	return least
}
