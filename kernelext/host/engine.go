package main

import (
	"context"
	"errors"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
)

// engine computes with GoMLX. It is not plugged in yet.
type engine struct{}

var errNoEngine = errors.New("this host was built without its engine")

func (*engine) Backend(context.Context) (backend, device string, err error) {
	return "", "", errNoEngine
}

func (*engine) OpenTeacher(context.Context, string, resident.Report) (resident.Teacher, error) {
	return nil, errNoEngine
}
