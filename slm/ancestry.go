package slm

import "slices"

// Ancestors are a candidate and all from which it was bred, nearest first: itself, its parents, theirs, and so on, each once.
// It is empty where the population does not hold the candidate; parents that it does not hold are left out.
func (p Population) Ancestors(id int) []Candidate {
	byID := make(map[int]Candidate, len(p.Candidates))
	for _, c := range p.Candidates {
		byID[c.ID] = c
	}
	var out []Candidate
	for next := []int{id}; len(next) > 0; {
		var parents []int
		for _, id := range next {
			c, held := byID[id]
			if !held {
				continue
			}
			delete(byID, id) // each once, also where records lead in a circle
			out = append(out, c)
			parents = append(parents, c.Parents...)
		}
		next = parents
	}
	return out
}

// Lineage is one line of descent: a candidate, the better of its parents, the better of that one's parents, and so on, to one that
// was drawn at random. It begins with that one, and is empty where the population does not hold the candidate.
func (p Population) Lineage(id int) []Candidate {
	ancestors := map[int]Candidate{}
	for _, c := range p.Ancestors(id) {
		ancestors[c.ID] = c
	}
	var line []Candidate
	for c, held := ancestors[id]; held; {
		line = append(line, c)
		delete(ancestors, c.ID)
		var parents []Candidate
		for _, parent := range c.Parents {
			if p, ok := ancestors[parent]; ok {
				parents = append(parents, p)
			}
		}
		if held = len(parents) > 0; held {
			c = lowest(parents, MinimizeLoss, 1)[0]
		}
	}
	slices.Reverse(line)
	return line
}
