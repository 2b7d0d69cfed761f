// Looks at the lab's JupyterLab extension, as a person would: the command palette and the launcher offer every helper cell by
// name, one of each is inserted, one runs, and the kernel completes and documents the project's symbols.

// tryHelperCells goes on in the notebook that is open, closes it, and runs a cell in a new one. It throws what it misses.
export async function tryHelperCells(page, cells) {
  await fromPalette(page, cells);
  await documentation(page);
  await fromLauncher(page, cells);
}

// fromPalette inserts a cell below the active one of the open notebook.
async function fromPalette(page, cells) {
  const before = await page.locator(".jp-Notebook .jp-Cell").count();
  await page.locator(".jp-Notebook .jp-Cell").last().locator(".jp-InputPrompt, .jp-MarkdownOutput").first().click();
  await page.keyboard.press("Control+Shift+c");
  await page.locator(".lm-CommandPalette-input").fill("offshoot");
  await offered(page, "the command palette", cells, ".lm-CommandPalette-itemLabel");
  await page.locator(".lm-CommandPalette-item", { hasText: cells[0].label }).first().click();
  await page.waitForFunction((n) => document.querySelectorAll(".jp-Notebook .jp-Cell").length === n, before + 1);
  await holds(page, cells[0]);
}

// documentation asks for symbols, where need be of a new kernel: one whose gopls was too slow at first may not know any more what
// is in a cell.
async function documentation(page) {
  for (let restarts = 0; ; restarts++) {
    try {
      return await symbols(page);
    } catch (error) {
      if (restarts === 2) throw error;
      await page.getByRole("menuitem", { name: "Kernel", exact: true }).click();
      await page.getByRole("menuitem", { name: "Restart Kernel…", exact: true }).click();
      await page.locator(".jp-Dialog .jp-mod-warn").click();
    }
  }
}

// symbols completes a symbol with Tab, and shows its documentation with Shift-Tab and below the pointer.
async function symbols(page) {
  await page.locator(".jp-Notebook .jp-mod-active .cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type('import "github.com/offshoot-ml/offshoot/kernelext"\n\n%%\nkernelext.Op');
  await insist(page, () => page.keyboard.press("Tab"), page.locator(".jp-Completer-item", { hasText: /^Open/ }).first());
  await page.keyboard.press("Enter");
  await insist(page, () => page.keyboard.press("Shift+Tab"), page.locator(".jp-Tooltip", { hasText: "Open opens a lab by name" }));
  await page.keyboard.press("Escape");
  const { x, y, width, height } = await page.locator(".jp-Notebook .jp-mod-active .cm-line").last().boundingBox();
  await insist(page, async () => {
    await page.mouse.move(x + width, y + 4 * height); // away, and onto the package's name
    await page.mouse.move(x + 20, y + height / 2, { steps: 4 });
  }, page.locator(".offshoot-hover-help", { hasText: "Package kernelext is what" }));
}

// insist tries again: the kernel knows nothing while its gopls starts, 12 s, and reads the repository.
async function insist(page, act, seen) {
  for (let tries = 0; ; tries++) {
    await act();
    try {
      return await seen.waitFor({ timeout: 12_000 });
    } catch (error) {
      if (tries === 7) throw error;
    }
  }
}

// fromLauncher begins a notebook with a cell, and runs it.
async function fromLauncher(page, cells) {
  await page.getByRole("menuitem", { name: "File", exact: true }).click();
  await page.getByRole("menuitem", { name: "Close All Tabs", exact: true }).click();
  const save = page.locator(".jp-Dialog button", { hasText: "Discard" });
  await Promise.race([save.waitFor(), page.locator(".jp-Launcher").waitFor()]);
  if (await save.isVisible()) await save.click();
  await page.locator(".jp-Launcher").waitFor();
  await offered(page, "the launcher", cells, ".jp-LauncherCard-label");
  await page.locator(".jp-LauncherCard", { hasText: cells[0].label }).first().click();
  await page.locator(".jp-NotebookPanel .jp-Cell").waitFor();
  await holds(page, cells[0]);
  await page.getByText(/Go \(gonb\) \| (Idle|Unknown)/).waitFor(); // unknown until it runs something
  await page.keyboard.press("Shift+Enter");
  await page.locator(".jp-OutputArea-output", { hasText: "Lab quickstart" }).waitFor();
}

// offered misses cells among the labels on the page.
async function offered(page, where, cells, labels) {
  await page.locator(labels, { hasText: cells[0].label }).first().waitFor();
  const found = await page.locator(labels).allInnerTexts();
  const missing = cells.map((cell) => cell.label).filter((label) => !found.includes(label));
  if (missing.length) throw new Error(`${where} lacks ${missing.join(", ")}; it has ${found.join(", ")}`);
}

// holds waits until the active cell holds a helper cell's code.
function holds(page, cell) {
  return page.locator(".jp-Notebook .jp-mod-active .cm-content", { hasText: cell.body.split("\n")[0] }).waitFor();
}
