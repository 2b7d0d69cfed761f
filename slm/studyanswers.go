package slm

// Answers are what the studies of a [Quality] found, in plain numbers.
type Answers struct {
	Teacher   string     `json:"teacher"`
	Rankings  []Ranking  `json:"rankings"`  // of evolution, for each bin
	Drawn     []Standing `json:"drawn"`     // of random search
	Gains     []Gain     `json:"gains"`     // of evolution above random search
	Ordered   []Standing `json:"ordered"`   // of evolution on the reordered teacher
	Reordered []Gain     `json:"reordered"` // of that above evolution on the teacher as it is
	Evolved   []Gain     `json:"evolved"`   // of evolution above random search, both on the reordered teacher
	Warm      []Foreseen `json:"warm"`      // what the loss before training foretells
	Text      []Stepped  `json:"text"`      // what the loss on little text foretells, up to the search's tokens
	Slice     []Stepped  `json:"slice"`     // likewise, up to four times as many
}

// Ranking is the order of the spaces in a bin, the winner first.
type Ranking struct {
	Bin    Bin        `json:"bin"`
	Spaces []Standing `json:"spaces"`
}

// Foreseen is the foresight of a cell.
type Foreseen struct {
	Cell
	Foresight
}

// Stepped is the ladder of a cell.
type Stepped struct {
	Bin   Bin    `json:"bin"`
	Space string `json:"space"`
	Ladder
}

// Answers analyses finished searches by their names; what is missing is left out.
func (q Quality) Answers(populations map[string]Population) Answers {
	strategies := q.Strategies.Found(populations)
	ordered := q.Reordered.Found(populations)
	a := Answers{Teacher: q.Strategies.Teacher, Gains: strategies.Gains("evolution", "random"), Evolved: ordered.Gains("reordered", "reordered-random"),
		Reordered: append(ordered, strategies...).Gains("reordered", "evolution")}
	for _, bin := range q.Strategies.Bins {
		if spaces := strategies.Ranking(bin, "evolution"); len(spaces) > 0 {
			a.Rankings = append(a.Rankings, Ranking{bin, spaces})
		}
		a.Drawn = append(a.Drawn, strategies.Ranking(bin, "random")...)
		a.Ordered = append(a.Ordered, ordered.Ranking(bin, "reordered")...)
	}
	for _, r := range q.Warm.Found(populations) {
		if f, ok := r.Searches[0].Foresight(); ok {
			a.Warm = append(a.Warm, Foreseen{r.Cell, f})
		}
	}
	a.climb(q.Ladder, q.Ladder.Found(populations))
	return a
}

// climb compares the searches of a ladder, which are its variants, in each bin and space.
func (a *Answers) climb(ladder Study, found Found) {
	for _, bin := range ladder.Bins {
		for _, space := range ladder.Spaces {
			var searches []Population
			for _, v := range ladder.Variants {
				searches = append(searches, found.Cell(Cell{bin, space.Name(), v.Name}).Searches...)
			}
			if len(searches) < len(ladder.Variants) {
				continue
			}
			last := len(searches) - 1
			if l, ok := LadderOf(searches[:last], 0.5); ok {
				a.Text = append(a.Text, Stepped{bin, space.Name(), l})
			}
			if l, ok := LadderOf([]Population{searches[last-1], searches[last]}, 0.5); ok {
				a.Slice = append(a.Slice, Stepped{bin, space.Name(), l})
			}
		}
	}
}
