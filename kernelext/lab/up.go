package main

import (
	"context"
)

func up(ctx context.Context, l *lab, args []string) error { return l.prepare(ctx) }
