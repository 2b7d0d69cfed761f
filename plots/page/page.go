// Package page is the other side of a running cell: the browser's page, as far as it can be heard.
package page

import (
	"os"

	"github.com/janpfeifer/gonb/gonbui"
)

// Attended reports whether somebody may use a page while this cell runs: Jupyter's server started its kernel for a notebook that a
// browser has open. A notebook that runs headless has no such page, and what waits for it would wait for good.
func Attended() bool { return gonbui.IsNotebook && os.Getenv("JPY_SESSION_NAME") != "" }
