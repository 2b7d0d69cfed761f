// Looks at every figure of a notebook, in JupyterLab's light and dark theme: it is drawn, its words stand out from the paper, a
// tooltip opens. Then it saves the notebook, and measures how large it is and how long it takes to open. It throws what it misses, and
// complains of figures.

const themes = { light: "JupyterLab Light", dark: "JupyterLab Dark" };

// What a saved notebook may be. How fast it opens depends on what else the machine does: 3 s are the aim, on one that is quiet.
const mostBytes = 5e6, mostSeconds = 20, leastFigures = 20;

// tryFigures opens a notebook, runs it, and tells what it saw of its figures. The page is left in the light theme.
export async function tryFigures(page, { name, url, open, runAll, drawn, shoot, complain }) {
  await open();
  await runAll();
  const figures = page.locator(".jp-Notebook .offshoot-figure");
  const count = await figures.count();
  if (count < leastFigures) throw new Error(`${name} has ${count} figures, want at least ${leastFigures}`);
  for (const theme of ["dark", "light"]) {
    await choose(page, "Settings", "Theme", themes[theme]);
    await page.waitForFunction((wanted) => document.body.dataset.jpThemeName === wanted, themes[theme]);
    for (let i = 0; i < count; i++) {
      const figure = figures.nth(i);
      await figure.evaluate((element) => element.scrollIntoView({ block: "center" }));
      const state = await drawn(figure);
      const found = state === "drawn" ? await figure.evaluate(look) : [state];
      await shoot(figure, `figures-${theme}-${String(i + 1).padStart(2, "0")}.png`);
      found.push(...(await figure.evaluate(showTip)));
      for (const problem of found) complain(`figure ${i + 1}, ${theme} theme: ${problem}`);
    }
  }
  const bytes = await save(page, url(`api/contents/${name}`), count);
  if (bytes > mostBytes) throw new Error(`${name} with its ${count} figures has ${bytes} bytes, want at most ${mostBytes}`);
  const seconds = await reopen(page, url("lab"), name, count);
  if (seconds > mostSeconds) throw new Error(`${name} took ${seconds} s to open, want at most ${mostSeconds}`);
  return { count, bytes, seconds };
}

// choose goes through menus.
async function choose(page, menu, ...items) {
  await page.getByRole("menuitem", { name: menu, exact: true }).first().click();
  for (const item of items) await page.locator(".lm-Menu-item", { has: page.getByText(item, { exact: true }) }).last().click();
}

// look runs in the page: it tells which words of a figure lie over each other, and which do not stand out from the paper (WCAG 2.2, success
// criterion 1.4.3: a contrast of 4.5 to 1). The colours of words on a shape of its own are left to who looks at the picture.
function look(figure) {
  const box = figure.querySelector("[_echarts_instance_]");
  const ink = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const luminance = (...layers) => {
    for (const layer of layers) {
      ink.fillStyle = layer;
      ink.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...ink.getImageData(0, 0, 1, 1).data].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  let sheet = figure;
  while (getComputedStyle(sheet).backgroundColor === "rgba(0, 0, 0, 0)" && sheet.parentElement) sheet = sheet.parentElement;
  const paper = getComputedStyle(sheet).backgroundColor;
  const all = window.echarts.getInstanceByDom(box).getZr().storage.getDisplayList(true);
  const bounds = (element) => {
    const rect = element.getBoundingRect().clone();
    if (element.transform) rect.applyTransform(element.transform);
    return rect;
  };
  const problems = [];
  const words = [];
  for (const [at, element] of all.entries()) {
    const { text, fill, opacity } = element.style;
    if (element.type !== "tspan" || !text?.trim() || opacity === 0) continue;
    const { x, y, width, height } = bounds(element);
    for (const [other, b] of words) {
      const common = Math.max(0, Math.min(x + width, b.x + b.width) - Math.max(x, b.x)) * Math.max(0, Math.min(y + height, b.y + b.height) - Math.max(y, b.y));
      if (common > 0.3 * Math.min(width * height, b.width * b.height)) problems.push(`“${text}” lies over “${other}”`);
    }
    words.push([text, { x, y, width, height }]);
    const on = all.slice(0, at).some((below) => below.type !== "tspan" && below.style.fill && below.style.fill !== "none" && bounds(below).contain(x + width / 2, y + height / 2));
    if (!on && contrast(luminance(paper, fill), luminance(paper)) < 4.5) problems.push(`“${text}” in ${fill} on ${paper}`);
  }
  return words.length < 3 ? [`only ${words.length} words`] : [...new Set(problems)].slice(0, 5);
}

// showTip runs in the page: it opens the tooltip of a point of a figure, and tells what is wrong with it.
function showTip(figure) {
  const box = figure.querySelector("[_echarts_instance_]");
  const chart = box && window.echarts.getInstanceByDom(box);
  if (!chart) return ["no chart for a tooltip"];
  const points = chart.getOption().series.flatMap(({ type, data }, seriesIndex) => (type === "parallel" ? [] : // ECharts would fail there
    [0, Math.floor((data?.length ?? 0) / 2)].map((dataIndex) => () => chart.dispatchAction({ type: "showTip", seriesIndex, dataIndex }))));
  const lines = chart.getZr().storage.getDisplayList().filter((element) => element.shape?.points?.length).map((element) => () => {
    const [zrX, zrY] = element.transformCoordToGlobal(...element.shape.points[0]);
    chart.getZr().handler.dispatch("mousemove", { zrX, zrY });
  });
  for (const point of [...points, ...lines]) {
    point();
    const tip = [...box.children].slice(1).find((child) => child.innerText?.trim());
    if (!tip) continue;
    const style = getComputedStyle(tip), inside = tip.getBoundingClientRect(), outside = box.getBoundingClientRect();
    const found = [];
    if (style.color === style.backgroundColor) found.push("its tooltip's words are as its paper");
    if (inside.width < 20 || inside.right > outside.right + 1 || inside.left < outside.left - 1) found.push("its tooltip has no room");
    chart.dispatchAction({ type: "hideTip" });
    return found;
  }
  return ["no tooltip opens"];
}

// save saves the notebook, and returns its size once the server has the figures of every cell.
async function save(page, contents, count) {
  await choose(page, "File", "Save Notebook");
  let saved = 0;
  for (let tries = 0; tries < 120; tries++) {
    const { size, content } = await (await page.request.get(contents)).json();
    saved = content.cells.flatMap((cell) => cell.outputs ?? []).filter((output) => output.data?.["image/svg+xml"]).length;
    if (saved === count) return size;
    await page.waitForTimeout(500);
  }
  throw new Error(`the saved notebook has ${saved} of its ${count} figures`);
}

// reopen is how many seconds a running JupyterLab takes from the click on the notebook until the last figure is drawn.
async function reopen(page, lab, name, count) {
  await page.goto(`${lab}&reset`);
  const file = page.locator(".jp-DirListing-item", { hasText: name });
  await file.waitFor();
  await page.locator(".jp-Launcher").waitFor();
  const start = Date.now();
  await file.dblclick();
  await page.waitForFunction((n) => document.querySelectorAll(".jp-Notebook .offshoot-figure canvas").length >= n, count);
  return (Date.now() - start) / 1000;
}
