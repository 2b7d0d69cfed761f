package plots

// mostPoints bounds what a scatter draws: each costs a millisecond without a browser, and more would only cover each other.
const mostPoints = 600

// thin keeps of many candidates the best in each cell of a grid over the axes, the finest grid that leaves at most so many; the kept
// one counts the others.
func thin(drawn []candidate, most int, left, right, low, high float64) []candidate {
	for columns := 96; len(drawn) > most; columns = columns * 7 / 8 {
		type cell struct{ x, y int }
		at := map[cell]int{}
		var kept []candidate
		for _, c := range drawn {
			here := cell{int(float64(columns) * (c.cost - left) / (right - left)), int(float64(columns) / 2 * (min(c.loss, high) - low) / (high - low))}
			i, taken := at[here]
			switch {
			case !taken:
				at[here] = len(kept)
				kept = append(kept, c)
			case c.loss < kept[i].loss:
				c.covers += kept[i].covers + 1
				kept[i] = c
			default:
				kept[i].covers += c.covers + 1
			}
		}
		drawn = kept
	}
	return drawn
}
