// The lab's JupyterLab extension: helper cells, from the launcher and the command palette.
//
// JupyterLab takes a prebuilt extension as a container of webpack's module federation: it loads this script, hands its own
// packages to init, and asks get for the plugin. A builder would make such a container from npm packages; this one is written
// out, since it brings none along. Set-up calls the function with the cells and an icon (labextension.go).
((cells, iconSvg) => {
  const plugin = "offshoot:helper-cells";
  const kernel = "gonb";
  let shared; // JupyterLab's packages: for each name its versions, of which there is one

  async function load(name) {
    const versions = Object.values(shared[name] ?? {});
    if (!versions.length) throw new Error(`${plugin}: this JupyterLab does not share ${name}`);
    return (await versions[0].get())();
  }

  async function extension() {
    const [{ ICommandPalette }, { ILauncher }, { INotebookTracker, NotebookActions }, { LabIcon }] = await Promise.all(
      ["apputils", "launcher", "notebook", "ui-components"].map((name) => load(`@jupyterlab/${name}`)));
    const activate = (app, notebooks, palette, launcher) => {
      const icon = new LabIcon({ name: "offshoot:cell", svgstr: iconSvg });
      cells.forEach((cell, rank) => {
        const command = `offshoot:${cell.name}`;
        app.commands.addCommand(command, {
          label: cell.label, caption: cell.caption, icon,
          execute: ({ cwd }) => insert(app, notebooks.currentWidget, cell, cwd, NotebookActions),
        });
        palette?.addItem({ command, category: cell.category, rank });
        launcher?.add({ command, category: cell.category, rank, categoryRank: 10 }); // between notebooks, 0, and consoles, 20
      });
    };
    return { id: plugin, description: "Offshoot's helper cells.", autoStart: true,
      requires: [INotebookTracker], optional: [ICommandPalette, ILauncher], activate };
  }

  // insert puts a cell below the active one of the open notebook, or in a new notebook where none with our kernel is open. A new
  // one is returned: it takes the launcher's place.
  async function insert(app, open, cell, cwd, actions) {
    const created = open?.model?.defaultKernelName === kernel ? null
      : await app.commands.execute("notebook:create-new", { cwd, kernelName: kernel });
    const panel = created ?? open;
    await panel.context.ready;
    const notebook = panel.content;
    const code = compose(cell, Array.from(notebook.model.cells, (c) => c.sharedModel.getSource()).join("\n"));
    app.shell.activateById(panel.id);
    const { model } = notebook.activeCell;
    if (model.type !== "code" || model.sharedModel.getSource().trim()) actions.insertBelow(notebook);
    notebook.activeCell.model.sharedModel.setSource(code);
    await actions.focusActiveCell(notebook);
    return created ?? undefined;
  }

  // compose is a cell with what a notebook lacks of its imports and declarations above it.
  function compose({ imports, declarations, body }, written) {
    const parts = [];
    const missing = imports.filter((path) => !written.includes(`"${path}"`));
    const [own, others] = [missing.filter((path) => !path.includes(".")), missing.filter((path) => path.includes("."))];
    const lines = [own, others].filter((group) => group.length).map((group) => group.map((path) => `\t"${path}"\n`).join(""));
    if (lines.length) parts.push(`import (\n${lines.join("\n")})`);
    for (const { name, code } of declarations) {
      if (!new RegExp(`^(var|func) ${name}\\b`, "m").test(written)) parts.push(code);
    }
    return [...parts, `%%\n${body}`].join("\n\n");
  }

  (window._JUPYTERLAB ??= {}).offshoot = {
    init: (scope) => { shared = scope; },
    get: async () => {
      const module = { __esModule: true, default: await extension() };
      return () => module;
    },
  };
})
