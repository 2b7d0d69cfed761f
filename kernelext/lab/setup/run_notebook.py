"""Executes one notebook through its kernel and saves the outputs, cell by cell.

    run_notebook.py NOTEBOOK OUTPUT [--timeout SECONDS] [--times FILE] [--check]

The notebook is saved after each cell, in one go, so whatever ends the run leaves a whole file
with everything that was done. --times keeps, as JSON, when each cell began, how long it took
and what it printed. --check fails a cell that claims what the run does not support (kernelext/claims),
or that shows a figure without data: both say so in their outputs' metadata. Exit status: 0 all cells ran, 1 a cell failed, 130 interrupted.
"""

import argparse
import asyncio
import html.parser
import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # while there is nothing to save yet

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Screen:
    """What the terminal shows of one cell: a title, its stream output as it comes, its time."""

    def __init__(self, title):
        self.title, self.start, self.rest, self.headed = title, time.monotonic(), "", False
        self.live, self.told = sys.stdout.isatty(), time.monotonic()
        if self.live:
            print(f"{title} …", end="", flush=True)

    def progress(self, text):
        """One line of live progress: in place on a terminal, now and then in a log."""
        line = (text.strip().splitlines() or [""])[0]
        if self.live and not self.headed:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{self.title} … {line}"[: width + 5], end="", flush=True)
        elif line and time.monotonic() - self.told >= 10:
            self.told = time.monotonic()
            self.line(line)

    def stream(self, text):
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.line(line)

    def line(self, text):
        if not self.headed:
            self.headed = True
            print(f"\r\x1b[K{self.title}" if self.live else self.title)
        text = text.rstrip("\r").rsplit("\r", 1)[-1]
        print(f"      {text}", flush=True)

    def end(self, outcome=""):
        if self.rest.strip():
            self.line(self.rest)
        if self.headed:
            lead = "     "
        else:
            lead = f"\r\x1b[K{self.title}" if self.live else self.title
        print(f"{lead} … {time.monotonic() - self.start:.1f} s{outcome}", flush=True)


class Client(NotebookClient):
    """nbclient, with stream output and displays that change passed on to the screen."""

    screen = None

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "stream" and self.screen:
            self.screen.stream(msg["content"]["text"])
        elif msg["msg_type"] in ("display_data", "update_display_data") and self.screen:
            if msg["content"].get("transient", {}).get("display_id"):
                self.screen.progress(msg["content"]["data"].get("text/plain", ""))
        return super().process_message(msg, cell, cell_index)


class Text(html.parser.HTMLParser):
    """The text of an HTML output: the kernel shows compile errors as HTML."""

    BLOCKS = {"br", "p", "div", "pre", "tr", "li"}

    def __init__(self):
        super().__init__()
        self.parts, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "script")
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)

    @classmethod
    def of(cls, source):
        parser = cls()
        parser.feed(source)
        return re.sub(r"\n\s*\n+", "\n", "".join(parser.parts)).strip("\n")


def titles(nb):
    """A title for each code cell: the heading before it, else its first line of code."""
    heading, uses, found = "", 0, {}
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+\s+(.+?)\s*$", cell.source, re.MULTILINE)
            if headings:
                heading, uses = headings[-1], 0
        elif cell.cell_type == "code" and cell.source.strip():
            uses += 1
            lines = [l.strip() for l in cell.source.splitlines()]
            code = next((l for l in lines if l and not l.startswith(("%", "//", "import", "\"", ")"))), lines[0])
            found[index] = (heading if uses == 1 else f"{heading} ({uses})") if heading else code[:60]
    return found


def tidy(nb):
    """Takes out what differs from run to run, so that a re-run shows what really changed."""
    for number, cell in enumerate(nb.cells):
        cell.metadata.pop("execution", None)
        if nb.nbformat_minor >= 5 and not cell.get("id"):
            cell["id"] = f"cell-{number}"
    nb.metadata.pop("widgets", None)


def save(nb, path):
    tidy(nb)
    new = path.with_name(f".{path.name}.new")
    try:
        with open(new, "w", encoding="utf-8") as file:
            nbformat.write(nb, file)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def failure(cell):
    """What a failed cell has to say, as text. Streams were shown already."""
    said = []
    for output in cell.outputs:
        if output.output_type == "error":
            said.append("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
        elif output.output_type == "display_data" and "text/html" in output.data:
            said.append(Text.of(output.data["text/html"]))
    return ANSI.sub("", "\n".join(said)) if not sys.stdout.isatty() else "\n".join(said)


def printed(cell):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def doubts(cell):
    """What a cell's outputs say against themselves: claims that do not hold, figures without data."""
    doubtful = ("unsupported claim", "figure without data")
    return "\n".join(
        f"{mark}: {output.data.get('text/plain', '')}"
        for output in cell.outputs
        if (mark := output.get("metadata", {}).get("offshoot")) in doubtful
    )


async def execute(nb, client, out, times, check):
    """Runs the cells in order, and appends to times. Returns the exit status."""
    interrupted, task = [], asyncio.current_task()

    def interrupt():
        # The first Ctrl-C stops the cell where it keeps what it did; the second stops waiting.
        interrupted.append(True)
        if len(interrupted) == 1:
            asyncio.ensure_future(client.km.interrupt_kernel())
        else:
            task.cancel()

    loop, names = asyncio.get_running_loop(), titles(nb)
    log = open(os.environ.get("OFFSHOOT_KERNEL_LOG", os.devnull), "w", encoding="utf-8")
    async with client.async_setup_kernel(stdout=log, stderr=log):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        for index in names:
            nb.cells[index].outputs, nb.cells[index].execution_count = [], None
        for place, (index, name) in enumerate(names.items(), 1):
            cell = nb.cells[index]
            client.screen = screen = Screen(f"[{place}/{len(names)}] {name}")
            problem, began = None, time.time()
            try:
                await client.async_execute_cell(cell, index, execution_count=place)
                problem = (check and doubts(cell)) or None
            except CellExecutionError as error:
                problem = failure(cell) or str(error)
            except (CellTimeoutError, DeadKernelError) as error:
                problem = str(error)
            except asyncio.CancelledError:
                problem = "the cell did not stop in time; its kernel was ended"
            finally:
                times.append({"began": began, "seconds": time.time() - began, "text": printed(cell)})
                save(nb, out)
            if interrupted:
                screen.end("  interrupted")
                print(f"{out}: holds the outputs so far", file=sys.stderr)
                return 130
            if problem is not None:
                screen.end("  failed")
                print(f"\n{problem}\n\n{out}: cell {place} of {len(names)} failed ({name})", file=sys.stderr)
                return 1
            screen.end()
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--timeout", type=float, default=None)
    parser.add_argument("--times", type=Path, default=None)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    try:
        nb = nbformat.read(args.notebook, as_version=4)
    except Exception as error:
        print(f"{args.notebook} is not a notebook: {error}", file=sys.stderr)
        return 1
    client = Client(
        nb,
        timeout=args.timeout or None,
        startup_timeout=180,  # a first start on a busy machine
        kernel_name=nb.metadata.get("kernelspec", {}).get("name", "gonb"),
        resources={"metadata": {"path": str(args.notebook.resolve().parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        allow_errors=False,
    )
    start, times = time.monotonic(), []
    try:
        status = asyncio.run(execute(nb, client, args.output, times, args.check))
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = 130
    if args.times:
        args.times.write_text(json.dumps(times), encoding="utf-8")
    if status == 0:
        print(f"{args.output}: all cells ran in {time.monotonic() - start:.1f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
