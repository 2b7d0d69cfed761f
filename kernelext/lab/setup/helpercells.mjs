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

// documentation asks for a symbol with Tab, and for its documentation with Shift-Tab.
async function documentation(page) {
  const editor = page.locator(".jp-Notebook .jp-mod-active .cm-content");
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("import \"github.com/offshoot-ml/offshoot/kernelext\"\n\nvar tried = kernelext.Op");
  await page.keyboard.press("Tab");
  await page.locator(".jp-Completer-match", { hasText: /^Open/ }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.type("en");
  await page.keyboard.press("Shift+Tab");
  await page.locator(".jp-Tooltip", { hasText: "Open opens a lab by name" }).waitFor();
  await page.keyboard.press("Escape");
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
