package main

import (
	"fmt"
	"strings"
)

// environment is what environment.yml says. The file is YAML, so that conda can read it too,
// but of a simple kind: this reads top-level keys, lists, the nested pip list, and a map.
type environment struct {
	conda     []string          // conda requirements, such as python>=3.10
	pip       []string          // pip requirements, such as jupyterlab==4.6.6
	channels  []string          // conda channels
	variables map[string]string // wheels that are unpacked, not installed
}

func parseEnvironment(text string) (environment, error) {
	env := environment{variables: map[string]string{}}
	key, pipIndent := "", -1
	for i, line := range strings.Split(text, "\n") {
		body, _, _ := strings.Cut(line, " #")
		if strings.HasPrefix(body, "#") || strings.TrimSpace(body) == "" {
			continue
		}
		indent := len(body) - len(strings.TrimLeft(body, " "))
		body = strings.TrimSpace(body)
		item, isItem := strings.CutPrefix(body, "- ")
		if pipIndent >= 0 && indent <= pipIndent {
			pipIndent = -1
		}
		switch {
		case indent == 0 && !isItem:
			key, _, _ = strings.Cut(body, ":")
		case key == "variables" && !isItem:
			name, value, ok := strings.Cut(body, ":")
			if !ok {
				return env, fmt.Errorf("environment.yml:%d: want NAME: value, found %q", i+1, body)
			}
			env.variables[name] = unquote(value)
		case !isItem:
			return env, fmt.Errorf("environment.yml:%d: cannot read %q", i+1, body)
		case key == "channels":
			env.channels = append(env.channels, unquote(item))
		case key == "dependencies" && item == "pip:":
			pipIndent = indent
		case key == "dependencies" && pipIndent >= 0:
			env.pip = append(env.pip, unquote(item))
		case key == "dependencies":
			env.conda = append(env.conda, unquote(item))
		}
	}
	if len(env.pip) == 0 {
		return env, fmt.Errorf("environment.yml: no pip requirements under dependencies")
	}
	return env, nil
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, quote := range []string{`"`, `'`} {
		if len(s) > 1 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return s[1 : len(s)-1]
		}
	}
	return s
}

// version returns the pinned version of a pip requirement, or "" when there is none.
func (e environment) version(name string) string {
	for _, requirement := range e.pip {
		if package_, version, ok := strings.Cut(requirement, "=="); ok && package_ == name {
			return version
		}
	}
	return ""
}
