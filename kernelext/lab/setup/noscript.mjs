// Looks at a saved notebook where no script runs: the page that nbconvert makes of it, in a browser with scripts turned off, and that page
// printed as a PDF. Each figure must be there as a picture. It throws what it misses.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { inflateSync } from "node:zlib";

// withoutScripts converts the notebook into a page in a folder, and tells how many pages it has in print.
export async function withoutScripts(browser, watch, { notebook, jupyter, out, count }) {
  await promisify(execFile)(jupyter, ["nbconvert", "--to", "html", "--output-dir", out, "--output", "figures.html", notebook]);
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1100, height: 900 } });
  try {
    const page = await context.newPage();
    await watch(page);
    await page.goto(pathToFileURL(join(out, "figures.html")).href);
    const pictures = await page.$$eval(".offshoot-figure > img", (images) => images.map((image) => {
      const { width, height } = image.getBoundingClientRect();
      return { alt: image.alt, width, height, loaded: image.complete && image.naturalWidth > 0, visible: image.checkVisibility({ visibilityProperty: true, opacityProperty: true }) };
    }));
    const missing = pictures.filter((p) => !p.loaded || !p.visible || p.width < 300 || p.height < 50);
    if (pictures.length !== count || missing.length) {
      throw new Error(`without scripts ${pictures.length} of ${count} figures have a picture; not visible: ${missing.map((p) => p.alt).join("; ") || "none"}`);
    }
    const pdf = await page.pdf({ format: "A4", path: join(out, "figures.pdf") });
    return printed(pdf, await page.$$eval(".offshoot-figure > img", (images) => images.map((image) => [image.getAttribute("width"), image.getAttribute("height")].join(" "))));
  } finally {
    await context.close();
  }
}

// printed counts the pages of a PDF, and misses figures in it. Each begins with its sheet, a rectangle of the picture's size, and words and
// shapes follow before the next one.
function printed(pdf, sizes) {
  const figures = [];
  for (const content of streams(pdf)) {
    const sheets = [...content.matchAll(/\b(\d+ \d+) re\n/g)].filter(([, size]) => sizes.includes(size));
    for (const [i, sheet] of sheets.entries()) {
      const drawn = content.slice(sheet.index, sheets[i + 1]?.index);
      figures.push({ size: sheet[1], words: drawn.match(/ T[jJ]\n/g)?.length ?? 0, shapes: drawn.match(/ (l|c|re)\n/g)?.length ?? 0 });
    }
  }
  const found = figures.map((figure) => figure.size).join(", "), wanted = sizes.join(", ");
  if (found !== wanted) throw new Error(`in print there are figures of the sizes ${found}; want ${wanted}`);
  const blank = figures.findIndex((figure) => figure.words < 3 || figure.shapes < 3);
  if (blank >= 0) throw new Error(`in print figure ${blank + 1} is blank: ${JSON.stringify(figures[blank])}`);
  return pdf.toString("latin1").match(/\/Type \/Page\b/g).length;
}

// streams are the page descriptions of a PDF, and what else it holds that is compressed.
function* streams(pdf) {
  for (let at = pdf.indexOf("stream\n"); at >= 0; at = pdf.indexOf("stream\n", at)) {
    const end = pdf.indexOf("endstream", at);
    try {
      yield inflateSync(pdf.subarray(at + "stream\n".length, end)).toString("latin1");
    } catch {} // fonts and pictures are not text
    at = end + "endstream".length;
  }
}
