package main

import "context"

func runNotebooks(ctx context.Context, l *lab, args []string) error { return nil }
func test(ctx context.Context, l *lab, args []string) error         { return nil }
func doctor(ctx context.Context, l *lab, args []string) error       { return nil }
func status(ctx context.Context, l *lab, args []string) error       { return nil }
func stop(ctx context.Context, l *lab, args []string) error         { return nil }
func logs(ctx context.Context, l *lab, args []string) error         { return nil }
