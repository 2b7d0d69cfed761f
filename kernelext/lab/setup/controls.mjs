// Uses the controls of a notebook, as a person would: a button takes steps and the curve grows, a slider changes the loss, a click
// on a point shows that candidate's mask, a dashboard shows the host. It throws what it misses.

// tryControls opens the notebook in a page of the browser that is open, and runs it to its end. Cells compile, and so does the first
// step: it waits some minutes for each thing that it is to see.
export async function tryControls(page, openNotebook, shoot) {
  page.setDefaultTimeout(240_000);
  await openNotebook();
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  await steer(page, shoot);
  await pick(page, shoot);
  await said(page, "The host at");
}

async function steer(page, shoot) {
  const controls = page.locator(".offshoot-controls");
  await controls.locator("button[name=steps]").click();
  await said(page, "step 4 ·");
  const few = await grown(page, 0);
  await controls.locator("input[name=alpha]").fill("0.75");
  await said(page, "from step 5 on: 0.75 cross-entropy + 0.25 forward-kl");
  await controls.locator("input[name=rate]").fill("-1");
  await controls.locator("input[name=rate]").press("Enter");
  await said(page, "want a positive peak");
  await controls.locator("button[name=steps]").click();
  await said(page, "step 8 ·");
  await grown(page, few);
  await shoot("controls.png");
  await controls.locator("button[name=done]").click();
  await said(page, "Controls of run tiny");
}

// said waits for words in an output.
function said(page, words) {
  return page.locator(".jp-Notebook .jp-OutputArea-output", { hasText: words }).first().waitFor();
}

// grown waits until the run's training curve has more points than before, and counts them.
async function grown(page, before) {
  const count = await page.waitForFunction((least) => {
    const chart = document.querySelector(".offshoot-figure [_echarts_instance_]");
    const series = chart && window.echarts.getInstanceByDom(chart).getOption().series;
    const points = Math.max(0, ...(series ?? []).map((s) => s.data.length));
    return points > least && points;
  }, before);
  return count.jsonValue();
}

// pick clicks on the point of a candidate that is not the best, and waits until its mask and its words are there.
async function pick(page, shoot) {
  await said(page, "Click a point");
  const figures = page.locator(".offshoot-figure", { has: page.locator("[_echarts_instance_]") });
  const figure = figures.nth(1), mask = await figures.nth(2).getAttribute("data-figure");
  await figure.evaluate((element) => element.scrollIntoView({ block: "center" }));
  const best = await page.evaluate(captionOf, mask);
  const { id, x, y } = await figure.evaluate(pointOfAnother);
  await page.mouse.click(x, y);
  await said(page, `Candidate #${id} of`);
  await page.waitForFunction(`![undefined, ${JSON.stringify(best)}].includes((${captionOf})(${JSON.stringify(mask)}))`);
  await page.locator(".jp-Notebook .jp-OutputArea-output pre", { hasText: /^func./ }).first().waitFor();
  await shoot("pick.png");
  await page.getByRole("menuitem", { name: "Kernel", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Interrupt Kernel/ }).click();
}

// captionOf is the caption of a figure by its name; undefined while it is drawn anew.
function captionOf(name) {
  const box = document.querySelector(`.offshoot-figure[data-figure="${name}"] [_echarts_instance_]`);
  return box ? window.echarts.getInstanceByDom(box).getOption().title[0].subtext : undefined;
}

function pointOfAnother(figure) {
  const box = figure.querySelector("[_echarts_instance_]");
  const chart = window.echarts.getInstanceByDom(box);
  const option = chart.getOption();
  const best = option.series.find((s) => s.name === "best").data[0].value[2];
  for (const [seriesIndex, series] of option.series.entries()) {
    for (const { value } of series.name.startsWith("gen") ? series.data : []) {
      if (value[2] === best) continue;
      const [x, y] = chart.convertToPixel({ seriesIndex }, value.slice(0, 2));
      const at = box.getBoundingClientRect();
      return { id: value[2], x: at.left + x, y: at.top + y };
    }
  }
  throw new Error("the search has no other candidate");
}
