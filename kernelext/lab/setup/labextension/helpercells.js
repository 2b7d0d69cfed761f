// Helper cells: commands in the launcher and the command palette that insert a cell of Go code.
((cells, iconSvg) => async (load) => {
  const kernel = "gonb";
  const [{ ICommandPalette }, { ILauncher }, { INotebookTracker, NotebookActions }, { LabIcon }] = await Promise.all(
    ["apputils", "launcher", "notebook", "ui-components"].map((name) => load(`@jupyterlab/${name}`)));

  // insert puts a cell below the active one of the open notebook, or in a new notebook where none with our kernel is open. A new
  // one is returned: it takes the launcher's place.
  async function insert(app, open, cell, cwd) {
    const created = open?.model?.defaultKernelName === kernel ? undefined
      : await app.commands.execute("notebook:create-new", { cwd, kernelName: kernel });
    const panel = created ?? open;
    await panel.context.ready;
    const notebook = panel.content;
    const code = compose(cell, Array.from(notebook.model.cells, (other) => other.sharedModel.getSource()).join("\n"));
    app.shell.activateById(panel.id);
    const { type, sharedModel } = notebook.activeCell.model;
    if (type !== "code" || sharedModel.getSource().trim()) NotebookActions.insertBelow(notebook);
    notebook.activeCell.model.sharedModel.setSource(code);
    await NotebookActions.focusActiveCell(notebook);
    return created;
  }

  // compose is a cell below what a notebook lacks of its imports and declarations.
  function compose({ imports, declarations, body }, written) {
    const parts = [];
    const missing = imports.filter((path) => !written.includes(`"${path}"`));
    const groups = [missing.filter((path) => !path.includes(".")), missing.filter((path) => path.includes("."))];
    const lines = groups.filter((group) => group.length).map((group) => group.map((path) => `\t"${path}"\n`).join(""));
    if (missing.length === 1) parts.push(`import "${missing[0]}"`);
    else if (missing.length) parts.push(`import (\n${lines.join("\n")})`);
    for (const { name, code } of declarations) {
      if (!new RegExp(`^(var|func) ${name}\\b`, "m").test(written)) parts.push(code);
    }
    return [...parts, `%%\n${body}`].join("\n\n");
  }

  return {
    id: "offshoot:helper-cells", description: "Helper cells of Go code.", autoStart: true,
    requires: [INotebookTracker], optional: [ICommandPalette, ILauncher],
    activate: (app, notebooks, palette, launcher) => {
      const icon = new LabIcon({ name: "offshoot:cell", svgstr: iconSvg });
      cells.forEach((cell, rank) => {
        const command = `offshoot:${cell.name}`, category = cell.category;
        app.commands.addCommand(command, {
          label: cell.label, caption: cell.caption, icon,
          execute: ({ cwd }) => insert(app, notebooks.currentWidget, cell, cwd),
        });
        palette?.addItem({ command, category, rank });
        launcher?.add({ command, category, rank, categoryRank: 10 }); // between notebooks, 0, and consoles, 20
      });
    },
  };
})
