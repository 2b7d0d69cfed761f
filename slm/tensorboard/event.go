package tensorboard

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of TensorFlow's event.proto and summary.proto that are written here.
const (
	eventWallTime    = 1 // double: seconds since 1970
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	eventSessionLog  = 7 // SessionLog

	summaryValue     = 1 // repeated Value
	valueTag         = 1 // string
	valueSimple      = 2 // float
	sessionLogStatus = 1 // enum
	sessionStart     = 1 // SessionLog.START
)

// fileVersion is the first event of every file.
const fileVersion = "brain.Event:2"

// versionEvent begins a file.
func versionEvent(at time.Time) []byte {
	return protowire.AppendString(protowire.AppendTag(eventHead(at, 0), eventFileVersion, protowire.BytesType), fileVersion)
}

// startEvent says that training begins anew with a step: readers forget what they read of it and of later ones.
func startEvent(at time.Time, step int) []byte {
	log := protowire.AppendVarint(protowire.AppendTag(nil, sessionLogStatus, protowire.VarintType), sessionStart)
	return protowire.AppendBytes(protowire.AppendTag(eventHead(at, step), eventSessionLog, protowire.BytesType), log)
}

// summaryEvent is a step with its scalars.
func summaryEvent(at time.Time, step int, summary []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(eventHead(at, step), eventSummary, protowire.BytesType), summary)
}

func eventHead(at time.Time, step int) []byte {
	b := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixMicro())/1e6))
	if step == 0 { // proto3 leaves zeros out
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, eventStep, protowire.VarintType), uint64(step))
}

// appendScalar appends a value to a summary.
func appendScalar(summary []byte, tag string, value float64) []byte {
	v := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag)
	v = protowire.AppendFixed32(protowire.AppendTag(v, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(value)))
	return protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), v)
}

// event is what of a written event is needed to go on after it.
type event struct {
	step    int64
	summary []byte // nil for none
	start   bool
}

// parseEvent reads an event, perhaps of another program; what it does not know it skips.
func parseEvent(b []byte) (e event, ok bool) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return e, false
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(number, kind, b)
		if size < 0 {
			return e, false
		}
		switch {
		case number == eventStep && kind == protowire.VarintType:
			step, _ := protowire.ConsumeVarint(b)
			e.step = int64(step)
		case number == eventSummary && kind == protowire.BytesType:
			e.summary, _ = protowire.ConsumeBytes(b)
		case number == eventSessionLog && kind == protowire.BytesType:
			log, _ := protowire.ConsumeBytes(b)
			e.start = isStart(log)
		}
		b = b[size:]
	}
	return e, true
}

// isStart reports a session log whose status is START.
func isStart(log []byte) bool {
	number, kind, n := protowire.ConsumeTag(log)
	if n < 0 || number != sessionLogStatus || kind != protowire.VarintType {
		return false
	}
	status, n := protowire.ConsumeVarint(log[n:])
	return n > 0 && status == sessionStart
}
