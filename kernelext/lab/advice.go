package main

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// missingTool says that a program is not on PATH.
type missingTool struct{ name string }

func (m *missingTool) Error() string { return fmt.Sprintf("%s was not found on PATH", m.name) }

// toolAdvice says where a missing program comes from.
var toolAdvice = map[string]string{
	"go":           "install Go 1.26 or newer from https://go.dev/dl and put its bin folder on PATH",
	"cargo":        "install Rust: https://rustup.rs (or: apt-get install cargo; brew install rust)",
	"python3":      "install Python 3.10 or newer (apt-get install python3 python3-venv; brew install python), or conda",
	"a C compiler": "install one (apt-get install build-essential; xcode-select --install), or set CC",
}

// logAdvice reads what a tool printed before it failed. The first match speaks.
var logAdvice = []struct {
	pattern *regexp.Regexp
	advice  string
}{
	{regexp.MustCompile(`(?i)no space left on device|disk quota exceeded|os error 28`),
		"the disk is full: a set-up takes about 3 GB, and 7 GB more with --references; free some, then run the same command again, it continues from this step"},
	{regexp.MustCompile(`ensurepip is not available|No module named (venv|ensurepip)`),
		"this Python has no venv module: apt-get install python3-venv, then run the same command again"},
	{regexp.MustCompile(`(?i)could not resolve|name resolution|network is unreachable|no such host|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|connection (refused|timed out|reset)|i/o timeout|Max retries exceeded|NewConnectionError|failed to download|unable to fetch`),
		"no answer from a package registry: check the network (and proxy settings), then run the same command again, it continues from this step"},
	{regexp.MustCompile(`(?i)linker .?cc.? not found|C compiler .* not found|exec: "?(gcc|cc|clang)"?: executable file not found`),
		"no C compiler: " + toolAdvice["a C compiler"]},
	{regexp.MustCompile(`cannot find -ltokenizers|library .?tokenizers.? not found`),
		"libtokenizers.a is gone: remove the folder stamps in the state folder, then run the same command again"},
	{regexp.MustCompile(`requires rustc|requires Rust|is not supported by the following package`),
		"this Rust is too old for the tokenizers library: rustup update, then run the same command again"},
	{regexp.MustCompile(`requires go >=|go.mod requires go`),
		"this Go is too old: " + toolAdvice["go"]},
	{regexp.MustCompile(`No matching distribution found|Requires-Python`),
		"no wheel for this Python or machine: use Python 3.10 to 3.14 (python3 --version)"},
	{regexp.MustCompile(`(?i)permission denied|EACCES|read-only file system`),
		"the state folder is not writable: set OFFSHOOT_HOME to a folder that is"},
}

// advise returns the next step for a failure: by its kind, else by what its log says.
func advise(err error, log string) string {
	var tool *missingTool
	if errors.As(err, &tool) {
		if advice, ok := toolAdvice[tool.name]; ok {
			return advice
		}
		return "install " + tool.name + " and run the same command again"
	}
	if atomicfile.IsDiskFull(err) {
		return logAdvice[0].advice
	}
	text := err.Error() + "\n" + log
	for _, entry := range logAdvice {
		if entry.pattern.MatchString(text) {
			return entry.advice
		}
	}
	return fmt.Sprintf("read the log, then run the same command again (%s): it continues from this step", runtime.GOOS)
}
