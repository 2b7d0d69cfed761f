package plots

// fence is where an axis of losses may end: four times as far above the least as three quarters of them are, beyond which only
// outliers lie, such as sub-networks that the first draw broke. It is the greatest of few losses.
func fence(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	least, quartile, greatest := sorted[0], sorted[(len(sorted)-1)*3/4], sorted[len(sorted)-1]
	if len(sorted) < 8 || quartile == least {
		return greatest
	}
	return min(greatest, least+4*(quartile-least))
}
