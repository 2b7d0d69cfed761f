"""What TensorBoard itself makes of events: made with tensorboard 2.21.0, protobuf 7.36.2.

events.py make FILE   writes the events of TestEventsAreTensorBoards with TensorBoard's own classes
events.py read DIR... prints the scalars that TensorBoard shows of each folder, {tag: [[step, value, wall time], ...]}
"""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def make(path):
    with open(path, "wb") as f:
        writer = RecordWriter(f)
        start = SessionLog(status=SessionLog.START)
        value = Summary(value=[Summary.Value(tag="loss/train", simple_value=3.25), Summary.Value(tag="cost/flops", simple_value=1e12)])
        for event in [Event(wall_time=1.75e9, file_version="brain.Event:2"), Event(wall_time=1.75e9, summary=value),
                      Event(wall_time=1750000001.25, step=300, session_log=start), Event(wall_time=1750000001.25, step=300, summary=value)]:
            writer.write(event.SerializeToString(deterministic=True))
        writer.flush()


def scalars(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    print(json.dumps([scalars(folder) for folder in sys.argv[2:]]))
