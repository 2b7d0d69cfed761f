package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/offshoot-ml/offshoot/kernelext/claims"
)

// savedCell is a cell of a notebook's file, as far as it is read here.
type savedCell struct {
	Type    string        `json:"cell_type"`
	Count   *int          `json:"execution_count"`
	Source  []string      `json:"source"`
	Outputs []savedOutput `json:"outputs"`
}

// savedOutput is what an executed cell shows. Its metadata have a mark of what it says of the run, under "offshoot".
type savedOutput struct {
	Type     string         `json:"output_type"`
	Metadata map[string]any `json:"metadata"`
	Data     struct {
		Text []string `json:"text/plain"`
	} `json:"data"`
}

func savedCells(file string) ([]savedCell, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var notebook struct{ Cells []savedCell }
	if err := json.Unmarshal(text, &notebook); err != nil {
		return nil, fmt.Errorf("notebook %s: %w", file, err)
	}
	return notebook.Cells, nil
}

// unchecked is what an executed notebook says it could not ask on this machine.
func unchecked(file string) (said []string, err error) {
	cells, err := savedCells(file)
	for _, cell := range cells {
		for _, o := range cell.Outputs {
			if o.Metadata["offshoot"] == claims.UncheckedMark {
				said = append(said, strings.TrimPrefix(strings.Join(o.Data.Text, ""), "– "))
			}
		}
	}
	return said, err
}
