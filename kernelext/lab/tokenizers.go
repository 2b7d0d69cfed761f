package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// tokenizersStep builds libtokenizers.a from the crate inside the Go module. Its manifest and
// lock file are ours: the crate's own wants one dependency from a git revision. So is its allocator, in tokenizers.rs.
//
// The finished library is also a release asset of that project. Taking it would save a minute
// and the need for cargo; it waits for checksums to pin.
func tokenizersStep(l *lab) *step {
	const module = "github.com/daulet/tokenizers"
	recipes := map[string][]byte{"Cargo.toml": recipe("tokenizers.Cargo.toml"), "Cargo.lock": recipe("tokenizers.Cargo.lock"), "lib.rs": recipe("tokenizers.rs")}
	lock := string(recipes["Cargo.lock"])
	library := l.path("lib", "libtokenizers.a")
	return &step{
		name:    "libtokenizers.a",
		inputs:  fmt.Sprint(l.moduleVersion(module), platform(), string(recipes["Cargo.toml"]), lock, string(recipes["lib.rs"])),
		outputs: []string{library},
		run: func(ctx context.Context, t *task) error {
			cargo, err := exec.LookPath("cargo")
			if err != nil {
				return &missingTool{"cargo"}
			}
			if err := needCompiler(); err != nil {
				return err
			}
			t.Note("reading the crate from the Go module")
			crate, err := l.moduleDir(ctx, module)
			if err != nil {
				return err
			}
			dir, err := l.tmp("tokenizers")
			if err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(dir, "src"), os.DirFS(filepath.Join(crate, "crates", "tokenizers", "src"))); err != nil {
				return err
			}
			for name, text := range recipes {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
					return err
				}
			}
			build := exec.Command(cargo, "build", "--release", "--locked")
			// The target folder outlives an interruption, so the next try goes on from there.
			target := l.path("cache", "cargo")
			build.Dir, build.Env = dir, append(os.Environ(), "CARGO_TARGET_DIR="+target, "CARGO_TERM_COLOR=never")
			if err := t.exec(ctx, build, cargoNote(t, strings.Count(lock, "[[package]]"))); err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(library), 0o755); err != nil {
				return err
			}
			if err := os.Rename(filepath.Join(target, "release", "libtokenizers_ffi.a"), library); err != nil {
				return err
			}
			t.Note("built with cargo from %s %s", module, l.moduleVersion(module))
			return os.RemoveAll(target)
		},
	}
}

func cargoNote(t *task, packages int) func(string) {
	compiled := 0
	return func(line string) {
		switch {
		case strings.HasPrefix(line, "Compiling"):
			compiled++
			t.Note("building with cargo (compiling %d/%d)", compiled, packages)
		case strings.HasPrefix(line, "Download"):
			t.Note("building with cargo (downloading)")
		}
	}
}

// moduleDir is where a module of go.mod lies, after downloading it if need be.
func (l *lab) moduleDir(ctx context.Context, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = l.repo
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w: %s", module, err, out)
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), `"Dir": `); ok {
			return strings.Trim(dir, `",`), nil
		}
	}
	return "", fmt.Errorf("go mod download %s on %s named no folder", module, runtime.GOOS)
}
