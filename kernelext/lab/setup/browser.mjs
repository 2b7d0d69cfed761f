// Drives a real JupyterLab in headless Chromium, as a person would: opens a notebook, runs all
// cells, waits, and looks at the figures.
//
//   node browser.mjs {"url", "token", "root", "notebooks", "figures", "controls", "chrome", "jupyter", "out", "timeout", "cells"}
//
// Prints one JSON line with what it saw. Exit status 1: something was wrong, and "problems" says
// what. Figures are elements of class offshoot-figure; each must hold a chart that ECharts drew.

import { chromium } from "playwright-core";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { tryHelperCells } from "./helpercells.mjs";
import { tryControls } from "./controls.mjs";
import { tryFigures } from "./figures.mjs";
import { withoutScripts } from "./noscript.mjs";

const options = JSON.parse(process.argv[2]);
const deadline = Date.now() + options.timeout * 1000;
const problems = [];
const seen = { cells: 0, figures: 0, screenshots: [] };

const flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps"];
if (process.getuid?.() === 0) flags.push("--no-sandbox");

const browser = await chromium.launch({ executablePath: options.chrome, headless: true, args: flags });
const page = await browser.newPage({ viewport: { width: 1360, height: 1000 }, deviceScaleFactor: 1 });
try {
  page.setDefaultTimeout(60_000);
  watch(page);
  for (const notebook of options.notebooks ?? []) {
    await open(page, notebook);
    await runAll(page);
    await lookAtFigures(page, notebook.replace(/\.ipynb$/, ""));
  }
  if (options.notebooks?.length) await tryHelperCells(page, options.cells);
  if (options.figures) seen.gallery = await lookAtGallery(page, options.figures);
  if (options.controls) await tryControls(page, () => open(page, options.controls), (name) => shoot(page, name));
} catch (error) {
  problems.push(String(error.message ?? error).split("\n").slice(0, 4).join("\n")); // with what was waited for
  await mkdir(options.out, { recursive: true }).then(() => shoot(page, "failure.png")).catch(() => {});
} finally {
  await browser.close();
}
console.log(JSON.stringify({ ...seen, problems }));
process.exit(problems.length ? 1 : 0);

// watch notes script errors, and stops and notes every request that would leave this machine.
function watch(page) {
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  const local = (url) => {
    const { protocol, hostname } = new URL(url);
    return !/^(https?|wss?):$/.test(protocol) || /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
  };
  page.on("websocket", (socket) => local(socket.url()) || problems.push(`a socket left the machine: ${socket.url()}`));
  return page.route("**/*", (route) => {
    const url = route.request().url();
    if (local(url)) return route.continue();
    problems.push(`a request left the machine: ${url}`);
    return route.abort();
  });
}

async function open(page, notebook) {
  await mkdir(options.out, { recursive: true });
  await page.goto(`${options.url}lab/tree/${encodeURIComponent(notebook)}?token=${options.token}&reset`);
  await page.waitForSelector(".jp-NotebookPanel .jp-Cell");
  // Run before the kernel is there, and JupyterLab asks which kernel to use.
  for (let ready = false; !ready; ready = (await kernels(page, notebook)).some((kernel) => kernel.connections > 0)) {
    if (Date.now() > deadline) throw new Error("the kernel did not start");
    await page.waitForTimeout(200);
  }
  await page.waitForTimeout(1000);
}

async function kernels(page, notebook) {
  const reply = await page.request.get(`${options.url}api/sessions?token=${options.token}`);
  return (await reply.json()).filter((session) => session.path === notebook).map((session) => session.kernel);
}

async function runAll(page) {
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  await page.waitForTimeout(500);
  for (let quiet = 0; quiet < 3; ) {
    if (Date.now() > deadline) throw new Error(`cells still run after ${options.timeout} s`);
    await page.waitForTimeout(500);
    quiet = (await prompts(page)).some((prompt) => prompt === "[*]:") ? 0 : quiet + 1;
  }
  const all = await prompts(page);
  seen.cells += all.length;
  const idle = all.findIndex((prompt) => !/^\[\d+\]:$/.test(prompt));
  if (idle >= 0) problems.push(`cell ${idle + 1} of ${all.length} did not run; the one before it failed:\n${await lastOutput(page)}`);
  const errors = await page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').allInnerTexts();
  for (const text of errors) problems.push(`a cell failed: ${text.slice(0, 400)}`);
}

// prompts returns the prompt of each code cell that holds code: "[3]:", "[*]:" or "[ ]:".
function prompts(page) {
  return page.$$eval(".jp-Notebook .jp-CodeCell", (cells) =>
    cells.filter((cell) => cell.querySelector(".cm-content")?.textContent.trim() !== "")
      .map((cell) => cell.querySelector(".jp-InputArea-prompt")?.textContent.trim() ?? ""));
}

async function lastOutput(page) {
  const texts = await page.locator(".jp-Notebook .jp-OutputArea-output").allInnerTexts();
  return (texts.at(-1) ?? "no output").slice(0, 600);
}

async function lookAtFigures(page, name) {
  const figures = page.locator(".jp-Notebook .offshoot-figure");
  const count = await figures.count();
  seen.figures += count;
  if (count === 0) problems.push(`${name}: no figure on the page (class offshoot-figure)`);
  for (let i = 0; i < count; i++) {
    const figure = figures.nth(i);
    await figure.scrollIntoViewIfNeeded();
    const state = await drawn(page, figure);
    if (state !== "drawn") problems.push(`${name}, figure ${i + 1}: ${state}`);
    await shoot(figure, `${name}-figure-${i + 1}.png`);
  }
  // The second figure, or the only one, with its cell: what a reader would like to see first.
  await figures.nth(Math.min(1, count - 1)).evaluate((figure) => figure.scrollIntoView({ block: "center" }));
  await page.waitForTimeout(300);
  await shoot(page, `${name}.png`);
}

// lookAtGallery looks at a notebook of many figures, and at what is left of it where no script runs.
async function lookAtGallery(page, name) {
  const gallery = await tryFigures(page, {
    name, url: (path) => `${options.url}${path}?token=${options.token}`, open: () => open(page, name), runAll: () => runAll(page),
    drawn: (figure) => drawn(page, figure, 0), shoot, complain: (problem) => problems.push(problem),
  });
  seen.figures += gallery.count;
  const pages = await withoutScripts(browser, watch, { notebook: join(options.root, name), jupyter: options.jupyter, out: options.out, count: gallery.count });
  return { ...gallery, pages };
}

async function shoot(target, name) {
  const path = join(options.out, name);
  await target.screenshot({ path });
  seen.screenshots.push(path);
}

// drawn waits for ECharts to draw into a figure, past its opening animation where it has one.
async function drawn(page, figure, opening = 800) {
  let state = "";
  for (let tries = 0; tries < 40; tries++) {
    state = await figure.evaluate((element) => {
      const chart = element.matches("[_echarts_instance_]") ? element : element.querySelector("[_echarts_instance_]");
      if (!chart) return "ECharts did not start";
      const canvas = chart.querySelector("canvas");
      if (canvas) {
        if (!canvas.width || !canvas.height) return "its canvas has no size";
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.some((value, at) => value !== pixels[at % 4]) ? "drawn" : "its canvas is blank";
      }
      return chart.querySelector("svg path, svg rect, svg text") ? "drawn" : "ECharts drew nothing";
    });
    if (state === "drawn") break;
    await page.waitForTimeout(250);
  }
  await page.waitForTimeout(opening);
  return state;
}
