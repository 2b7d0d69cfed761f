// Opens pages of figures in headless Chromium, one after the other, and measures what a reader would feel.
//
//   node benchfigures.mjs {"chrome", "pages": [path, …]}
//
// Prints a JSON list of {"browser_ms", "hover_frame_ms", "zoom_frame_ms"}: milliseconds of the page's main thread until the figure is drawn, ECharts'
// own loading included, and of the longest frame while a pointer moves over it and while it is zoomed or its slider moves. They are
// processor time: other programs on the machine do not count. Exit status 1: a figure did not draw, or a script failed.

import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const options = JSON.parse(process.argv[2]);
const flags = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
if (process.getuid?.() === 0) flags.push("--no-sandbox");

const browser = await chromium.launch({ executablePath: options.chrome, headless: true, args: flags });
try {
  const seen = [];
  for (const page of options.pages) seen.push(await measure(page));
  console.log(JSON.stringify(seen));
} catch (error) {
  console.error(String(error.message ?? error));
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function measure(path) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1400 } });
  const failures = [];
  page.on("pageerror", (error) => failures.push(error.message));
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find((metric) => metric.name === "TaskDuration").value;
  };
  const frame = () => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
  const longest = async (steps) => {
    let most = 0;
    for (const step of steps) {
      const before = await spent();
      await step();
      await frame();
      most = Math.max(most, (await spent()) - before);
    }
    return Math.round(most);
  };

  await page.goto(pathToFileURL(path).href, { timeout: 120_000 });
  await page.waitForSelector(".offshoot-figure canvas", { timeout: 120_000 });
  await frame();
  const draw = Math.round(await spent());
  const box = await page.locator(".offshoot-figure canvas").first().boundingBox();
  const places = Array.from({ length: 40 }, (_, i) => [box.x + box.width * (0.1 + 0.02 * i), box.y + box.height * (0.25 + 0.5 * ((i * 7) % 10) / 10)]);
  const hover = await longest(places.map(([x, y]) => () => page.mouse.move(x, y)));
  const zoom = await longest([0.2, 0.5, 0].map((from) => () => page.evaluate(zoomTo, from)));
  await page.close();
  if (failures.length) throw new Error(`${path}: ${failures[0]}`);
  return { browser_ms: draw, hover_frame_ms: hover, zoom_frame_ms: zoom };
}

// zoomTo shows a part of each axis that can be zoomed, from there on, and moves a slider there.
function zoomTo(from) {
  const chart = echarts.getInstanceByDom(document.querySelector(".offshoot-figure [_echarts_instance_]"));
  const batch = []; // also of the buttons above a figure, which getOption does not list
  chart.getModel().eachComponent("dataZoom", ({ id }) => batch.push({ dataZoomId: id, start: 100 * from, end: from ? 100 * from + 30 : 100 }));
  if (batch.length) chart.dispatchAction({ type: "dataZoom", batch });
  const { timeline = [] } = chart.getOption();
  if (timeline.length) chart.dispatchAction({ type: "timelineChange", currentIndex: Math.floor(from * timeline[0].data.length) });
}
